"""What stands in the store as JSON comes back as it was."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.document import Document, Link
from gateway.domain.line import LineState
from gateway.domain.lot import LotFacts
from gateway.domain.order import OrderState
from gateway.store import codec
from gateway.store.codec import EventDetail
from tests.factories import make_event

DECIMALS = st.decimals(-(10**12), 10**12, places=12)
SCALARS = {
    Decimal: DECIMALS,
    datetime: st.datetimes(timezones=st.just(UTC)),
    str: st.text(st.characters(codec="utf-8"), max_size=8),
    int: st.integers(-(10**40), 10**40),  # a requirement's numerator grows beyond 64 bits
}


def make(kind) -> st.SearchStrategy:
    """Return values of a named tuple's fields, of tuples, of what may be None, and of scalars."""
    if kind in SCALARS:
        return SCALARS[kind]
    if hasattr(kind, "_fields"):
        return st.builds(kind, *(make(one) for one in get_type_hints(kind).values()))
    origin, arguments = get_origin(kind), get_args(kind)
    if not arguments:
        return st.from_type(kind)  # an enum, a bool, None
    if origin is tuple and Ellipsis not in arguments:
        return st.tuples(*map(make, arguments))
    some = st.lists(make(arguments[0]), max_size=2)
    return some.map(origin) if origin in (tuple, frozenset) else st.one_of(*map(make, arguments))


@given(make(Link))
def test_a_link_comes_back(link):
    assert link == codec.link(link.trigger, link.document, str(link.units), codec.link_text(link))


@pytest.mark.parametrize(
    ("kind", "to_text", "back"),
    [
        (Document, codec.document_text, codec.document),
        (OrderState, codec.order_state_text, codec.order_state),
        (LineState, codec.line_state_text, codec.line_state),
        (LotFacts, codec.facts_text, codec.facts),
        (tuple[tuple[int, int], ...], codec.ranges_text, codec.ranges),
    ],
)
@given(data=st.data())
def test_a_structure_comes_back(kind, to_text, back, data):
    value = data.draw(make(kind))

    assert value == back(to_text(value))


@given(make(EventDetail))
def test_an_events_detail_comes_back(detail):
    *members, hold = detail
    event = make_event()._replace(**dict(zip(EventDetail._fields, members, strict=False)))

    assert detail == codec.event_detail(codec.event_detail_text(event, hold))

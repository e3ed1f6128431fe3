"""What has no columns of its own: JSON arrays in the order of the type's fields, quantities as decimal strings.

A field that is added to such a type goes to its end, with a default: what was stored before is then read as it was.
"""

from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from pydantic import TypeAdapter

from gateway.domain.document import Document, Draw, Link
from gateway.domain.event import Event, LotMention
from gateway.domain.line import LineState
from gateway.domain.lot import LotFacts, Staging
from gateway.domain.order import OrderState
from gateway.domain.quantity import text
from gateway.store.codec.scalars import content_hash, optional_moment, optional_text


class _Parts(NamedTuple):
    lines: tuple[tuple[int, Decimal], ...]
    draws: tuple[Draw, ...]


class EventDetail(NamedTuple):
    """What few events have: the members of Event that have no column, and why its units were held at once."""

    temperature: Decimal | None = None
    lot: LotMention | None = None
    edited: tuple[tuple[str, Decimal], ...] = ()
    person: str = ""
    hold: tuple[str, str, str] | None = None


_PARTS = TypeAdapter(_Parts)
_DOCUMENT = TypeAdapter(Document)
_DETAIL = TypeAdapter(EventDetail)
_FACTS = TypeAdapter(LotFacts)
_ORDER = TypeAdapter(OrderState)
_LINE = TypeAdapter(LineState)
_RANGES = TypeAdapter(tuple[tuple[int, int], ...])
_NO_DETAIL = EventDetail()


def link_text(link: Link) -> str:
    """Return a link's lines and draws; its ids and units are columns."""
    return _PARTS.dump_json(_Parts(link.lines, link.draws)).decode()


def link(trigger: int, document: int, units: str, body: str) -> Link:
    """Return the link of its columns."""
    return Link(trigger, document, Decimal(units), *_PARTS.validate_json(body))


def document_text(document: Document) -> str:
    """Return an open document as JSON."""
    return _DOCUMENT.dump_json(document).decode()


def document(body: str) -> Document:
    """Return the open document of its JSON."""
    return _DOCUMENT.validate_json(body)


def event_detail_text(event: Event, hold: tuple[str, str, str] | None) -> str | None:
    """Return what an event has beside its columns, None where that is nothing."""
    detail = EventDetail(event.temperature, event.lot, event.edited, event.person, hold)
    return None if detail == _NO_DETAIL else _DETAIL.dump_json(detail).decode()


def event_detail(stored: str | None) -> EventDetail:
    """Return what an event has beside its columns."""
    return _NO_DETAIL if stored is None else _DETAIL.validate_json(stored)


@lru_cache(maxsize=1024)  # a lot is written with every batch that consumes it, its facts hardly ever change
def facts_text(facts: LotFacts) -> str:
    """Return a lot's facts as JSON."""
    return _FACTS.dump_json(facts).decode()


@lru_cache(maxsize=1024)
def facts(stored: str) -> LotFacts:
    """Return the lot's facts of their JSON."""
    return _FACTS.validate_json(stored)


def order_state_text(state: OrderState) -> str:
    """Return what happened to an order as JSON."""
    return _ORDER.dump_json(state).decode()


def order_state(body: str) -> OrderState:
    """Return what happened to an order."""
    return _ORDER.validate_json(body)


def line_state_text(state: LineState) -> str:
    """Return what happened at a line as JSON."""
    return _LINE.dump_json(state).decode()


def line_state(body: str) -> LineState:
    """Return what happened at a line."""
    return _LINE.validate_json(body)


def ranges_text(ranges: tuple[tuple[int, int], ...]) -> str:
    """Return [start, end) ranges as JSON."""
    return _RANGES.dump_json(ranges).decode()


def ranges(stored: str) -> tuple[tuple[int, int], ...]:
    """Return the [start, end) ranges of their JSON."""
    return _RANGES.validate_json(stored)


def staging_hash(staging: Staging) -> str:
    """Return the hash of what a transfer says; the same id with another hash is a contradiction.

    Numbers are compared by value: `1.0` and `1.00` pieces are the same transfer. Times of arrival aren't compared,
    and facts only where there are some: a transfer's hash outlives the version that knew less of it.
    """
    content = (
        *staging.key.owner,
        *staging.key[1:],
        text(staging.quantity.normalize()),
        staging.uom,
        optional_moment(staging.expires_at),
        staging.status,
    )
    return content_hash((*content, *_facts_said(staging)))


def _facts_said(staging: Staging) -> tuple[str | None, ...]:
    said = staging.facts._replace(staged_at=None, scanned_at=None)
    if said == LotFacts() and not staging.scanned:
        return ()
    numbers = (said.density, said.temperature_coefficient, said.reference_temperature, said.potency)
    normal = (optional_text(None if one is None else one.normalize()) for one in numbers)
    return (said.supplier, str(said.priority), *normal, "scanned" if staging.scanned else None)

"""What holds at a line, whatever happened: asked after each step, and when everything was reversed."""

from collections import defaultdict
from decimal import Decimal

from gateway.domain.exception import ExceptionKind
from gateway.domain.lot import LotKey
from tests.property.shop import ZERO, add_lines

MADE = {"assembly", "component", "activity"}


def each_unit_is_one_thing(shop, made, held):
    """Each counted unit is exactly one of posted, scrapped, held and reversed; postings and totals say the same."""
    tallies = shop.state.tallies

    assert {key: Decimal(quantity) for key, quantity in shop.ledger.made.items() if quantity} == {
        key: one.counted for key, one in tallies.items() if one.counted
    }

    for signal, one in tallies.items():
        assert one.counted == one.posted + one.scrapped + one.held + one.reversed, signal
        assert min(one[1:]) >= ZERO, signal
        assert held[signal] == one.held, signal

    counted = [sum(column, ZERO) for column in zip(*made.values(), strict=True)] or [ZERO] * 3

    assert counted[0] + counted[2] == sum((one.posted for one in tallies.values()), ZERO)
    assert counted[1] == sum((one.scrapped for one in tallies.values()), ZERO)
    assert min(counted) >= ZERO


def each_lot_is_whole(shop, consumed, returned):
    """Staged = consumed + returned + left, by the transfers and the postings; never below zero."""
    staged = shop.ledger.staged
    for key, lot in shop.state.lots.items():
        assert lot.left > ZERO, key
        assert (staged[key], consumed[key], returned[key]) == (lot.staged, lot.consumed, lot.returned), key

    for key in staged.keys() - shop.state.lots.keys():  # used up
        assert staged[key] == consumed[key] + returned[key], key


def everything_is_as_it_was(shop):
    """After everything was reversed only what closed orders, counts and returns took is gone: R = C = 0."""
    state, ledger = shop.state, shop.ledger
    closed = {order for order, one in state.order_states.items() if one.closed_at}
    for key, one in state.requirements.items():
        assert key.order in closed or (one.numerator, one.committed, one.once) == (0, ZERO, False), key
    for (order, operation), one in state.progress.items():
        assert order in closed or not any(one), (order, operation)
    for (order, operation), output in ledger.output.items():
        assert order in closed or not any(output), (order, operation)

    assert not [one for one in state.exceptions.values() if one.kind in (ExceptionKind.TRIGGER, ExceptionKind.BACKLOG)]

    stays = [one for one in ledger.postings if one["order"] in closed or one["posting_type"] not in MADE]
    kept: defaultdict[LotKey, Decimal] = defaultdict(Decimal)
    for one in stays:
        add_lines(one["lines"], kept, defaultdict(Decimal))

    assert {key: quantity for key, quantity in kept.items() if quantity} == {
        key: quantity for key, quantity in ledger.consumed.items() if quantity
    }

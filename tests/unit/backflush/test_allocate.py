from decimal import Decimal

import pytest

from gateway.backflush.allocate import allocate
from gateway.domain.lot import LotStatus
from tests.factories import LINE, NOON, ORDER, Shelf, day, make_lot


def picked(*lots, need="10", taken=None):
    """Return the picks as (lot, quantity), what is missing, and the refusals."""
    picks, missing, refused = allocate(
        Shelf(*lots), (ORDER, LINE), "BOTTLE-500", Decimal(need), at=NOON, taken=taken or {}
    )
    return [(lot.key.lot, quantity) for lot, quantity in picks], missing, refused


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (make_lot("X", expires_at=day(1)), make_lot("A", expires_at=day(2))),
        (make_lot("X", expires_at=day(1)), make_lot("A")),
        (make_lot("X", received_at=day(-2)), make_lot("A", received_at=day(-1))),
        (make_lot("X", "50"), make_lot("A", "60")),
        (make_lot("A"), make_lot("X")),
        (make_lot("A", location="L1-A"), make_lot("A", location="L1-B")),
        (make_lot("A", owner=LINE), make_lot("A", owner=ORDER)),
    ],
    ids=["expiry", "none expires last", "receipt", "smaller rest", "lot", "bin", "owner"],
)
def test_lots_are_used_in_a_total_order(first, second):
    picks, _, _ = allocate(Shelf(second, first), (ORDER, LINE), "BOTTLE-500", Decimal(10), at=NOON, taken={})

    assert [first.key] == [lot.key for lot, _ in picks]


def test_what_one_lot_lacks_comes_from_the_next():
    picks, missing, _ = picked(make_lot("A", "4"), make_lot("B", "100"))

    assert [("A", Decimal(4)), ("B", Decimal(6))] == picks
    assert Decimal(0) == missing


def test_what_all_lots_lack_is_missing():
    _, missing, _ = picked(make_lot("A", "4"), make_lot("B", "5"))

    assert Decimal(1) == missing


def test_stock_of_another_order_or_item_is_not_seen():
    picks, missing, refused = picked(
        make_lot("A", owner=ORDER._replace(name="100046")), make_lot("B", owner=LINE._replace(name="L2"))
    )

    assert ([], Decimal(10), []) == (picks, missing, refused)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": LotStatus.QUARANTINE}, "lot A is in quarantine (100 EA)"),
        ({"status": LotStatus.BLOCKED}, "lot A is in blocked (100 EA)"),
        ({"expires_at": NOON}, "lot A expired 2026-11-21T12:00:00.000Z (100 EA)"),
    ],
)
def test_an_ineligible_lot_is_refused_with_its_reason(changes, reason):
    picks, _, refused = picked(make_lot("A", **changes), make_lot("B"))

    assert [("B", Decimal(10))] == picks
    assert [reason] == refused


def test_every_refused_lot_is_named_in_a_shortage():
    _, _, refused = picked(make_lot("A", expires_at=day(-1)), make_lot("B", status=LotStatus.BLOCKED))

    assert ["lot A expired 2026-11-20T12:00:00.000Z (100 EA)", "lot B is in blocked (100 EA)"] == refused


def test_what_the_same_trigger_took_already_is_gone():
    lot = make_lot("A", "12")
    picks, missing, _ = picked(lot, make_lot("B", "1"), taken={lot.key: lot.consume(Decimal(12))})

    assert [("B", Decimal(1))] == picks
    assert Decimal(9) == missing

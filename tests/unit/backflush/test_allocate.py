from decimal import Decimal
from itertools import count

import pytest

from gateway.backflush.outcome import Blocked
from gateway.backflush.step import step
from gateway.domain.bom import Alternate, Strategy
from gateway.domain.document import Considered
from gateway.domain.lot import LotKey, LotStatus
from tests.factories import LINE, NOON, ORDER, Shelf, day, make_bom, make_component, make_lot, make_master, make_trigger


def draw(*lots, need="10", **component):
    """Return the outcome of a trigger whose only component needs that much."""
    bom = make_bom(make_component(quantity="12", **component))
    return step(Shelf(*lots), make_master(bom=bom), make_trigger(need))


def picked(*lots, **more):
    return [(line.lot, line.quantity) for line in draw(*lots, **more).bookings[0].lines]


def keys(lines):
    return [LotKey(one.owner, one.item, one.lot, one.location) for one in lines]


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
    outcome = draw(second, first)

    assert [first.key] == keys(outcome.bookings[0].lines)


@pytest.mark.parametrize("strategy", Strategy)
def test_every_strategy_ends_at_the_lots_id(strategy):
    lots = [make_lot(lot, received_at=NOON, priority=1) for lot in ("C", "A", "B")]

    assert [("A", Decimal(10))] == picked(*lots, allocation=strategy)


def test_what_one_lot_lacks_comes_from_the_next():
    assert [("A", Decimal(4)), ("B", Decimal(6))] == picked(make_lot("A", "4"), make_lot("B", "100"))


def test_what_all_lots_lack_is_missing():
    outcome = draw(make_lot("A", "4"), make_lot("B", "5"))

    assert "needs 10 EA, 9 available" in outcome.reason


def test_stock_of_another_order_or_line_is_not_seen():
    others = make_lot("A", owner=ORDER._replace(name="100046")), make_lot("B", owner=LINE._replace(name="L2"))

    assert "not-staged" == draw(*others).code


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": LotStatus.QUARANTINE}, "is in quarantine"),
        ({"status": LotStatus.BLOCKED}, "is in blocked"),
        ({"expires_at": NOON}, "expired 2026-11-21T12:00:00.000Z"),
    ],
)
def test_an_ineligible_lot_is_passed_over_with_its_reason(changes, reason):
    first, second = make_lot("A", **changes), make_lot("B")
    booking = draw(first, second).bookings[0]

    assert ["B"] == [line.lot for line in booking.lines]
    assert (
        Considered(first.key, Decimal(100), Decimal(0), reason),
        Considered(second.key, Decimal(100), Decimal(10), "taken: first expiry"),
    ) == tuple(sorted(booking.draws[0].considered))


def test_every_refused_lot_is_named_in_a_shortage():
    outcome = draw(make_lot("A", expires_at=day(-1)), make_lot("B", status=LotStatus.BLOCKED))

    assert (
        Blocked(
            "shortage",
            "BOTTLE-500 (BOM line 0010) needs 10 EA, 0 available for order 100045 on line L1; "
            "lot A expired 2026-11-20T12:00:00.000Z (100 EA); lot B is in blocked (100 EA)",
        )
        == outcome
    )


def test_the_next_lot_that_was_not_needed_is_told():
    lots = [make_lot(lot) for lot in ("A", "B", "C")]
    plain = draw(*lots).bookings[0].draws[0]
    general = draw(*lots, allocation=Strategy.FIFO).bookings[0].draws[0]

    assert [("A", "taken: first expiry"), ("B", "not needed")] == [(one.lot.lot, one.why) for one in plain.considered]
    assert [("A", "taken: first receipt"), ("B", "not needed")] == [
        (one.lot.lot, one.why) for one in general.considered
    ]


def test_a_record_shows_ten_lots_at_most_the_first_and_the_last():
    numbers = count()
    lots = [make_lot(f"{next(numbers):02}", "1") for _ in range(15)]
    considered = draw(*lots, need="14").bookings[0].draws[0].considered

    assert ["00", "01", "02", "03", "04", "10", "11", "12", "13", "14"] == [one.lot.lot for one in considered]


def test_a_record_of_an_alternate_says_so():
    master = make_master(bom=make_bom(make_component("SUGAR", "12", alternates=(Alternate("HONEY"),))))
    outcome = step(Shelf(make_lot("H", item="HONEY")), master, make_trigger("1"))

    assert ["taken: first expiry, as an alternate"] == [one.why for one in outcome.bookings[0].draws[0].considered]


class Lazy(Shelf):
    """Tells how many lots were looked at."""

    looked_at = 0

    def lots(self, owners, item):
        for lot in super().lots(owners, item):
            self.looked_at += 1
            yield lot


def test_a_lot_that_may_not_serve_costs_no_look_at_those_behind_the_next():
    lots = [make_lot(f"B-{one:03}", expires_at=day(one - 1), status=LotStatus.UNRESTRICTED) for one in range(100)]
    shelf = Lazy(*lots)
    step(shelf, make_master(bom=make_bom(make_component(quantity="12"))), make_trigger("10"))

    assert shelf.looked_at < 10


def test_a_sentence_names_ten_refused_lots_and_how_many_more_there_are():
    outcome = draw(*(make_lot(f"B-{one:04}", status=LotStatus.QUARANTINE) for one in range(1200)))

    assert isinstance(outcome, Blocked)
    assert (10, True) == (outcome.reason.count("is in quarantine"), outcome.reason.endswith("; and 1,190 more"))

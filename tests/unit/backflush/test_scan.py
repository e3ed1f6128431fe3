"""A lot was scanned and its quantity given: method scan."""

from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.backflush.step import step
from gateway.domain.bom import Alternate, BomOperation, ControlLimits, Method
from gateway.domain.document import Part
from gateway.domain.event import EventKind, LotMention
from gateway.domain.lot import LotStatus
from gateway.domain.posting import PostingType
from tests.factories import Shelf, make_bom, make_component, make_lot, make_master, make_trigger

DYE = make_component("DYE", "1", method=Method.SCAN, operation="0030", alternates=(Alternate("INK"),))
MASTER = make_master(bom=make_bom(DYE))


def dye(lot="D-1", staged="10", **changes):
    return make_lot(lot, staged, item=changes.pop("item", "DYE"), **changes)


def scanned(quantity, mention, **changes):
    return make_trigger(quantity, "0030", kind=EventKind.LOT_ISSUED, lot=mention, **changes)


def test_exactly_the_scanned_lot_is_issued_whatever_expires_earlier():
    outcome = step(Shelf(dye("A"), dye("D-1")), MASTER, scanned("3", LotMention("DYE", "D-1")))
    (booked,) = outcome.bookings

    assert [("D-1", Decimal(3), "scan")] == [(one.lot, one.quantity, one.method) for one in booked.lines]
    assert [(False, Decimal(3))] == [(one.calculated, one.due) for one in booked.draws]
    assert ["taken: scanned"] == [one.why for one in booked.draws[0].considered]


def test_an_issue_counts_no_units_and_receives_nothing():
    outcome = step(Shelf(dye()), MASTER, scanned("3", LotMention("DYE", "D-1")))
    (booked,) = outcome.bookings

    assert (PostingType.COMPONENT, Part.MAIN, Decimal(0)) == (booked.key.type, booked.key.part, booked.units)
    assert ({}, {}) == (outcome.changes.progress, outcome.changes.requirements)


@pytest.mark.parametrize(
    ("mention", "lots"),
    [
        (LotMention("DYE", "D-1", bom_line="0010"), ["D-1"]),
        (LotMention("INK", "I-1"), ["I-1"]),
        (LotMention("DYE", "D-1", location="B"), ["D-1"]),
    ],
    ids=["its BOM line", "an alternate", "the bin"],
)
def test_a_scan_finds_its_component_by_line_or_item(mention, lots):
    shelf = Shelf(dye(location="B"), dye("I-1", item="INK"))
    outcome = step(shelf, MASTER, scanned("3", mention))

    assert lots == [one.lot for one in outcome.bookings[0].lines]


def test_a_lot_in_several_bins_is_taken_from_all_of_them():
    outcome = step(
        Shelf(dye(location="A", staged="2"), dye(location="B")), MASTER, scanned("3", LotMention("DYE", "D-1"))
    )

    assert [("A", Decimal(2)), ("B", Decimal(1))] == [(one.location, one.quantity) for one in outcome.bookings[0].lines]


@pytest.mark.parametrize(
    ("mention", "code", "reason"),
    [
        (None, "no-lot", "event 7:100-101@100 of FILLER-1.good names no lot"),
        (LotMention("SALT", "S-1"), "no-component", "operation 0030 issues no SALT by scan"),
        (
            LotMention("DYE", "D-1", bom_line="0099"),
            "no-component",
            "operation 0030 issues no DYE by scan in BOM line 0099",
        ),
        (LotMention("DYE", "D-2"), "not-eligible", "lot D-2 is in quarantine (10 EA)"),
        (
            LotMention("DYE", "D-3"),
            "shortage",
            "20 EA of lot D-3 of DYE were scanned, 0 available for order 100045 on line L1",
        ),
        (
            LotMention("DYE", "D-1"),
            "shortage",
            "20 EA of lot D-1 of DYE were scanned, 10 available for order 100045 on line L1",
        ),
        (LotMention("DYE", "D-1", location="X"), "shortage", "0 available"),
    ],
)
def test_a_scan_that_may_not_be_issued_waits_with_the_exact_reason(mention, code, reason):
    shelf = Shelf(dye(), dye("D-2", status=LotStatus.QUARANTINE))
    outcome = step(shelf, MASTER, scanned("20", mention))

    assert code == outcome.code
    assert reason in outcome.reason


def test_a_component_that_is_backflushed_is_not_issued_by_scan():
    outcome = step(Shelf(make_lot()), make_master(), scanned("1", LotMention("CARTON-12", "B-1")))

    assert "no-component" == outcome.code


def test_a_scan_is_never_deferred():
    operations = (BomOperation("0030", "EA", receipt=True, defer=timedelta(hours=1)),)
    master = make_master(bom=make_bom(DYE, operations=operations))
    (booked,) = step(Shelf(dye()), master, scanned("3", LotMention("DYE", "D-1"))).bookings

    assert (Part.MAIN, ["D-1"]) == (booked.key.part, [one.lot for one in booked.lines])


def test_nothing_scanned_moves_nothing():
    outcome = step(Shelf(dye()), MASTER, scanned("0", LotMention("DYE", "D-1")))

    assert ((), ()) == (outcome.bookings[0].lines, outcome.bookings[0].draws)


def test_a_scan_outside_the_control_limits_alerts():
    limits = ControlLimits(None, Decimal(2), "quality")
    master = make_master(bom=make_bom(make_component("DYE", "1", method=Method.SCAN, operation="0030", limits=limits)))
    outcome = step(Shelf(dye()), master, scanned("3", LotMention("DYE", "D-1")))

    assert ["control-limit"] == [one.code for one in outcome.alerts]


def test_the_potency_of_a_scanned_lot_makes_its_active_part():
    outcome = step(Shelf(dye(potency=Decimal("0.8"))), MASTER, scanned("5", LotMention("DYE", "D-1")))
    (draw,) = outcome.bookings[0].draws

    assert [(Decimal("4.0"), Decimal(5))] == [(one.component, one.quantity) for one in draw.picks]

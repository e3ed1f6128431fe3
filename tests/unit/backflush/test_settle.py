"""A backlog is taken as soon as something is there."""

from decimal import Decimal
from fractions import Fraction

import pytest

from gateway.backflush.outcome import Blocked
from gateway.backflush.settle import settle
from gateway.domain.bom import LateStage, Shortage
from gateway.domain.document import Backlog, Part
from gateway.domain.order import OrderState
from gateway.domain.posting import PostingType
from gateway.domain.requirement import NOTHING, Requirement, RequirementKey
from tests.factories import Shelf, day, make_bom, make_component, make_lot, make_master, make_trigger

KEY = RequirementKey("100045", "0010", "0010", "EA")
SPLIT = make_component(on_shortage=Shortage.SPLIT)


def settled(*lots, owed="40", component=SPLIT, key=KEY, state=None, **master):
    shelf = Shelf(*lots)
    shelf.requirements[KEY] = Requirement(90, 1, Decimal(90))
    shelf.orders["100045"] = state or OrderState()
    backlog = Backlog(1, 1, 1, key, Decimal(owed))
    return settle(shelf, make_master(bom=make_bom(component), **master), make_trigger("90"), backlog)


def test_a_backlog_is_taken_whole_where_enough_is_there():
    outcome = settled(make_lot(staged="50"))

    assert [Decimal(40)] == [one.quantity for one in outcome.bookings[0].lines]
    assert ((), {}) == (outcome.backlogs, outcome.changes.requirements)


def test_its_booking_counts_nothing_and_requires_nothing_more():
    (booked,) = settled(make_lot(staged="50")).bookings
    (draw,) = booked.draws

    assert (PostingType.COMPONENT, Part.BACKLOG) == (booked.key.type, booked.key.part)
    assert (Decimal(0), Decimal(0)) == (booked.units, booked.output.units)
    assert (Requirement(90, 1, Decimal(90)), NOTHING, NOTHING) == (draw.before, draw.required, draw.once)
    assert (Decimal(40), Decimal(0), True) == (draw.due, draw.backlog, draw.calculated)


def test_what_is_still_short_stays_owed():
    outcome = settled(make_lot(staged="15"))

    assert [Decimal(15)] == [draw.due for draw in outcome.bookings[0].draws]
    assert ((KEY, Decimal(25)),) == outcome.backlogs


def test_a_backlog_of_a_lot_with_a_density_is_taken_in_its_stock_unit():
    component = make_component("OIL", "1", uom="l", on_shortage=Shortage.SPLIT)
    lot = make_lot(item="OIL", uom="kg", density=Decimal("0.8"))
    outcome = settled(
        lot,
        owed="10",
        component=component,
        key=KEY._replace(uom="l"),
        units={(None, "l", "kg"): Fraction(1)},
        stocked_in={"OIL": "kg"},
    )

    assert [(Decimal("8.0"), "kg")] == [(one.quantity, one.uom) for one in outcome.bookings[0].lines]


def test_a_lot_that_came_for_the_backlog_came_after_its_use():
    outcome = settled(make_lot(staged_at=day(1)))

    assert ["staged-after-use"] == [one.code for one in outcome.bookings[0].deviations]


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({}, "shortage", "BOTTLE-500 (BOM line 0010) needs 40 EA, nothing staged for order 100045 on line L1"),
        ({"state": OrderState(closed_at=day(1))}, "order-closed", "order 100045 was closed"),
        ({"key": KEY._replace(bom_line="0099")}, "no-component", "BOM COLA-CASE-12 version 3 has no line 0099 now"),
    ],
)
def test_a_backlog_that_cannot_be_settled_says_why(changes, code, reason):
    outcome = settled(**changes)

    assert code == outcome.code
    assert reason in outcome.reason


def test_a_late_lot_waits_for_its_signature_here_too():
    component = make_component(on_shortage=Shortage.SPLIT, late_stage=LateStage.SIGN)

    assert isinstance(settled(make_lot(staged_at=day(1)), component=component), Blocked)

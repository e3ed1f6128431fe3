"""Which order, BOM version and operation a trigger posts by, and why none may."""

from decimal import Decimal

import pytest

from gateway.backflush.step import step
from gateway.domain.bom import BomOperation
from gateway.domain.event import EventKind
from gateway.domain.order import OrderState, OrderStatus, Pin
from tests.factories import (
    NOON,
    Shelf,
    day,
    make_bom,
    make_component,
    make_lot,
    make_master,
    make_order,
    make_phantom,
    make_trigger,
)

OLD = make_bom(make_component(quantity="12"), version="9", effective_from=day(-20))
NEW = make_bom(make_component(quantity="24"), version="10", effective_from=day(-20))
UNPINNED = make_order(bom_version="")


def version(shelf, master, trigger):
    """Return the BOM version that the trigger posted by."""
    return step(shelf, master, trigger).bookings[0].key.bom_version


@pytest.mark.parametrize(
    ("master", "trigger", "code", "reason"),
    [
        (make_master(), make_trigger(order=""), "no-order", "neither FILLER-1.good nor line L1 names one"),
        (make_master(), make_trigger(order="7"), "unknown-order", "order 7 is not in the master data"),
        (
            make_master(order=make_order(status=OrderStatus.HELD)),
            make_trigger(),
            "order-status",
            "order 100045 is held, not released",
        ),
        (make_master(order=make_order(bom_version="4")), make_trigger(), "bom", "version 4 of order 100045 is missing"),
        (make_master(bom=make_bom(approved=False)), make_trigger(), "bom", "version 3 of order 100045 is not approved"),
        (make_master(bom=make_bom(shadow=True)), make_trigger(), "bom", "version 3 of order 100045 is a shadow"),
        (
            make_master(bom=make_bom(effective_from=day(1))),
            make_trigger(),
            "bom",
            "version 3 is not effective at 2026-11-21T12:00:00.000Z, the event's time",
        ),
        (
            make_master(order=UNPINNED, bom=make_bom(effective_to=day(-1))),
            make_trigger(),
            "bom",
            "no approved version of BOM COLA-CASE-12 is effective at 2026-11-21T12:00:00.000Z, the event's time",
        ),
        (make_master(), make_trigger(operation="0099"), "operation", "has no operation 0099"),
        (make_master(), make_trigger(uom="crate"), "data", "no conversion from crate to bottle"),
        (make_master(bom=make_bom(base_quantity=Decimal(7))), make_trigger(), "data", "never ends as a decimal"),
    ],
)
def test_a_trigger_that_may_not_post_waits_with_the_exact_reason(master, trigger, code, reason):
    outcome = step(Shelf(make_lot()), master, trigger)

    assert code == outcome.code
    assert reason in outcome.reason


def test_a_closed_order_posts_nothing_more_not_even_what_was_made_before():
    shelf = Shelf(make_lot())
    shelf.orders["100045"] = OrderState(closed_at=day(1))
    outcome = step(shelf, make_master(), make_trigger(source_time=day(-1)))

    assert ("order-closed", "order 100045 was closed 2026-11-22T12:00:00.000Z") == (outcome.code, outcome.reason)


@pytest.mark.parametrize(
    ("boms", "chosen"),
    [
        ((OLD, NEW), "10"),
        ((OLD, make_bom(version="10", effective_from=day(1))), "9"),
        ((OLD, make_bom(version="10", effective_from=day(-30))), "9"),
        ((OLD, make_bom(version="10", effective_from=None)), "9"),
        ((OLD, make_bom(version="10", effective_from=day(-1), approved=False)), "9"),
        ((OLD, make_bom(version="10", effective_from=day(-1), shadow=True)), "9"),
        ((OLD, make_bom(version="10", bom="OTHER")), "9"),
    ],
    ids=["same date, higher number", "not yet", "older", "always", "not approved", "shadow", "another BOM"],
)
def test_where_nothing_is_pinned_the_events_time_chooses_the_newest_effective_version(boms, chosen):
    bom, *more = boms
    master = make_master(order=UNPINNED, bom=bom, more=more)

    assert chosen == version(Shelf(make_lot()), master, make_trigger())


def test_a_late_event_is_posted_by_the_version_of_its_own_time():
    older = make_bom(version="1", effective_to=NOON)
    master = make_master(order=UNPINNED, bom=older, more=[make_bom(version="2", effective_from=NOON)])
    shelf = Shelf(make_lot())

    assert ["1", "2"] == [version(shelf, master, make_trigger(source_time=at)) for at in (day(-1), NOON)]


def test_a_pin_counts_from_its_time_on_and_the_latest_one_wins():
    master = make_master(order=make_order(bom_version="9"), bom=OLD, more=[NEW, make_bom(version="11")])
    shelf = Shelf(make_lot())
    shelf.orders["100045"] = OrderState(pins=(Pin(day(2), "11"), Pin(day(0), "10")))
    found = [version(shelf, master, make_trigger(source_time=day(at))) for at in (-1, 0, 1, 2)]

    assert ["9", "10", "10", "11"] == found


def test_a_phantom_is_exploded_by_the_version_of_the_events_time():
    before = make_phantom("SET", make_component("PIN", "2"), effective_to=NOON)
    after = make_phantom("SET", make_component("PIN", "5"), version="2", effective_from=NOON)
    bom = make_bom(make_component("SET", "1", phantom=True, operation="0030"))
    shelf, master = Shelf(make_lot(item="PIN")), make_master(bom=bom, more=[before, after])
    triggers = [make_trigger("1", "0030", source_time=at) for at in (day(-1), NOON)]

    assert [Decimal(2), Decimal(5)] == [step(shelf, master, one).bookings[0].lines[1].quantity for one in triggers]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ([], "phantom SET (BOM line 0010) has no approved, effective BOM"),
        ([make_phantom("SET", make_component("PIN"), approved=False)], "has no approved, effective BOM"),
        (
            [
                make_phantom("SET", make_component("SUB", phantom=True)),
                make_phantom("SUB", make_component("SET", phantom=True)),
            ],
            "phantom SET (BOM line 0010/0010/0010) contains itself",
        ),
        ([make_phantom("SET", make_component("COLA-CASE-12", phantom=True))], "COLA-CASE-12 (BOM line 0010/0010)"),
    ],
)
def test_a_phantom_that_cannot_be_exploded_holds_the_trigger(more, reason):
    bom = make_bom(make_component("SET", phantom=True))
    outcome = step(Shelf(), make_master(bom=bom, more=more), make_trigger())

    assert "data" == outcome.code
    assert reason in outcome.reason


def test_a_phantoms_components_stand_in_its_place():
    part = make_component("PIN", "1", line="0020", operation="elsewhere", location="")
    line = make_component("SET", "12", line="0050", phantom=True, location="L1-A")
    master = make_master(bom=make_bom(line), more=[make_phantom("SET", part)])
    booking = step(Shelf(make_lot(item="PIN", location="L1-A")), master, make_trigger("1")).bookings[0]

    assert [("0050/0020", "L1-A")] == [(one.bom_line, one.location) for one in booking.lines]
    assert [("100045", "0010", "0050/0020", "EA")] == [tuple(one.key) for one in booking.draws]


def test_a_scan_may_be_at_an_operation_that_is_no_reporting_point():
    operations = (BomOperation("0010", "EA", reporting_point=False), BomOperation("0020", "EA", receipt=True))
    outcome = step(
        Shelf(), make_master(bom=make_bom(operations=operations)), make_trigger(kind=EventKind.LOT_ISSUED, lot=None)
    )

    assert "no-lot" == outcome.code

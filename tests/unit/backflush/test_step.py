from decimal import Decimal
from fractions import Fraction

import pytest

from gateway.backflush.issue import Blocked
from gateway.backflush.step import step
from gateway.domain.bom import BomOperation, Method
from gateway.domain.event import EventKind
from gateway.domain.order import OrderStatus, Progress
from gateway.domain.posting import PostingType, Use
from tests.factories import Shelf, day, make_bom, make_component, make_lot, make_master, make_order, make_trigger


def stocked() -> Shelf:
    return Shelf(make_lot(), make_lot("C-1", item="CARTON-12"))


def test_an_operation_consumes_for_what_it_counted_in_its_own_unit():
    outcome = step(stocked(), make_master(), make_trigger("18"))

    assert [("BOTTLE-500", Decimal(18))] == [(one.item, one.quantity) for one in outcome.posting.lines]
    assert PostingType.COMPONENT is outcome.posting.type


def test_only_the_receipt_operation_receives_the_product():
    outcome = step(stocked(), make_master(), make_trigger("2", "0030"))

    assert [(Use.PRODUCED, "COLA-CASE-12", Decimal(2)), (Use.CONSUMED, "CARTON-12", Decimal(2))] == [
        (one.use, one.item, one.quantity) for one in outcome.posting.lines
    ]
    assert PostingType.ASSEMBLY is outcome.posting.type


def test_a_receipt_is_in_the_orders_unit():
    operations = (BomOperation("0030", "bottle", Fraction(12), receipt=True),)
    bom = make_bom(make_component(operation="0099"), operations=operations)
    outcome = step(Shelf(), make_master(bom=bom), make_trigger("18", "0030"))

    assert [(Decimal("1.5"), "EA")] == [(one.quantity, one.uom) for one in outcome.posting.lines]


@pytest.mark.parametrize(
    ("kind", "progress"),
    [
        (EventKind.GOOD_UNITS, Progress(good=Decimal(2))),
        (EventKind.CASE_SEALED, Progress(good=Decimal(2))),
        (EventKind.SCRAP_UNITS, Progress(scrap=Decimal(2))),
        (EventKind.REWORK_UNITS, Progress(rework=Decimal(2))),
    ],
)
def test_progress_tells_good_scrap_and_rework_apart(kind, progress):
    outcome = step(stocked(), make_master(), make_trigger("2", kind=kind))

    assert {("100045", "0010"): progress} == outcome.changes.progress


@pytest.mark.parametrize("kind", [EventKind.SCRAP_UNITS, EventKind.REWORK_UNITS])
def test_what_is_not_good_consumes_and_is_not_received(kind):
    outcome = step(stocked(), make_master(), make_trigger("2", "0030", kind=kind))

    assert [(Use.CONSUMED, "CARTON-12")] == [(one.use, one.item) for one in outcome.posting.lines]


def test_an_event_of_zero_units_moves_nothing():
    outcome = step(stocked(), make_master(), make_trigger("0", "0030"))

    assert () == outcome.posting.lines


def test_a_count_in_another_unit_is_converted_to_the_operations():
    master = make_master(units={("COLA-CASE-12", "crate", "bottle"): Fraction(24)})
    outcome = step(stocked(), master, make_trigger("2", uom="crate"))

    assert Decimal(48) == outcome.posting.output.good


@pytest.mark.parametrize(
    ("weight", "uom", "issued"),
    [("6.31", "kg", "6310"), ("6310", "g", "6310"), ("6.31", "", "6310")],
    ids=["its unit", "the component's unit", "no unit is the operation's"],
)
def test_a_measured_component_takes_the_measured_quantity(weight, uom, issued):
    drink = make_component("DRINK", "6300", uom="g", operation="0040", method=Method.MEASURED)
    master = make_master(bom=make_bom(drink), units={(None, "kg", "g"): Fraction(1000)}, stocked_in={"DRINK": "g"})
    outcome = step(
        Shelf(make_lot("D-1", "10000", item="DRINK")),
        master,
        make_trigger(weight, "0040", uom=uom, kind=EventKind.WEIGHED),
    )

    assert [Decimal(issued)] == [one.quantity for one in outcome.posting.lines]
    assert {} == outcome.changes.requirements


def test_two_lines_of_one_item_never_share_a_unit():
    bom = make_bom(make_component(quantity="12"), make_component(quantity="6", line="0015"))
    outcome = step(Shelf(make_lot("B-1", "5"), make_lot("B-2", "4")), make_master(bom=bom), make_trigger("6"))

    assert [("0010", "B-2", Decimal(4)), ("0010", "B-1", Decimal(2)), ("0015", "B-1", Decimal(3))] == [
        (one.bom_line, one.lot, one.quantity) for one in outcome.posting.lines
    ]
    assert 2 == len(outcome.changes.used_up)


def test_a_posting_names_what_it_was_made_of():
    trigger = make_trigger()
    posting = step(stocked(), make_master(), trigger).posting

    assert ("COLA-CASE-12", "3", "sha256:5f3c") == (posting.bom, posting.bom_version, posting.master_data)
    assert ((trigger,), "COLA-CASE-12", "C261121-1") == (posting.triggers, posting.item, posting.finished_lot)


def test_a_shortage_names_the_component_what_it_needs_and_every_refused_lot():
    shelf = Shelf(make_lot("B-1", "5", expires_at=day(-1)), make_lot("B-2", "4"))

    assert Blocked(
        "shortage",
        "BOTTLE-500 (BOM line 0010) needs 6 EA, 4 available for order 100045 on line L1; "
        "lot B-1 expired 2026-11-20T12:00:00.000Z (5 EA)",
    ) == step(shelf, make_master(), make_trigger("6"))


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
        (
            make_master(bom=make_bom(effective_from=day(1))),
            make_trigger(),
            "bom",
            "is not effective at 2026-11-21T12:00:00.000Z, the event's time",
        ),
        (make_master(), make_trigger(operation="0099"), "operation", "has no operation 0099"),
        (make_master(), make_trigger(uom="crate"), "data", "no conversion from crate to bottle"),
        (
            make_master(bom=make_bom(make_component("DRINK", "1", uom="kg"))),
            make_trigger(),
            "data",
            "no conversion from kg to EA for item DRINK",
        ),
        (make_master(bom=make_bom(base_quantity=Decimal(7))), make_trigger(), "data", "never ends as a decimal"),
    ],
)
def test_a_trigger_that_may_not_post_waits_with_the_exact_reason(master, trigger, code, reason):
    outcome = step(stocked(), master, trigger)

    assert code == outcome.code
    assert reason in outcome.reason

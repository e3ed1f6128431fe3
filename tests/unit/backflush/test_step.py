"""One trigger: its bookings, their kinds, and what is received."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from gateway.backflush.step import step
from gateway.domain.bom import Activity, BomOperation, Method
from gateway.domain.document import DocumentKey, Part
from gateway.domain.event import EventKind
from gateway.domain.order import Progress
from gateway.domain.posting import ActivityLine, Output, PostingType
from gateway.domain.quantity import Rounding
from gateway.domain.requirement import NOTHING, Ratio, Requirement, RequirementKey
from gateway.domain.use import Use
from tests.factories import Shelf, make_bom, make_component, make_lot, make_master, make_trigger

HOUR = timedelta(hours=1)
LABOUR = Activity("LABOUR", Decimal("0.5"), "h")


def stocked() -> Shelf:
    return Shelf(make_lot(), make_lot("C-1", item="CARTON-12"))


def booking(shelf, master, trigger):
    """Return the only booking of a trigger that posts."""
    (only,) = step(shelf, master, trigger).bookings
    return only


def test_an_operation_consumes_for_what_it_counted_in_its_own_unit():
    booked = booking(stocked(), make_master(), make_trigger("18"))

    assert [("BOTTLE-500", Decimal(18))] == [(one.item, one.quantity) for one in booked.lines]
    assert PostingType.COMPONENT is booked.key.type


def test_only_the_receipt_operation_receives_the_product():
    booked = booking(stocked(), make_master(), make_trigger("2", "0030"))

    assert [(Use.PRODUCED, "COLA-CASE-12", Decimal(2)), (Use.CONSUMED, "CARTON-12", Decimal(2))] == [
        (one.use, one.item, one.quantity) for one in booked.lines
    ]
    assert PostingType.ASSEMBLY is booked.key.type


def test_a_receipt_is_in_the_orders_unit():
    operations = (BomOperation("0030", "bottle", Fraction(12), receipt=True),)
    bom = make_bom(make_component(operation="0099"), operations=operations)
    booked = booking(Shelf(), make_master(bom=bom), make_trigger("18", "0030"))

    assert [(Decimal("1.5"), "EA")] == [(one.quantity, one.uom) for one in booked.lines]


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
    booked = booking(stocked(), make_master(), make_trigger("2", "0030", kind=kind))

    assert [(Use.CONSUMED, "CARTON-12")] == [(one.use, one.item) for one in booked.lines]


def test_an_event_of_zero_units_moves_nothing():
    booked = booking(stocked(), make_master(), make_trigger("0", "0030"))

    assert () == booked.lines


def test_a_count_in_another_unit_is_converted_to_the_operations():
    master = make_master(units={("COLA-CASE-12", "crate", "bottle"): Fraction(24)})
    booked = booking(stocked(), master, make_trigger("2", uom="crate"))

    assert (Decimal(48), Decimal(48)) == (booked.units, booked.output.good)


@pytest.mark.parametrize(
    ("weight", "uom", "issued"),
    [("6.31", "kg", "6310"), ("6310", "g", "6310"), ("6.31", "", "6310")],
    ids=["its unit", "the component's unit", "no unit is the operation's"],
)
def test_a_measured_component_takes_the_measured_quantity(weight, uom, issued):
    drink = make_component("DRINK", "6300", uom="g", operation="0040", method=Method.MEASURED)
    master = make_master(bom=make_bom(drink), units={(None, "kg", "g"): Fraction(1000)}, stocked_in={"DRINK": "g"})
    shelf = Shelf(make_lot("D-1", "10000", item="DRINK", uom="g"))
    outcome = step(shelf, master, make_trigger(weight, "0040", uom=uom, kind=EventKind.WEIGHED))

    assert [Decimal(issued)] == [one.quantity for one in outcome.bookings[0].lines]
    assert {} == outcome.changes.requirements


def test_two_lines_of_one_item_never_share_a_unit():
    bom = make_bom(make_component(quantity="12"), make_component(quantity="6", line="0015"))
    outcome = step(Shelf(make_lot("B-1", "5"), make_lot("B-2", "4")), make_master(bom=bom), make_trigger("6"))

    assert [("0010", "B-2", Decimal(4)), ("0010", "B-1", Decimal(2)), ("0015", "B-1", Decimal(3))] == [
        (one.bom_line, one.lot, one.quantity) for one in outcome.bookings[0].lines
    ]
    assert 2 == len(outcome.changes.used_up)


def test_a_booking_names_what_its_document_has_in_common():
    trigger = make_trigger()
    booked = booking(stocked(), make_master(), trigger)

    assert trigger is booked.trigger
    assert (
        DocumentKey(
            type=PostingType.COMPONENT,
            part=Part.MAIN,
            order="100045",
            operation="0010",
            device="FILLER-1",
            rule="fill-good",
            rule_version=1,
            bom="COLA-CASE-12",
            bom_version="3",
            master_data="sha256:5f3c",
            item="COLA-CASE-12",
            finished_lot="C261121-1",
            uom="bottle",
        )
        == booked.key
    )


def test_an_operation_with_nothing_but_activities_posts_activities():
    operations = (BomOperation("0010", "EA", activities=(LABOUR,)),)
    master = make_master(bom=make_bom(make_component(operation="0099"), operations=operations))
    outcome = step(Shelf(), master, make_trigger("3"))
    key = RequirementKey("100045", "0010", "activity:LABOUR", "h")

    assert PostingType.ACTIVITY is outcome.bookings[0].key.type
    assert (ActivityLine("LABOUR", Decimal("1.5"), "h"),) == outcome.bookings[0].activities
    assert {key: Requirement(3, 2, Decimal("1.5"))} == outcome.changes.requirements


def test_an_activitys_draw_takes_from_no_lot():
    operations = (BomOperation("0010", "EA", receipt=True, activities=(LABOUR,)),)
    master = make_master(bom=make_bom(make_component(operation="0099"), operations=operations))
    (draw,) = booking(Shelf(), master, make_trigger("3")).draws

    assert ("LABOUR", Ratio(3, 2), Decimal("1.5"), ()) == (draw.item, draw.required, draw.due, draw.picks)


def test_an_operation_that_counts_and_nothing_else_is_a_component_posting():
    operations = (BomOperation("0010", "EA"),)
    master = make_master(bom=make_bom(make_component(operation="0099"), operations=operations))

    assert PostingType.COMPONENT is booking(Shelf(), master, make_trigger("3")).key.type


# --- process separation ---------------------------------------------------------------------------------------------


def deferring(*components, **operation):
    operations = (BomOperation("0010", "EA", receipt=True, defer=HOUR, **operation),)
    return make_master(bom=make_bom(*components, operations=operations))


def test_deferred_issues_are_a_booking_of_their_own_that_counts_no_units():
    master = deferring(make_component(quantity="2"), activities=(LABOUR,))
    main, deferred = step(stocked(), master, make_trigger("3")).bookings

    assert [(Use.PRODUCED, Decimal(3))] == [(one.use, one.quantity) for one in main.lines]
    assert [(Use.CONSUMED, Decimal(6))] == [(one.use, one.quantity) for one in deferred.lines]
    assert (Part.MAIN, PostingType.ASSEMBLY, Part.DEFERRED, PostingType.COMPONENT) == (
        main.key.part,
        main.key.type,
        deferred.key.part,
        deferred.key.type,
    )
    assert (Decimal(3), Output(Decimal(0), Decimal(0), Decimal(0), "EA")) == (main.units, deferred.output)
    assert ((), Decimal(0), 1) == (main.activities, deferred.units, len(deferred.activities))


def test_what_is_received_beside_the_product_is_not_deferred():
    rest = make_component("REST", "1", use=Use.BY_PRODUCT, line="0020")
    main, deferred = step(stocked(), deferring(make_component(quantity="2"), rest), make_trigger("3")).bookings

    assert ["REST"] == [one.item for one in main.draws]
    assert [1] == [pick.line for draw in main.draws for pick in draw.picks]
    assert ["BOTTLE-500"] == [one.item for one in deferred.draws]


def test_where_there_is_nothing_to_defer_there_is_one_booking():
    assert 1 == len(step(stocked(), deferring(make_component(operation="0099")), make_trigger("3")).bookings)


def test_what_was_entered_of_a_by_product_is_not_deferred():
    rest = make_component("REST", "1", use=Use.BY_PRODUCT)
    (main,) = step(Shelf(), deferring(rest), make_trigger("3", edited=(("0010", Decimal(5)),))).bookings

    assert ["edited"] == [one.code for one in main.deviations]


# --- by-products ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("location", "received_in"), [("", "L1-OUT"), ("SCRAP-BIN", "SCRAP-BIN")])
def test_a_by_product_enters_the_finished_lot_in_its_own_bin_or_the_orders(location, received_in):
    rest = make_component("REST", "12", use=Use.BY_PRODUCT, location=location)
    booked = booking(Shelf(), make_master(bom=make_bom(rest)), make_trigger("3"))

    assert [(Use.BY_PRODUCT, "REST", Decimal(3), "C261121-1", received_in, "0010")] == [
        (one.use, one.item, one.quantity, one.lot, one.location, one.bom_line) for one in booked.lines
    ]


def test_a_by_product_of_which_nothing_is_due_yet_leaves_its_requirement():
    rest = make_component("REST", "4", use=Use.BY_PRODUCT, rounding=Rounding(0))
    outcome = step(Shelf(), make_master(bom=make_bom(rest)), make_trigger("1"))
    (draw,) = outcome.bookings[0].draws

    assert ((), ()) == (outcome.bookings[0].lines, draw.picks)
    assert (Ratio(1, 3), NOTHING, Decimal(0)) == (draw.required, draw.once, draw.due)
    assert [Requirement(1, 3)] == list(outcome.changes.requirements.values())


def test_what_an_operator_entered_of_a_by_product_stands_beside_the_standard():
    rest = make_component("REST", "12", use=Use.BY_PRODUCT)
    trigger = make_trigger("3", edited=(("0010", Decimal(5)),), person="k.meyer")
    booked = booking(Shelf(), make_master(bom=make_bom(rest)), trigger)

    assert [(Decimal(5), Decimal(3))] == [(one.quantity, one.standard) for one in booked.lines]
    assert [False] == [one.calculated for one in booked.draws]

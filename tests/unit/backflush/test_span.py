"""Good units have places in their order; those of two operations that overlap are the same units."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from gateway.backflush import span
from gateway.domain.bom import BomOperation
from gateway.domain.event import EventKind
from tests.factories import make_bom, make_master, make_trigger

BOTTLE = 1_000_000
CASE = 12 * BOTTLE
BOM = ("COLA-CASE-12", "3")


def length(operation: str, good: str = "1", kind: EventKind = EventKind.GOOD_UNITS, master=None, **event) -> int:
    of = span.scale(master or make_master(), BOM, operation)
    return span.length(of, make_trigger(good, operation, kind=kind, **event), Decimal(good))


def test_a_bottle_is_the_base_of_a_case_of_twelve():
    assert (3 * BOTTLE, 2 * CASE) == (length("0010", "3"), length("0030", "2", EventKind.CASE_SEALED))


def test_a_case_is_as_long_as_what_it_says_it_holds():
    assert 10 * BOTTLE == length("0030", "1", EventKind.CASE_SEALED, units=Decimal(10))


def test_the_content_is_counted_in_the_reporting_point_before():
    operations = (
        BomOperation("0010", "bottle", Fraction(12)),
        BomOperation("0020", "layer", Fraction(2), reporting_point=False),
        BomOperation("0030", "EA", receipt=True),
    )
    master = make_master(bom=make_bom(operations=operations))

    assert 6 * BOTTLE == length("0030", kind=EventKind.CASE_SEALED, units=Decimal(6), master=master)


def test_a_case_of_the_first_operation_has_its_standard_length():
    assert BOTTLE == length("0010", kind=EventKind.CASE_SEALED, units=Decimal(6))


@pytest.mark.parametrize(("weight", "cases"), [("6.2", 1), ("0.4", 1), ("12.1", 2)])
def test_what_is_weighed_is_whole_order_units_and_at_least_one(weight, cases):
    assert cases * CASE == length("0040", weight, EventKind.WEIGHED)


@pytest.mark.parametrize("kind", [EventKind.SCRAP_UNITS, EventKind.REWORK_UNITS, EventKind.LOT_ISSUED])
def test_what_is_no_good_unit_has_no_place(kind):
    assert 0 == length("0010", "3", kind)


def test_nothing_has_no_place():
    assert 0 == length("0010", "0")


def test_a_part_that_no_millionth_fits_is_rounded():
    master = make_master(bom=make_bom(operations=(BomOperation("0010", "EA", Fraction(1)),)))

    assert 333_333 == length("0010", "0.3333333", master=master)


def test_an_operation_that_is_not_in_the_bom_has_no_scale():
    assert None is span.scale(make_master(), BOM, "0099")


def test_a_bom_that_is_gone_has_no_scale():
    assert None is span.scale(replace(make_master(), boms={}), BOM, "0010")


def test_units_are_placed_one_after_the_other():
    assert (((5, 8),), 8, ()) == span.fill(5, (), 3)


def test_what_was_reversed_is_filled_first():
    assert (((1, 3), (4, 5), (9, 10)), 10, ()) == span.fill(9, ((1, 3), (4, 5)), 4)


def test_a_free_stretch_that_is_longer_stays_free_behind():
    assert (((1, 3),), 9, ((3, 5), (7, 8))) == span.fill(9, ((1, 5), (7, 8)), 2)


def test_freed_stretches_that_touch_are_one():
    assert ((1, 5), (6, 8), (9, 10)) == span.freed(((1, 3), (6, 7)), [(9, 10), (7, 8), (3, 5)])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [((1, 2), (5, 6), (1, 6)), (None, (5, 6), (5, 6)), ((1, 2), None, (1, 2)), (None, None, None)],
)
def test_a_union_reaches_from_the_first_unit_to_the_last(one, other, expected):
    assert expected == span.union(one, other)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [(0, ()), (1, ((7, 8),)), (2, ((6, 8),)), (3, ((3, 4), (6, 8))), (6, ((0, 4), (6, 8)))],
)
def test_the_newest_units_of_some_stretches_are_their_last(wanted, expected):
    assert expected == span.newest([(0, 4), (6, 8)], wanted)

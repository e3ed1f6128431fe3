"""Shadow versions and rules: exploded and rounded as the live one is, without touching stock."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from gateway.backflush.shadow import shadowed
from gateway.domain.bom import Method
from gateway.domain.event import EventKind
from gateway.domain.quantity import Rounding, RoundingMode
from gateway.domain.requirement import Requirement
from tests.factories import make_bom, make_component, make_master, make_trigger

UP = Rounding(0, RoundingMode.UP)


def drawn(bom, *triggers, back: str = "0", **master):
    """Return what is committed of each item after the triggers, the last of which is taken back as to that part."""
    data, found, items = make_master(bom=bom, **master), {}, {}
    for trigger, part in (*((one, Fraction(1)) for one in triggers), (triggers[-1], -Fraction(back))):
        for key, item, requirement in shadowed(data, bom, trigger, lambda key: found.get(key, Requirement()), part):
            found[key], items[key] = requirement, item
    return {items[key]: one.committed for key, one in found.items()}


def test_rounding_is_cumulative():
    bom = make_bom(make_component(quantity="16", rounding=UP), base_quantity=Decimal(3))  # 4 to 9 bottles

    assert {"BOTTLE-500": 4} == drawn(bom, *(make_trigger("3") for _ in range(3)))


def test_what_is_drawn_once_is_drawn_once():
    bom = make_bom(make_component(quantity="12", setup_scrap=Decimal(20)))

    assert {"BOTTLE-500": 44} == drawn(bom, make_trigger("12"), make_trigger("12"))


def test_a_measured_component_is_what_was_measured():
    bom = make_bom(make_component("DRINK", "6", operation="0040", uom="g", method=Method.MEASURED))
    trigger = make_trigger("6.25", "0040", kind=EventKind.WEIGHED, uom="kg")

    assert {"DRINK": 12500} == drawn(
        bom, trigger, trigger, units={(None, "kg", "g"): Fraction(1000)}, stocked_in={"DRINK": "kg"}
    )


def test_what_is_reversed_is_taken_back():
    bom = make_bom(make_component(quantity="16", rounding=UP, setup_scrap=Decimal(20)), base_quantity=Decimal(3))

    assert {"BOTTLE-500": 22} == drawn(bom, make_trigger("3"), make_trigger("3"), back="1")


def test_a_part_of_what_was_measured_is_taken_back():
    bom = make_bom(make_component("DRINK", "6", operation="0040", uom="kg", method=Method.MEASURED))
    trigger = make_trigger("6", "0040", kind=EventKind.WEIGHED, uom="kg")

    assert {"DRINK": 9} == drawn(bom, trigger, trigger, back="1/2", stocked_in={"DRINK": "kg"})


@pytest.mark.parametrize(
    ("kind", "expected"), [(EventKind.REWORK_UNITS, {"CAP": 1}), (EventKind.SCRAP_UNITS, {"BOTTLE-500": 1})]
)
def test_rejects_and_rework_draw_their_own_components(kind, expected):
    bom = make_bom(make_component(), make_component("CAP", "12", line="0020", rework=True))

    assert expected == drawn(bom, make_trigger("1", kind=kind))


@pytest.mark.parametrize(
    "trigger",
    [
        make_trigger("1", kind=EventKind.LOT_ISSUED),
        make_trigger("1", order=""),
        make_trigger("1", "0099"),
        make_trigger("1", uom="pallet"),
    ],
)
def test_a_shadow_that_cant_be_calculated_says_nothing(trigger):
    assert {} == drawn(make_bom(), trigger)


def test_a_shadow_doesnt_have_to_be_approved():
    bom = replace(make_bom(make_component()), approved=False, shadow=True)

    assert {"BOTTLE-500": 1} == drawn(bom, make_trigger("1"))

"""What a draw records, and everything that makes an issue more than a calculation."""

from decimal import Decimal
from fractions import Fraction

import pytest

from gateway.backflush.outcome import Alert, Blocked
from gateway.backflush.step import step
from gateway.domain.bom import ControlLimits, LateStage, Method, Shortage
from gateway.domain.document import Considered, Draw, Pick
from gateway.domain.event import EventKind
from gateway.domain.order import OrderState
from gateway.domain.posting import Deviation
from gateway.domain.quantity import Rounding, RoundingMode
from gateway.domain.requirement import NOTHING, Ratio, Requirement, RequirementKey
from tests.factories import ORDER, Shelf, day, make_bom, make_component, make_lot, make_master, make_trigger

KEY = RequirementKey("100045", "0010", "0010", "EA")
WHOLE_UP = Rounding(0, RoundingMode.UP)
LITRE = {(None, "l", "kg"): Fraction(9, 10)}


def booking(shelf, trigger, *components, **master):
    (only,) = step(shelf, make_master(bom=make_bom(*components), **master), trigger).bookings
    return only


def measured(**changes):
    return make_component("OIL", "1", method=Method.MEASURED, **{"uom": "kg", **changes})


def weighed(quantity, **changes):
    return make_trigger(quantity, kind=EventKind.WEIGHED, **changes)


def oil(lot="O-1", staged="100", **changes):
    return make_lot(lot, staged, item="OIL", uom="kg", **changes)


def kilograms(*components, units=None):
    """Return a snapshot whose operation counts kilograms, as the scale weighs them."""
    factors = {("COLA-CASE-12", "kg", "bottle"): Fraction(1), **(units or {})}
    return make_master(bom=make_bom(*components), units=factors, stocked_in={"OIL": "kg"})


def test_a_draw_lets_a_reader_recompute_it():
    shelf = Shelf(make_lot("B-1", "5"), make_lot("B-2", "7"), make_lot("B-3", "9"))
    shelf.requirements[KEY] = Requirement(1, 3, Decimal(1))
    booked = booking(shelf, make_trigger("6"), make_component(quantity="16", rounding=WHOLE_UP))
    first, second, third = shelf.balances

    assert (
        Draw(
            key=KEY,
            item="BOTTLE-500",
            before=Requirement(1, 3, Decimal(1)),
            required=Ratio(24, 3),
            once=NOTHING,
            due=Decimal(8),
            backlog=Decimal(0),
            picks=(Pick(0, Decimal(5), Decimal(5)), Pick(1, Decimal(3), Decimal(3))),
            considered=(
                Considered(first, Decimal(5), Decimal(5), "taken: first expiry"),
                Considered(second, Decimal(7), Decimal(3), "taken: first expiry"),
                Considered(third, Decimal(9), Decimal(0), "not needed"),
            ),
        ),
    ) == booked.draws


def test_what_is_drawn_once_is_recorded_apart():
    shelf = Shelf(make_lot())
    first = step(shelf, make_master(bom=make_bom(make_component(setup_scrap=Decimal(7)))), make_trigger("2"))
    shelf.take(first.changes)
    second = step(shelf, make_master(bom=make_bom(make_component(setup_scrap=Decimal(7)))), make_trigger("2"))
    draws = [outcome.bookings[0].draws[0] for outcome in (first, second)]

    assert [(Ratio(2, 1), Ratio(7, 1), Decimal(9)), (Ratio(2, 1), NOTHING, Decimal(2))] == [
        (one.required, one.once, one.due) for one in draws
    ]


@pytest.mark.parametrize("changes", [{}, {"location": "L1-FILL"}], ids=["plain", "general"])
def test_where_nothing_is_due_the_requirement_still_grows(changes):
    component = make_component(quantity="4", rounding=Rounding(0), **changes)
    outcome = step(Shelf(), make_master(bom=make_bom(component)), make_trigger("1"))
    (draw,) = outcome.bookings[0].draws

    assert (Ratio(1, 3), Decimal(0), (), ()) == (draw.required, draw.due, draw.picks, draw.considered)
    assert {KEY: Requirement(1, 3)} == outcome.changes.requirements


def test_a_line_names_the_stocks_owner_and_the_lots_supplier():
    booked = booking(Shelf(make_lot(owner=ORDER, supplier="ACME")), make_trigger("1"), make_component())

    assert [(ORDER, "ACME", "0010", "backflush")] == [
        (one.owner, one.supplier, one.bom_line, one.method) for one in booked.lines
    ]


def test_a_split_shortage_is_committed_and_owed():
    component = make_component(on_shortage=Shortage.SPLIT)
    outcome = step(Shelf(make_lot(staged="5")), make_master(bom=make_bom(component)), make_trigger("8"))
    (draw,) = outcome.bookings[0].draws

    assert (Decimal(8), Decimal(3)) == (draw.due, draw.backlog)
    assert ((KEY, Decimal(3)),) == outcome.backlogs
    assert Decimal(8) == outcome.changes.requirements[KEY].committed


def test_a_split_shortage_with_nothing_there_is_all_owed():
    component = make_component(on_shortage=Shortage.SPLIT)
    outcome = step(Shelf(), make_master(bom=make_bom(component)), make_trigger("8"))

    assert ((KEY, Decimal(8)),) == outcome.backlogs
    assert () == outcome.bookings[0].lines


def test_a_weighed_shortage_is_owed_in_the_components_unit():
    master = kilograms(measured(uom="l", on_shortage=Shortage.SPLIT), units=LITRE)
    outcome = step(Shelf(oil(staged="1")), master, weighed("10", uom="kg"))

    assert [Decimal(10)] == [quantity for _, quantity in outcome.backlogs]
    assert [Decimal("11.111111111111")] == [one.due for one in outcome.bookings[0].draws]


# --- late lots ------------------------------------------------------------------------------------------------------


def test_a_lot_that_came_late_is_a_deviation_with_both_times_once_for_all_its_lines():
    parts = make_component(), make_component(line="0020")
    booked = booking(Shelf(make_lot(staged_at=day(1))), make_trigger("1"), *parts)
    text = "lot B-1 of BOTTLE-500 was staged 2026-11-22T12:00:00.000Z, after its use 2026-11-21T12:00:00.000Z"

    assert (Deviation("staged-after-use", text),) == booked.deviations


def test_a_lot_that_came_in_time_is_none():
    lot = make_lot(staged_at=day(-1), scanned_at=day(0))

    assert () == booking(Shelf(lot), make_trigger("1"), make_component()).deviations


@pytest.mark.parametrize(("signed", "posts"), [(frozenset({1}), True), (frozenset({2}), False)])
def test_where_a_late_lot_needs_a_signature_only_the_signed_trigger_posts(signed, posts):
    shelf = Shelf(make_lot(staged_at=day(1)))
    shelf.orders["100045"] = OrderState(signed_late=signed)
    master = make_master(bom=make_bom(make_component(late_stage=LateStage.SIGN)))
    outcome = step(shelf, master, make_trigger("1"))

    assert posts is not isinstance(outcome, Blocked)


# --- what an operator enters ----------------------------------------------------------------------------------------


def test_an_edited_line_stands_beside_the_standard_and_leaves_the_requirement_alone():
    trigger = make_trigger("6", edited=(("0010", Decimal(8)),), person="k.meyer")
    outcome = step(Shelf(make_lot("A", "5"), make_lot("B")), make_master(), trigger)
    (booked,) = outcome.bookings
    text = "BOTTLE-500 (BOM line 0010): k.meyer entered 8 EA, the standard is 6 EA"

    assert [(Decimal(5), Decimal(6)), (Decimal(3), None)] == [(one.quantity, one.standard) for one in booked.lines]
    assert (Deviation("edited", text),) == booked.deviations
    assert ([False], {}) == ([one.calculated for one in booked.draws], outcome.changes.requirements)


def test_nothing_used_is_an_entry_too():
    booked = booking(Shelf(make_lot()), make_trigger("6", edited=(("0010", Decimal(0)),)), make_component())

    assert ((), ["edited"]) == (booked.lines, [one.code for one in booked.deviations])


def test_the_standard_of_a_weighed_line_is_the_weight():
    trigger = weighed("4", uom="kg", edited=(("0010", Decimal(10)),))
    outcome = step(Shelf(oil(density=Decimal("0.8"))), kilograms(measured(uom="l"), units=LITRE), trigger)

    assert [(Decimal("8.0"), Decimal(4))] == [(one.quantity, one.standard) for one in outcome.bookings[0].lines]


def test_a_line_that_the_operation_does_not_draw_cannot_be_entered():
    trigger = make_trigger("6", edited=(("0099", Decimal(1)), ("0010", Decimal(1))))

    assert Blocked("no-component", "BOM lines 0099 were entered, operation 0010 doesn't draw them") == step(
        Shelf(make_lot()), make_master(), trigger
    )


# --- what is measured -----------------------------------------------------------------------------------------------


def test_potency_makes_the_drawn_quantity_the_active_part_and_leaves_the_stocks_alone():
    outcome = step(Shelf(oil(potency=Decimal("0.95"))), kilograms(measured()), weighed("10", uom="kg"))
    (booked,) = outcome.bookings

    assert [Decimal(10)] == [one.quantity for one in booked.lines]
    assert [(Decimal("9.50"), (Pick(0, Decimal(10), Decimal("9.5")),))] == [
        (one.due, one.picks) for one in booked.draws
    ]


def test_potency_does_not_touch_what_is_calculated():
    booked = booking(Shelf(make_lot(potency=Decimal("0.5"))), make_trigger("4"), make_component(location="L1-FILL"))

    assert [Decimal(4)] == [one.due for one in booked.draws]


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [("5", "9", "5 … 9"), (None, "9", " … 9"), ("11", None, "11 … "), ("5", "10", None), (None, None, None)],
)
def test_what_is_measured_outside_its_control_limits_posts_and_alerts_the_owner(low, high, shown):
    limits = ControlLimits(*(one and Decimal(one) for one in (low, high)), "quality")
    outcome = step(Shelf(oil()), kilograms(measured(limits=limits)), weighed("10", uom="kg"))
    text = f"OIL (BOM line 0010) took 10 kg, outside {shown}"

    assert ((Alert("control-limit", text, "quality"),) if shown else ()) == outcome.alerts


def test_control_limits_are_not_for_what_is_calculated():
    limits = ControlLimits(Decimal(5), None, "quality")
    master = make_master(bom=make_bom(make_component(limits=limits, location="L1-FILL")))

    assert () == step(Shelf(make_lot()), master, make_trigger("1")).alerts


def test_a_density_without_a_reference_temperature_is_an_exception():
    lot = oil(density=Decimal("0.8"), temperature_coefficient=Decimal("0.001"))
    part = make_component("OIL", "12", uom="l")
    outcome = step(Shelf(lot), kilograms(part), make_trigger("1", temperature=Decimal(20)))

    assert "temperature" == outcome.code
    assert "it has no reference temperature" in outcome.reason


@pytest.mark.parametrize(
    ("facts", "temperature", "formula"),
    [
        (
            {"temperature_coefficient": "0.05", "reference_temperature": "20"},
            "45",
            "0.8 × (1 − 0.05 × (45 − 20)) = -0.2",
        ),
        ({"temperature_coefficient": "0.05", "reference_temperature": "20"}, "40", "0.8 × (1 − 0.05 × (40 − 20)) = 0"),
        ({"temperature_coefficient": "0.5", "reference_temperature": "0"}, "2", "0.8 × (1 − 0.5 × (2 − 0)) = 0"),
        ({"density": "0"}, None, "0 = 0"),
        ({"density": "-0.8"}, "20", "-0.8 = -0.8"),
    ],
)
def test_a_density_that_is_not_above_zero_makes_no_stock(facts, temperature, formula):
    lot = oil(**{name: Decimal(one) for name, one in {"density": "0.8", **facts}.items()})
    part = make_component("OIL", "12", uom="l")
    trigger = make_trigger("1", temperature=temperature and Decimal(temperature))

    why = f"the density of lot {lot.key.lot} of OIL is {formula}, not above zero"
    assert Blocked("density", why) == step(Shelf(lot), kilograms(part), trigger)


def test_a_crumb_is_drawn_beside_the_requirement():
    part = make_component("OIL", "12", uom="kg")
    master = make_master(bom=make_bom(part), stocked_in={"OIL": "kg"}, item_facts={"OIL": {"crumb": Decimal(1)}})
    outcome = step(Shelf(oil(staged="10.5")), master, make_trigger("10"))
    (booked,) = outcome.bookings

    assert [("backflush", Decimal(10)), ("residual", Decimal("0.5"))] == [
        (one.method, one.quantity) for one in booked.lines
    ]
    assert [(True, Decimal(10)), (False, Decimal("0.5"))] == [(one.calculated, one.due) for one in booked.draws]
    assert [Decimal(10)] == [one.committed for one in outcome.changes.requirements.values()]
    assert 1 == len(outcome.changes.used_up)

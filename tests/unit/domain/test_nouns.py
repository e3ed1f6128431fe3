"""What the shop floor's nouns say of themselves."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from gateway.domain.clock import rfc3339
from gateway.domain.command import CloseOrder, Residual, Retry, Reverse, SetLotStatus
from gateway.domain.event import SignalId
from gateway.domain.line import LineOrder, LineState
from gateway.domain.lot import LotFacts, LotStatus, impossible
from gateway.domain.material import Units
from gateway.domain.posting import Output
from gateway.domain.signed_commands import needs_signature
from gateway.errors import DataError
from tests.factories import NOON, day, make_bom, make_lot, make_master, make_order

UNITS = Units({(None, "kg", "g"): Fraction(1000), ("OIL", "l", "kg"): Fraction(9, 10), (None, "l", "kg"): Fraction(1)})


def test_a_signal_is_written_with_its_device():
    assert "FILLER-1.good" == str(SignalId("FILLER-1", "good"))


def test_a_moment_is_written_with_milliseconds_and_z():
    assert "2026-11-21T10:00:00.870Z" == rfc3339(datetime(2026, 11, 21, 10, 0, 0, 870_400, tzinfo=UTC))


@pytest.mark.parametrize(
    ("item", "source", "target", "factor"),
    [
        ("SALT", "g", "g", Fraction(1)),
        ("SALT", "kg", "g", Fraction(1000)),
        ("SALT", "g", "kg", Fraction(1, 1000)),
        ("OIL", "l", "kg", Fraction(9, 10)),
        ("OIL", "kg", "l", Fraction(10, 9)),
        ("WATER", "l", "kg", Fraction(1)),
    ],
)
def test_an_items_own_factor_comes_before_the_global_one(item, source, target, factor):
    assert factor == UNITS.factor(item, source, target)


def test_a_conversion_nobody_gave_is_refused_with_the_item():
    with pytest.raises(DataError, match="no conversion from m to kg for item PIPE"):
        UNITS.factor("PIPE", "m", "kg")


def test_a_conversion_of_no_item_names_only_the_units():
    with pytest.raises(DataError, match=r"^no conversion from lb to kg \(add one"):
        UNITS.factor("", "lb", "kg")


def test_a_bill_knows_its_operations():
    assert "bottle" == make_bom().operation("0010").unit
    assert None is make_bom().operation("0099")


@pytest.mark.parametrize(
    ("begin", "end", "effective"),
    [(None, None, True), (0, 1, True), (-1, 0, False), (1, None, False), (0, None, True), (None, 0, False)],
)
def test_a_bill_is_effective_from_its_first_moment_until_before_its_last(begin, end, effective):
    moments = {"effective_from": begin, "effective_to": end}
    bom = make_bom(**{name: None if one is None else day(one) for name, one in moments.items()})

    assert effective is bom.effective(NOON)


def test_a_line_works_on_its_active_order():
    assert "100045" == make_master().active_order("L1")


def test_a_line_without_an_active_order_works_on_none():
    master = make_master(order=make_order(active=False))

    assert None is master.active_order("L1")
    assert None is make_master().active_order("L2")


def test_a_lot_has_left_what_was_staged_less_what_is_gone():
    lot = make_lot(staged="10", returned=Decimal("0.5")).stage(Decimal(2)).consume(Decimal("3.25"))

    assert Decimal("8.25") == lot.left


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"density": "0"}, "density 0 is not above zero"),
        ({"potency": "0"}, "potency 0 is not above zero and at most 10"),
        ({"potency": "10.1"}, "potency 10.1 is not above zero and at most 10"),
        ({"reference_temperature": "-274"}, "reference_temperature -274 is below -273 °C"),
        ({"temperature_coefficient": "1"}, "temperature_coefficient 1 is not between -1 and 1"),
        (
            {"temperature_coefficient": "0.1", "density": "1"},
            "a temperature_coefficient needs a density and its reference_temperature",
        ),
        (
            {"temperature_coefficient": "0.1", "reference_temperature": "1"},
            "a temperature_coefficient needs a density and its reference_temperature",
        ),
        ({"temperature_coefficient": "0.1", "density": "1", "reference_temperature": "-273", "potency": "10"}, ""),
        ({}, ""),
    ],
)
def test_facts_that_no_lot_can_have_are_named(facts, why):
    assert why == impossible(LotFacts(**{name: Decimal(one) for name, one in facts.items()}))


def test_staging_more_loses_no_digit():
    lot = make_lot(staged="99999999999.00000000000000000001").stage(Decimal(900_000_000_000))

    assert Decimal("999999999999.00000000000000000001") == lot.staged


def test_what_goes_back_to_the_warehouse_is_no_longer_left():
    assert Decimal("7.5") == make_lot(staged="10").give_back(Decimal("2.5")).left


@pytest.mark.parametrize(("at", "order"), [(-1, None), (0, "100045"), (1, "100045"), (2, "100046"), (9, "100046")])
def test_a_line_works_on_the_order_that_was_started_last(at, order):
    line = LineState((LineOrder(day(0), "100045"), LineOrder(day(2), "100046")))

    assert order == line.order_at(day(at))


def test_an_output_counts_everything_that_was_made():
    assert Decimal(6) == Output(Decimal(3), Decimal(2), Decimal(1), "EA").units


@pytest.mark.parametrize(
    ("command", "meaning"),
    [
        (Reverse(1, "R1"), "reversal"),
        (Retry(), None),
        (SetLotStatus("SALT", "S-1", LotStatus.UNRESTRICTED, "R1"), "return from quarantine"),
        (SetLotStatus("SALT", "S-1", LotStatus.BLOCKED, "R1"), None),
        (CloseOrder("100045", Residual.RETURN, "R1"), None),
        (CloseOrder("100045", Residual.RETURN, "R1", deviation=True), "close outside tolerance"),
    ],
)
def test_a_command_says_whether_and_what_has_to_be_signed(command, meaning):
    assert meaning == needs_signature(command)

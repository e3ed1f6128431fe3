from decimal import Decimal
from fractions import Fraction

import pytest

from gateway.domain.quantity import Rounding, RoundingMode, exact, nearest, parse_quantity, portion, rounded, text
from gateway.errors import DataError


@pytest.mark.parametrize(
    ("written", "read"), [("6.300", "6.300"), (12, "12"), (Decimal("0.1"), "0.1"), ("1e3", "1E+3")]
)
def test_a_quantity_is_read_as_it_is_written(written, read):
    quantity = parse_quantity(written)

    assert Decimal(read) == quantity


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (0.1, "not an exact number"),
        (True, "not an exact number"),
        ("six", "is not a number"),
        ("1_000", "'1_000' is not a number .*digits 0 to 9"),
        ("٣", "is not a number .*digits 0 to 9"),  # three, as Decimal would read it
        (None, "is not a number"),
        ([0, [1, 2], 0], "a list is not a number"),  # Decimal would take it for 12
        ("NaN", "outside what a quantity can be"),
        ("-Infinity", "outside what a quantity can be"),
        ("1000000000000", "outside what a quantity can be"),
        ("-1e9999999", "outside what a quantity can be"),
        ("0e9999999", "outside what a quantity can be"),
        ("0.0000000000001", "more than 12 decimals"),
    ],
)
def test_what_is_no_quantity_is_refused_with_the_reason(written, why):
    with pytest.raises(DataError, match=why):
        parse_quantity(written)


def test_a_fraction_that_terminates_is_that_decimal():
    assert Decimal("0.0045") == exact(Fraction(9, 2000))


def test_a_fraction_that_never_terminates_is_refused():
    with pytest.raises(DataError, match="1/3 never ends as a decimal"):
        exact(Fraction(1, 3))


@pytest.mark.parametrize(
    ("numerator", "mode", "result"),
    [
        (1, RoundingMode.UP, "1"),
        (1, RoundingMode.DOWN, "0"),
        (1, RoundingMode.HALF_EVEN, "0"),
        (2, RoundingMode.HALF_EVEN, "0"),  # 0.5 to the even neighbour
        (3, RoundingMode.HALF_EVEN, "1"),
        (6, RoundingMode.HALF_EVEN, "2"),  # 1.5 to the even neighbour
        (8, RoundingMode.UP, "2"),  # nothing to round
    ],
)
def test_a_requirement_in_quarters_rounds_by_its_mode(numerator, mode, result):
    assert Decimal(result) == rounded(numerator, 4, Rounding(0, mode))


def test_rounding_keeps_the_decimals_asked_for():
    assert "0.333" == text(rounded(1, 3, Rounding(3)))


def test_rounding_keeps_every_digit_of_a_large_quantity():
    assert "1000000000000000000000000000000.333" == text(rounded(3 * 10**30 + 1, 3, Rounding(3)))


def test_without_decimals_a_requirement_is_exact():
    assert Decimal("0.125") == rounded(1, 8, Rounding())


def test_without_decimals_an_endless_requirement_is_refused():
    with pytest.raises(DataError, match="rounding with decimals"):
        rounded(4, 9, Rounding())


def test_text_never_has_an_exponent():
    assert "1000" == text(Decimal("1E+3"))


@pytest.mark.parametrize(
    ("numerator", "mode", "multiple", "result"),
    [
        (11, RoundingMode.UP, "2.5", "12.5"),
        (11, RoundingMode.DOWN, "2.5", "10"),
        (11, RoundingMode.HALF_EVEN, "2", "12"),  # 5.5 packs to the even neighbour
        (10, RoundingMode.UP, "2.5", "10"),
        (1, RoundingMode.UP, "50", "50"),
        (1, RoundingMode.HALF_EVEN, "50", "0"),
    ],
)
def test_a_multiple_rounds_to_whole_packs(numerator, mode, multiple, result):
    assert Decimal(result) == rounded(numerator, 1, Rounding(2, mode, Decimal(multiple)))


@pytest.mark.parametrize(
    ("fraction", "result"),
    [(Fraction(9, 2000), "0.0045"), (Fraction(2, 3), "0.666666666667"), (Fraction(1, 2**14), "0.00006103515625")],
)
def test_the_nearest_decimal_is_the_exact_one_or_has_twelve_decimals(fraction, result):
    assert Decimal(result) == nearest(fraction)


def test_portions_that_follow_one_another_add_up_to_the_whole():
    of = Decimal(3)
    portions = [portion(Decimal(1), Decimal(start), Decimal(start + 1), of) for start in range(3)]

    assert Decimal("0.333333333333") == portions[0]
    assert 1 == sum(portions)

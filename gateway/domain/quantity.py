"""Exact quantities: decimals that never round by themselves, and rounding as a rule of a component.

A requirement is carried as a fraction of two integers, so that 4 pieces per 9 products stays 4/9
until the component's own rounding turns it into a quantity.
"""

from dataclasses import dataclass
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from enum import StrEnum
from fractions import Fraction

from gateway.errors import DataError

# Inexact is trapped: an operation that would have to round raises instead of losing a digit.
EXACT = Context(prec=60, traps=[InvalidOperation, DivisionByZero, Overflow, Inexact])
ZERO = Decimal(0)
_MOST_DIGITS = 12  # before the point: nothing at a line is counted in more than 10^12 of its unit
MOST_DECIMALS = 12
_MOST_SHOWN = 80  # characters of what is refused
_ROUNDING = Context(prec=60)


class RoundingMode(StrEnum):
    """How a component's requirement becomes a quantity."""

    UP = "up"
    DOWN = "down"
    HALF_EVEN = "half-even"


# What is looked up at each line of each posting: an enum's members cost ten times a name of the module's.
_UP, _HALF_EVEN = RoundingMode.UP, RoundingMode.HALF_EVEN
_STEPS = tuple(Decimal(1).scaleb(-decimals) for decimals in range(MOST_DECIMALS + 1))
_SURE = 10**24  # digits that no context in use rounds, so that the operators are exact, at a fifth of the time


@dataclass(frozen=True, slots=True)
class Rounding:
    """A component's rounding: `decimals=None` means exact, and then the quantity has to terminate.

    `multiple` (above zero) rounds to whole packs of that size instead of to decimals.
    """

    decimals: int | None = None
    mode: RoundingMode = RoundingMode.HALF_EVEN
    multiple: Decimal | None = None


_NEAREST = Rounding(MOST_DECIMALS)


def parse_quantity(text: object, decimals: int | None = None) -> Decimal:
    """Return the decimal that `text` (str, int or Decimal) writes; DataError where it is none or absurd.

    One of more than `decimals` (0 … 12) is rounded half-even to so many, without them it keeps each digit.
    """
    if isinstance(text, bool | float):
        raise DataError(f"{text!r} is not an exact number", 'write it as a decimal string, e.g. "0.1"')
    if not isinstance(text, str | int | Decimal):  # of a list Decimal makes digits and an exponent
        raise DataError(f"a {type(text).__name__} is not a number")
    if isinstance(text, str) and ("_" in text or not text.isascii()):  # Decimal reads 1_000, and digits of any script
        raise DataError(f"{_shown(text)} is not a number", "write it in the digits 0 to 9 alone")
    try:
        value = Decimal(text)
    except (InvalidOperation, ValueError) as error:
        raise DataError(f"{_shown(text)} is not a number") from error
    if decimals is not None and _is_bounded(value) and _decimals(value) > decimals:
        value = value.quantize(_STEPS[decimals], ROUND_HALF_EVEN, _ROUNDING)
    if not _is_bounded(value):
        raise DataError(
            f"{_shown(text)} is outside what a quantity can be", f"it has to be below 1{'0' * _MOST_DIGITS}"
        )
    if _decimals(value) > MOST_DECIMALS:
        raise DataError(f"{_shown(text)} has more than {MOST_DECIMALS} decimals")
    return value


def _is_bounded(value: Decimal) -> bool:
    return value.is_finite() and value.adjusted() < _MOST_DIGITS  # abs() would overflow at 1e9999999


def _decimals(value: Decimal) -> int:
    return -int(value.as_tuple().exponent)  # of a finite one


def _shown(value: object) -> str:
    """Return a number's own digits, a text in quotes, and the beginning of what is too long to be either."""
    shown = str(value) if isinstance(value, Decimal) else repr(value)
    return shown if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]}…"


def exact(fraction: Fraction) -> Decimal:
    """Return `fraction` as the decimal it is; DataError when it never terminates."""
    return _terminating(fraction.numerator, fraction.denominator)


def nearest(fraction: Fraction) -> Decimal:
    """Return `fraction` as the decimal it is; where that never ends, the nearest one of twelve decimals."""
    try:
        return EXACT.divide(Decimal(fraction.numerator), Decimal(fraction.denominator))
    except Inexact:
        return rounded(fraction.numerator, fraction.denominator, _NEAREST)


def portion(quantity: Decimal, start: Decimal, end: Decimal, of: Decimal) -> Decimal:
    """Return what of `quantity` belongs to the units from `start` to `end` of all `of` (above zero) that it stands for.

    Portions that follow one another add up to the whole, though none may terminate.
    """
    before, after = (nearest(Fraction(quantity) * Fraction(units) / Fraction(of)) for units in (start, end))
    return EXACT.subtract(after, before)


def rounded(numerator: int, denominator: int, rounding: Rounding) -> Decimal:
    """Return `numerator / denominator` (denominator > 0) under the component's rounding."""
    if rounding.multiple is not None:
        return _packed(numerator, denominator, rounding.multiple, rounding.mode)
    decimals = rounding.decimals
    if decimals is None:
        return _terminating(numerator, denominator)
    whole, rest = divmod(numerator * 10**decimals, denominator)
    if rest:
        whole += _carry(whole, rest, denominator, rounding.mode)
    if -_SURE < whole < _SURE and decimals <= MOST_DECIMALS:
        return Decimal(whole) * _STEPS[decimals]
    return Decimal(whole).scaleb(-decimals, EXACT)


def _packed(numerator: int, denominator: int, pack: Decimal, mode: RoundingMode) -> Decimal:
    top, bottom = pack.as_integer_ratio()
    return EXACT.multiply(rounded(numerator * bottom, denominator * top, Rounding(0, mode)), pack)


def _carry(whole: int, rest: int, denominator: int, mode: RoundingMode) -> int:
    if mode is _HALF_EVEN:
        twice = 2 * rest
        return 1 if twice > denominator or (twice == denominator and whole % 2) else 0
    return 1 if mode is _UP else 0


def _terminating(numerator: int, denominator: int) -> Decimal:
    try:
        return EXACT.divide(Decimal(numerator), Decimal(denominator))
    except Inexact as error:
        raise DataError(
            f"{numerator}/{denominator} never ends as a decimal",
            "give the component a rounding with decimals",
        ) from error


def text(quantity: Decimal) -> str:
    """Return the quantity as JSON carries it: plain digits, no exponent and no trailing zeros.

    So one number has one text, whichever way it was reckoned: a replay writes the same bytes.
    """
    if not quantity:
        return "0"
    written = str(quantity)  # a quarter of the formatter's time, and an exponent is rare
    if "E" in written:
        written = format(quantity, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written

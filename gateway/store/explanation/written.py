"""How an explanation writes exact numbers."""

from decimal import Decimal
from fractions import Fraction

from gateway.domain.quantity import EXACT, text


def fraction(ratio: tuple[int, int]) -> Fraction:
    """Return a stored ratio as a number."""
    return Fraction(*ratio)


def number(value: Fraction) -> str:
    """Return a value as a decimal string where it ends as one, as `a/b` where it doesn't."""
    try:
        exact = EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))
    except ArithmeticError:
        return str(value)
    return text(exact.normalize())

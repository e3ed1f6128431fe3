"""Cumulative rounding: what an order's component required so far, exactly, and what was committed of it."""

from decimal import Decimal
from math import lcm
from typing import NamedTuple

from gateway.domain.quantity import ZERO, Rounding, rounded

_new = tuple.__new__  # what a NamedTuple's own constructor comes to, without its call: made eight times a trigger


class RequirementKey(NamedTuple):
    """A component of an order at an operation, in the component's unit: another unit is another sum.

    `bom_line` is the line's number; of a phantom's component `0050/0010`, of an alternate with a share `0010:ITEM`,
    of an activity `activity:NAME`.
    """

    order: str
    operation: str
    bom_line: str
    uom: str


class Ratio(NamedTuple):
    """An exact quantity as two integers, the denominator above zero."""

    numerator: int
    denominator: int


NOTHING = Ratio(0, 1)


class Requirement(NamedTuple):  # a tuple: made for each line of each posting
    """R = numerator / denominator, the exact sum of requirements; C = committed by calculation.

    Both in the component's unit. N triggers sum exactly to the rounded requirement of the total,
    because each commits max(0, round(R) − C) and nothing is rounded twice. `once`: the fixed quantity and the
    setup scrap are in R already.
    """

    numerator: int = 0
    denominator: int = 1
    committed: Decimal = ZERO
    once: bool = False

    def draw(self, numerator: int, denominator: int, rounding: Rounding) -> "tuple[Decimal, Requirement]":
        """Require `numerator / denominator` more; return what is due, max(0, round(R) − C), and what results.

        Called inside `localcontext(EXACT)`, like everything that reckons with decimals by operators.
        """
        before, of, committed, once = self
        if denominator == of:
            total = before + numerator
        else:
            total, denominator = _sum(before, of, numerator, denominator)
        target = rounded(total, denominator, rounding)
        if target <= committed:
            return ZERO, _new(Requirement, (total, denominator, committed, once))
        return target - committed, _new(Requirement, (total, denominator, target, once))

    def add_once(self, numerator: int, denominator: int) -> "Requirement":
        """Return this with the quantity in R that is drawn once an order; unchanged where it is in already."""
        if self.once:
            return self
        total, of = _sum(self.numerator, self.denominator, numerator, denominator)
        return _new(Requirement, (total, of, self.committed, True))

    def give_back(self, required: Ratio, committed: Decimal, *, once: bool) -> "Requirement":
        """Return this without a reversed trigger's increments; `once`: the fixed part is among them."""
        total, of = _sum(self.numerator, self.denominator, -required.numerator, required.denominator)
        return _new(Requirement, (total, of, self.committed - committed, self.once and not once))


def _sum(numerator: int, denominator: int, more: int, of: int) -> tuple[int, int]:
    common = lcm(denominator, of)
    return numerator * (common // denominator) + more * (common // of), common

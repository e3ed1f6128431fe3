"""Cumulative rounding: what an order's component required so far, exactly, and what was committed of it."""

from decimal import Decimal
from math import lcm
from typing import NamedTuple

from gateway.domain.quantity import ZERO, Rounding, rounded

_new = tuple.__new__  # what a NamedTuple's own constructor comes to, without its call: made eight times a trigger


class RequirementKey(NamedTuple):
    """A component of an order at an operation, in the component's unit: another unit is another sum."""

    order: str
    operation: str
    bom_line: str
    uom: str


class Requirement(NamedTuple):  # a tuple: made for each line of each posting
    """R = numerator / denominator, the exact sum of requirements; C = committed by calculation.

    Both in the component's unit. N triggers sum exactly to the rounded requirement of the total,
    because each commits max(0, round(R) − C) and nothing is rounded twice.
    """

    numerator: int = 0
    denominator: int = 1
    committed: Decimal = ZERO

    def draw(self, numerator: int, denominator: int, rounding: Rounding) -> "tuple[Decimal, Requirement]":
        """Require `numerator / denominator` more; return what is due, max(0, round(R) − C), and what results.

        Called inside `localcontext(EXACT)`, like everything that reckons with decimals by operators.
        """
        before, of, committed = self
        if denominator == of:
            total = before + numerator
        else:
            total, denominator = _sum(before, of, numerator, denominator)
        target = rounded(total, denominator, rounding)
        if target <= committed:
            return ZERO, _new(Requirement, (total, denominator, committed))
        return target - committed, _new(Requirement, (total, denominator, target))


def _sum(numerator: int, denominator: int, more: int, of: int) -> tuple[int, int]:
    common = lcm(denominator, of)
    return numerator * (common // denominator) + more * (common // of), common

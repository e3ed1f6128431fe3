"""Cumulative rounding: what an order's component required so far, exactly, and what was committed of it."""

from dataclasses import dataclass
from decimal import Decimal
from math import lcm
from typing import NamedTuple

from gateway.domain.quantity import EXACT, ZERO, Rounding, rounded


class RequirementKey(NamedTuple):
    """A component of an order at an operation."""

    order: str
    operation: str
    bom_line: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """R = numerator / denominator, the exact sum of requirements; C = committed by calculation.

    Both in the component's unit. N triggers sum exactly to the rounded requirement of the total,
    because each commits max(0, round(R) − C) and nothing is rounded twice.
    """

    numerator: int = 0
    denominator: int = 1
    committed: Decimal = ZERO

    def grown(self, numerator: int, denominator: int) -> "Requirement":
        """Return this requirement with `numerator / denominator` more required."""
        if denominator == self.denominator:
            return Requirement(self.numerator + numerator, denominator, self.committed)
        common = lcm(self.denominator, denominator)
        total = self.numerator * (common // self.denominator) + numerator * (common // denominator)
        return Requirement(total, common, self.committed)

    def due(self, rounding: Rounding) -> Decimal:
        """Return max(0, round(R) − C): what has to be committed now."""
        return max(ZERO, EXACT.subtract(rounded(self.numerator, self.denominator, rounding), self.committed))

    def commit(self, quantity: Decimal) -> "Requirement":
        """Return this requirement with `quantity` more committed."""
        return Requirement(self.numerator, self.denominator, EXACT.add(self.committed, quantity))

"""Exact arithmetic for SQL: quantities are decimal strings, and SQLite's own sum() would make binary floats of them."""

import sqlite3
from decimal import Decimal
from fractions import Fraction

import orjson

from gateway.domain.quantity import EXACT, ZERO, text
from gateway.store.recipe import bill_shape

_FOUR = Decimal("0.0001")


class ExactSum:
    """exact_sum(quantity): the sum as a decimal string; of nothing it is '0'."""

    def __init__(self) -> None:
        self._sum = ZERO

    def step(self, quantity: str | None) -> None:
        """Add one row's."""
        if quantity is not None:
            self._sum = EXACT.add(self._sum, Decimal(quantity))

    def finalize(self) -> str:
        """Return the sum."""
        return text(self._sum)


class Merged:
    """merged(start, end): the union of [start, end) ranges as JSON; rows where either is NULL are left out."""

    def __init__(self) -> None:
        self._ranges: list[list[int]] = []

    def step(self, start: int | None, end: int | None) -> None:
        """Take one row's: most often it goes on where the last one ended."""
        if start is None or end is None:
            return
        last = self._ranges[-1] if self._ranges else None
        if last is not None and last[0] <= start <= last[1]:
            last[1] = max(last[1], end)
        else:
            self._ranges.append([start, end])

    def finalize(self) -> str:
        """Return the ranges, ascending."""
        return orjson.dumps(merge(self._ranges)).decode()


def merge(ranges: "list[list[int]]") -> list[list[int]]:
    """Return the union of [start, end) ranges, ascending, none touching another."""
    merged: list[list[int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return merged


def exact_difference(left: str | None, right: str | None) -> str | None:
    """Return left − right as a decimal string without trailing zeros; NULL where either is."""
    if left is None or right is None:
        return None
    return text(EXACT.subtract(Decimal(left), Decimal(right)).normalize(EXACT))


def exact_total(*quantities: str) -> str:
    """Return the sum of a row's quantities as a decimal string."""
    total = ZERO
    for one in quantities:
        total = EXACT.add(total, Decimal(one))
    return text(total)


def ratio(part: str | int | None, whole: str | int | None, times: int) -> str | None:
    """Return part ÷ whole × times as a decimal string of four digits; NULL where there is no whole.

    Both may be decimals or fractions (`63/10`). This is the only rounded figure: nothing is booked by it.
    """
    if part is None or whole is None or not Fraction(whole):
        return None
    exact = Fraction(part) / Fraction(whole) * times
    return format((Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(_FOUR), "f")


def register(connection: sqlite3.Connection) -> None:
    """Make the functions known to the connection; the views of migration 003 use them."""
    connection.create_aggregate("exact_sum", 1, ExactSum)  # type: ignore[arg-type]  # text, not the stub's int
    connection.create_aggregate("merged", 2, Merged)  # type: ignore[arg-type]  # text, not the stub's int
    connection.create_function("exact_difference", 2, exact_difference, deterministic=True)
    connection.create_function("exact_total", -1, exact_total, deterministic=True)
    connection.create_function("bill_shape", 4, bill_shape, deterministic=True)
    connection.create_function("ratio", 3, ratio, deterministic=True)

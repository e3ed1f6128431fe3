"""Which units of an order a count was: positions in millionths of the base unit, filled from zero, reversed first."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import NamedTuple

from gateway.domain.bom import BillOfMaterial, BomOperation
from gateway.domain.event import EventKind, Trigger
from gateway.domain.masterdata import MasterData

_MILLIONTHS = 1_000_000
_GOOD = frozenset(
    {EventKind.GOOD_UNITS, EventKind.CASE_SEALED, EventKind.OPERATION_COMPLETED, EventKind.WEIGHED},
)

Stretch = tuple[int, int]  # [start, end)


class Scale(NamedTuple):
    """How long units of an operation are: one it counts, one of the order, and one that a case of it holds."""

    unit: Fraction
    order_unit: int
    content: Fraction | None


class Filled(NamedTuple):
    """Where units went, and where the next ones stand then."""

    taken: tuple[Stretch, ...]
    next: int
    free: tuple[Stretch, ...]


@lru_cache(maxsize=256)  # asked for each trigger
def scale(master: MasterData, bom: tuple[str, str], operation: str) -> Scale | None:
    """Return the scale of an operation, None where the master data don't know it.

    The base unit is the largest of which whole numbers make one unit of each operation.
    """
    bill = master.boms.get(bom)
    found = bill.operation(operation) if bill else None
    if bill is None or found is None:
        return None
    order_unit = lcm(*(one.per_order_unit.numerator for one in bill.operations)) * _MILLIONTHS
    before = _reporting_point_before(bill, found)
    return Scale(order_unit / found.per_order_unit, order_unit, order_unit / before.per_order_unit if before else None)


def _reporting_point_before(bill: BillOfMaterial, operation: BomOperation) -> BomOperation | None:
    before = bill.operations[: bill.operations.index(operation)]
    return next((one for one in reversed(before) if one.reporting_point), None)


def length(of: Scale, trigger: Trigger, good: Decimal) -> int:
    """Return how long a trigger's `good` units (in the operation's unit) are, zero for what is no good unit."""
    event = trigger.event
    if event.kind not in _GOOD or good <= 0:
        return 0
    if event.kind is EventKind.WEIGHED:  # a weight varies, what was weighed is whole
        return max(1, round(Fraction(good) * of.unit / of.order_unit)) * of.order_unit
    if event.units is not None and of.content is not None:  # a case says what it holds
        return round(Fraction(event.units) * of.content)
    top, bottom = good.as_integer_ratio()
    whole, rest = divmod(top * of.unit.numerator, bottom * of.unit.denominator)
    return round(Fraction(good) * of.unit) if rest else whole


def fill(following: int, free: tuple[Stretch, ...], wanted: int) -> Filled:
    """Give `wanted` units their places: what was reversed and is free first, the rest from `following` on."""
    if not free:
        return Filled(((following, following + wanted),), following + wanted, ())
    taken: list[Stretch] = []
    left = list(free)
    while wanted and left:
        start, stop = left.pop(0)
        cut = min(stop, start + wanted)
        taken.append((start, cut))
        wanted -= cut - start
        if cut < stop:
            left.insert(0, (cut, stop))
    if wanted:
        taken.append((following, following + wanted))
    return Filled(tuple(taken), following + wanted, tuple(left))


def freed(free: tuple[Stretch, ...], more: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Return the free stretches with `more` of them, ascending; those that touch are one."""
    merged: list[Stretch] = []
    for start, end in sorted((*free, *more)):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return tuple(merged)


def newest(stretches: Sequence[Stretch], wanted: int) -> tuple[Stretch, ...]:
    """Return the last `wanted` units of the stretches (ascending, as they were filled): what a reversal takes first."""
    taken: list[Stretch] = []
    for start, end in reversed(stretches):
        cut = min(wanted, end - start)
        if cut:
            taken.append((end - cut, end))
            wanted -= cut
    return tuple(reversed(taken))


def union(one: Stretch | None, other: Stretch | None) -> Stretch | None:
    """Return the stretch from the first unit of both to the last, None where neither has any."""
    if one is None or other is None:
        return one or other
    return min(one[0], other[0]), max(one[1], other[1])

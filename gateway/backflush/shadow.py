"""What another BOM version or rule would have committed beside the live one: exploded and rounded, never allocated."""

from collections.abc import Callable
from datetime import datetime
from decimal import localcontext
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from gateway.backflush.due import physical
from gateway.backflush.explode import PlannedComponent, PlannedOperation, explode
from gateway.domain.bom import BillOfMaterial, Method
from gateway.domain.event import EventKind, Trigger
from gateway.domain.masterdata import MasterData
from gateway.domain.material import Units
from gateway.domain.quantity import EXACT, nearest, rounded
from gateway.domain.requirement import Requirement, RequirementKey
from gateway.domain.versions import since
from gateway.errors import DataError

RequirementOf = Callable[[RequirementKey], Requirement]


class Shadowed(NamedTuple):
    """What a component's requirement would be after the trigger."""

    key: RequirementKey
    item: str
    requirement: Requirement


def shadowed(
    master: MasterData, bom: BillOfMaterial, trigger: Trigger, requirement: RequirementOf, part: Fraction
) -> tuple[Shadowed, ...]:
    """Return what `part` of the trigger would have drawn by `bom` (below zero: what its reversal gives back).

    Nothing where that can't be said: a shadow blocks nobody. `requirement` gives what it would have required and
    committed so far.
    """
    if trigger.event.kind is EventKind.LOT_ISSUED or trigger.order not in master.orders:
        return ()
    with localcontext(EXACT):
        try:
            plan = _plan(master, trigger.order, bom, trigger.operation, since(master, trigger.event.source_time))
            return _drawn(master.units, plan, trigger, requirement, part) if plan else ()
        except DataError:
            return ()


@lru_cache(maxsize=256)
def _plan(
    master: MasterData, order: str, bom: BillOfMaterial, operation_number: str, at: datetime
) -> PlannedOperation | None:
    operation = bom.operation(operation_number)
    return explode(master, master.orders[order], bom, operation, at) if operation else None


def _drawn(
    units: Units, plan: PlannedOperation, trigger: Trigger, requirement: RequirementOf, part: Fraction
) -> tuple[Shadowed, ...]:
    event, unit = trigger.event, plan.operation.unit
    counted = Fraction(event.quantity) * units.factor(plan.order.item, event.uom or unit, unit) * part
    kinds = {EventKind.SCRAP_UNITS: plan.scrap, EventKind.REWORK_UNITS: plan.rework}
    found = []
    for one in kinds.get(event.kind, plan.good):
        before = requirement(one.key)
        if one.component.method is Method.MEASURED:
            quantity, uom = physical(units, one, event.quantity, event.uom or unit)
            own = Fraction(quantity) * units.factor(one.item, uom, one.component.uom)
            after = _measured(own * part, before)
        else:
            after = _calculated(one, counted, before)
        found.append(Shadowed(one.key, one.item, after))
    return tuple(found)


def _calculated(planned: PlannedComponent, counted: Fraction, before: Requirement) -> Requirement:
    start = before.add_once(*planned.once) if counted > 0 and planned.once.numerator else before
    rounding = planned.component.rounding
    top, bottom = planned.numerator * counted.numerator, planned.denominator * counted.denominator
    after = start.draw(top, bottom, rounding)[1]
    if counted < 0:  # a draw never commits less; what is given back does
        after = after._replace(committed=rounded(after.numerator, after.denominator, rounding))
    return after


def _measured(quantity: Fraction, before: Requirement) -> Requirement:
    """Return the requirement with what was measured: that is what was required."""
    committed = before.committed + nearest(quantity)
    return Requirement(*committed.as_integer_ratio(), committed)

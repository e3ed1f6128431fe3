"""What another BOM version or rule would have committed beside the live one: exploded and rounded, never allocated."""

from collections.abc import Callable
from datetime import datetime
from decimal import localcontext
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from gateway.backflush.due import physical
from gateway.backflush.explode import PlannedComponent, PlannedOperation, explode
from gateway.backflush.versions import since
from gateway.domain.bom import BillOfMaterial, Method
from gateway.domain.event import EventKind, Trigger
from gateway.domain.masterdata import MasterData
from gateway.domain.material import Units
from gateway.domain.quantity import EXACT, exact
from gateway.domain.requirement import Requirement, RequirementKey
from gateway.errors import DataError

RequirementOf = Callable[[RequirementKey], Requirement]


class Shadowed(NamedTuple):
    """What a component's requirement would be after the trigger."""

    key: RequirementKey
    item: str
    requirement: Requirement


def shadowed(
    master: MasterData, bom: BillOfMaterial, trigger: Trigger, requirement: RequirementOf
) -> tuple[Shadowed, ...]:
    """Return what the trigger would have drawn by `bom`, nothing where that can't say: a shadow blocks nobody.

    `requirement` gives what it would have required and committed so far.
    """
    if trigger.event.kind is EventKind.LOT_ISSUED or trigger.order not in master.orders:
        return ()
    with localcontext(EXACT):
        try:
            plan = _plan(master, trigger.order, bom, trigger.operation, since(master, trigger.event.source_time))
            return _drawn(master.units, plan, trigger, requirement) if plan else ()
        except DataError:
            return ()


@lru_cache(maxsize=256)
def _plan(
    master: MasterData, order: str, bom: BillOfMaterial, operation_number: str, at: datetime
) -> PlannedOperation | None:
    operation = bom.operation(operation_number)
    return explode(master, master.orders[order], bom, operation, at) if operation else None


def _drawn(units: Units, plan: PlannedOperation, trigger: Trigger, requirement: RequirementOf) -> tuple[Shadowed, ...]:
    event, unit = trigger.event, plan.operation.unit
    factor = units.factor(plan.order.item, event.uom or unit, unit)
    counted = Fraction(event.quantity) * factor
    kinds = {EventKind.SCRAP_UNITS: plan.scrap, EventKind.REWORK_UNITS: plan.rework}
    return tuple(
        Shadowed(
            one.key,
            one.item,
            _measured(units, plan, one, trigger, requirement(one.key))
            if one.component.method is Method.MEASURED
            else _calculated(one, counted, requirement(one.key)),
        )
        for one in kinds.get(event.kind, plan.good)
    )


def _calculated(planned: PlannedComponent, counted: Fraction, before: Requirement) -> Requirement:
    start = before.add_once(*planned.once) if counted and planned.once.numerator else before
    rounding = planned.component.rounding
    return start.draw(planned.numerator * counted.numerator, planned.denominator * counted.denominator, rounding)[1]


def _measured(
    units: Units, plan: PlannedOperation, planned: PlannedComponent, trigger: Trigger, before: Requirement
) -> Requirement:
    """Return the requirement with what was measured; its requirement is what was committed."""
    event, own = trigger.event, planned.component.uom
    quantity, uom = physical(units, planned, event.quantity, event.uom or plan.operation.unit)
    committed = before.committed + exact(Fraction(quantity) * units.factor(planned.item, uom, own))
    return Requirement(*committed.as_integer_ratio(), committed)

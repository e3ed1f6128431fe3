"""How much of a component a trigger takes: calculated, measured, or as an operator entered it."""

from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from gateway.backflush.draft import Draft
from gateway.backflush.explode import PlannedComponent
from gateway.domain.bom import Method
from gateway.domain.material import Units
from gateway.domain.quantity import nearest, text
from gateway.domain.requirement import NOTHING, Ratio, Requirement
from gateway.domain.use import Use
from gateway.errors import DataError


class Standard(NamedTuple):
    """What would have been due where an operator entered another quantity."""

    quantity: Decimal
    uom: str


class Due(NamedTuple):
    """`quantity` in `uom` (the component's; for what was weighed also the stock's), and where it comes from."""

    quantity: Decimal
    uom: str
    before: Requirement
    required: Ratio = NOTHING
    once: Ratio = NOTHING
    calculated: bool = False
    standard: Standard | None = None


def due(draft: Draft, planned: PlannedComponent) -> Due:
    """Return what is due of the component, and note what that makes of its requirement."""
    entered = draft.edited.get(planned.key.bom_line)
    if planned.component.method is Method.MEASURED:
        result, after = _measured(draft, planned), None
    else:
        result, after = _calculated(draft, planned)
    if entered is not None:
        return _entered(draft, planned, entered, result)
    if after is not None:
        draft.changes.requirements[planned.key] = after
    return result


def physical(units: Units, planned: PlannedComponent, quantity: Decimal, uom: str) -> tuple[Decimal, str]:
    """Return a weighed or scanned quantity in the component's unit, or the stock's where it was given in that.

    What was weighed in the stock's unit isn't converted at all: a factor would only move away from the truth.
    """
    own, stock = planned.component.uom, planned.supplies[0].uom
    if uom in ("", own, stock):
        return quantity, uom or own
    try:
        factor = units.factor(planned.item, uom, own)
    except DataError:
        factor, own = units.factor(planned.item, uom, stock), stock
    return nearest(Fraction(quantity) * factor), own


def _measured(draft: Draft, planned: PlannedComponent) -> Due:
    uom = draft.event.uom or draft.plan.operation.unit
    quantity, uom = physical(draft.master.units, planned, draft.event.quantity, uom)
    return Due(quantity, uom, draft.state.requirement(planned.key))


def _calculated(draft: Draft, planned: PlannedComponent) -> tuple[Due, Requirement]:
    before = draft.state.requirement(planned.key)
    once = NOTHING if before.once or not draft.counted else planned.once
    required = Ratio(draft.top * planned.numerator, draft.bottom * planned.denominator)
    start = before.add_once(*once) if once.numerator else before
    quantity, after = start.draw(*required, planned.component.rounding)
    return Due(quantity, planned.component.uom, before, required, once, calculated=True), after


def _entered(draft: Draft, planned: PlannedComponent, quantity: Decimal, standard: Due) -> Due:
    component = planned.component
    sheet = draft.issues if component.use is Use.CONSUMED else draft.main
    sheet.deviate(
        "edited",
        f"{planned.item} (BOM line {planned.key.bom_line}): {draft.event.person} entered "
        f"{text(quantity)} {component.uom}, the standard is {text(standard.quantity)} {standard.uom}",
    )
    return Due(quantity, component.uom, standard.before, standard=Standard(standard.quantity, standard.uom))

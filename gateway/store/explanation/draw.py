"""What a trigger drew of a component: by which formula, with which remainder, from which lots, and why from those."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from gateway.domain.document import Considered, Draw, Link, Pick
from gateway.domain.event import Trigger
from gateway.domain.quantity import EXACT, Rounding, rounded, text
from gateway.domain.requirement import Requirement
from gateway.errors import DataError
from gateway.store.explanation.evidence import Evidence
from gateway.store.explanation.written import fraction, number
from gateway.store.formula import Formula, formula

Json = dict[str, Any]

CALCULATED = "calculated"
MIRRORED = "mirrored"  # by a reversal: what was posted, never exploded again
BACKLOG = "backlog"  # what was short when the trigger posted


def drawn(found: Evidence, trigger: Trigger, link: Link, draw: Draw) -> Json:
    """Return everything about a draw; the formula only where this document calculated by it."""
    how = _how(found, trigger, draw)
    rule = _formula(found, trigger, draw) if how == CALCULATED else None
    before, required, once = _required(draw.before), fraction(draw.required), fraction(draw.once)
    changes = draw.calculated and how != BACKLOG  # a backlog was committed when its trigger posted
    after = before + required + once if changes else before
    committed = EXACT.add(draw.before.committed, draw.due) if changes else draw.before.committed
    return {
        "bom_line": draw.key.bom_line,
        "item": draw.item,
        "uom": draw.key.uom,
        "how": how,
        "formula": rule and _written(rule, found.counted(link), draw.key.uom),
        "required": number(required),
        "once": number(once),
        "before": {"required": number(before), "committed": text(draw.before.committed)},
        "after": {"required": number(after), "committed": text(committed)},
        "rounding": rule and _rounding(rule.rounding),
        "rounded": rule and _rounded(after, rule.rounding),
        "due": text(draw.due),
        "owed": text(found.owed(trigger.id, draw.key)) if how == BACKLOG else None,
        "backlog": text(draw.backlog),
        "remainder": number(after - Fraction(committed)) if draw.calculated else None,
        "picks": [_pick(found, draw, one) for one in draw.picks],
        "considered": [_considered(one) for one in draw.considered],
    }


def _formula(found: Evidence, trigger: Trigger, draw: Draw) -> Formula | None:
    if found.recipe is None or found.order is None:
        return None
    return formula(found.recipe, found.order, draw.key, trigger.operation, trigger.event.source_time)


def _how(found: Evidence, trigger: Trigger, draw: Draw) -> str:
    """Return where a draw's quantity comes from."""
    if found.posting.reverses is not None:
        return MIRRORED
    if found.owed(trigger.id, draw.key):
        return BACKLOG
    if draw.calculated:
        return CALCULATED
    if draw.key.bom_line in dict(trigger.event.edited):
        return "entered"
    methods = {found.body["lines"][one.line].get("method") for one in draw.picks}
    return next((one for one in methods if one), "not calculated")


def _considered(one: Considered) -> Json:
    return {
        "lot": one.lot.lot,
        "location": one.lot.location,
        "owner": {"kind": one.lot.owner.kind, "name": one.lot.owner.name},
        "item": one.lot.item,
        "left": text(one.left),
        "taken": text(one.taken),
        "why": one.why,
    }


def _written(rule: Formula, units: Decimal, uom: str) -> Json:
    per_unit = rule.per_unit
    product = " × ".join(one.text for one in rule.factors)
    return {
        "factors": [{"name": one.name, "value": number(one.value)} for one in rule.factors],
        "per_unit": number(per_unit),
        "once": number(rule.once),
        "text": f"{product} = {number(per_unit)} {uom} a unit; {text(units)} × {number(per_unit)}"
        f" = {number(Fraction(units) * per_unit)} {uom}",
        "once_text": rule.once_text and f"{rule.once_text} {uom} once an order",
    }


def _required(before: Requirement) -> Fraction:
    return Fraction(before.numerator, before.denominator)


def _rounding(rule: Rounding) -> Json:
    multiple = None if rule.multiple is None else text(rule.multiple)
    return {"decimals": rule.decimals, "mode": rule.mode.value, "multiple": multiple}


def _rounded(requirement: Fraction, rule: Rounding) -> str | None:
    try:
        return text(rounded(requirement.numerator, requirement.denominator, rule))
    except DataError:  # exact was asked for, and a reversal's part never ends
        return None


def _pick(found: Evidence, draw: Draw, pick: Pick) -> Json:
    line = found.body["lines"][pick.line]
    factor = Fraction(pick.quantity) / Fraction(pick.component) if pick.component else Fraction(1)
    return {
        "line": pick.line + 1,
        "lot": line["lot"],
        "location": line["location"],
        "component": text(pick.component),
        "component_uom": draw.key.uom,
        "factor": number(factor),
        "quantity": text(pick.quantity),
        "uom": line["uom"],
    }

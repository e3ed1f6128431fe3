"""Shadows: BOM versions and rules on trial, calculated beside what posts; the difference is what they are tried for."""

from fractions import Fraction

from gateway.backflush.shadow import shadowed
from gateway.domain.bom import BillOfMaterial
from gateway.domain.event import Event, Trigger
from gateway.domain.requirement import Requirement, RequirementKey
from gateway.domain.versions import bom_version
from gateway.pipeline.working_copy import WorkingCopy
from gateway.store.batch import ShadowKey, ShadowTotal
from gateway.triggers.attribute import fire

_WHOLE = Fraction(1)


def beside(work: WorkingCopy, trigger: Trigger, part: Fraction = _WHOLE) -> None:
    """Add what a posted trigger would have drawn by the shadows of its order's BOM and of its signal's rule.

    `part` below zero takes so much of it back: it was reversed.
    """
    master = work.model.master
    order = master.orders.get(trigger.order)
    for bom in master.boms.values():
        if bom.shadow and order is not None and bom.bom == order.bom:
            _add(work, bom, trigger, f"BOM {bom.version}", part)
    tried(work, trigger.event, trigger.line, part)


def tried(work: WorkingCopy, event: Event, line: str, part: Fraction = _WHOLE) -> bool:
    """Add what the signal's shadow rules would have drawn for the event; tell whether there are any."""
    rules = work.model.shadow_rules.get(event.signal, ())
    active = work.active_order(line, event.source_time) if rules else None
    for rule in rules:
        trigger = fire(rule, event._replace(kind=rule.event), trigger_id=0, line=line, active=active)
        if bom := _live_bom(work, trigger):
            _add(work, bom, trigger, f"rule {rule.rule}", part)
    return bool(rules)


def _live_bom(work: WorkingCopy, trigger: Trigger) -> BillOfMaterial | None:
    master = work.model.master
    order = master.orders.get(trigger.order)
    if order is None:
        return None
    version = bom_version(master, order, work.order_state(order.order), trigger.event.source_time)
    return master.boms.get((order.bom, version or ""))


def _add(work: WorkingCopy, bom: BillOfMaterial, trigger: Trigger, source: str, part: Fraction) -> None:
    def before(key: RequirementKey) -> Requirement:
        total = work.shadows.get(ShadowKey(key, source))
        return total.requirement if total else Requirement()

    for one in shadowed(work.model.master, bom, trigger, before, part):
        work.shadows[ShadowKey(one.key, source)] = ShadowTotal(one.item, one.requirement)

"""From an event to a trigger: which order and operation the units belong to."""

from gateway.domain.event import Event, Trigger
from gateway.domain.rule import TriggerRule

NO_ORDER = ""  # the trigger waits: neither the device nor the line names an order


def fire(rule: TriggerRule, event: Event, *, trigger_id: int, line: str, active: str | None) -> Trigger:
    """Return the rule's trigger for the event; `active` is the line's order where the device names none."""
    order = event.order or (active if rule.fallback_active else None) or NO_ORDER
    return Trigger(trigger_id, event, rule.rule, rule.version, line, order, rule.operation)

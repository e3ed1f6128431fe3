"""What has to be true of the line before a trigger may post; one that breaks a rule waits and loses nothing.

`No stage` and `no lot scan` are asked for each component, by the engine.
"""

from gateway.backflush.outcome import Blocked
from gateway.domain.clock import UNTRUSTED
from gateway.domain.event import Trigger
from gateway.domain.exception import ExceptionKind
from gateway.domain.versions import bom_version
from gateway.pipeline import work_list
from gateway.pipeline.working_copy import WorkingCopy


def broken(work: WorkingCopy, trigger: Trigger) -> Blocked | None:
    """Return the first rule that the trigger breaks now, None where it may post."""
    for rule in _RULES:
        if blocked := rule(work, trigger):
            return blocked
    return None


def _activated(work: WorkingCopy, trigger: Trigger) -> Blocked | None:
    del trigger  # no trigger may post
    model = work.model
    if model.activated:
        return None
    return Blocked("not-activated", f"configuration {model.configuration} takes effect once somebody has signed it")


def _clock_trusted(work: WorkingCopy, trigger: Trigger) -> Blocked | None:
    del trigger  # its own times are kept; what can't be said is when it is posted
    clock = work.place.clock
    return Blocked("clock", clock.reason) if clock.trust == UNTRUSTED else None


def _line_cleared(work: WorkingCopy, trigger: Trigger) -> Blocked | None:
    line, order = work.model.master.lines.get(trigger.line), trigger.order
    if line is None or not line.line_clearance or not order:
        return None
    state = work.line_state(trigger.line)
    if work_list.open_for(work, ExceptionKind.CLEARANCE, (trigger.line, order)) is None:
        known = {state.cleared, *(one.order for one in state.orders), work.model.active_orders.get(trigger.line)}
        if order in known:
            return None
    return Blocked("line-clearance", f"line {trigger.line} was not cleared for order {order}")


def _label_approved(work: WorkingCopy, trigger: Trigger) -> Blocked | None:
    master = work.model.master
    order, past = master.orders.get(trigger.order), work.order_state(trigger.order)
    if order is None or past.label_approved:
        return None
    bom = master.boms.get((order.bom, bom_version(master, order, past, trigger.event.source_time) or ""))
    operation = bom.operation(trigger.operation) if bom else None
    if operation is None or not operation.label_approval:
        return None
    return Blocked("label", f"the label of order {order.order} is not approved: nothing is packed before it is")


_RULES = (_activated, _clock_trusted, _line_cleared, _label_approved)

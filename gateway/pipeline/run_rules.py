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

NOT_CLEARED = "line-clearance"  # the code of what waits until somebody cleared the line


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


def _baseline_signed(work: WorkingCopy, trigger: Trigger) -> Blocked | None:
    signal = trigger.event.signal
    baseline = work.baselines.get(signal) if work.model.regulated else None
    if baseline is None or baseline.signed_by:
        return None
    told = f"gateway sign-baseline CONFIG_DIR {signal} --value {baseline.value}"
    return Blocked("baseline", f"nobody has signed that {signal} began at {baseline.value}: `{told}`")


def _clock_trusted(work: WorkingCopy, trigger: Trigger) -> Blocked | None:
    del trigger  # its own times are kept; what can't be said is when it is posted
    clock = work.place.clock
    return Blocked("clock", clock.reason) if clock.trust == UNTRUSTED else None


def _line_cleared(work: WorkingCopy, trigger: Trigger) -> Blocked | None:
    master, order = work.model.master, trigger.order
    line = master.lines.get(trigger.line)
    if line is None or not line.line_clearance or order not in master.orders:
        return None
    asked = work_list.open_for(work, ExceptionKind.CLEARANCE, (trigger.line, order))
    if asked is None and _changed_over(work, trigger):
        return None
    return Blocked(NOT_CLEARED, f"line {trigger.line} was not cleared for order {order}")


def _changed_over(work: WorkingCopy, trigger: Trigger) -> bool:
    """Tell whether the line was on the trigger's order at its time.

    A machine that names the order changes over by itself: after the first clearance only the order that was cleared
    last counts, even where it is a former one again. Orders that are started ask for clearance at their start.
    """
    event, state = trigger.event, work.line_state(trigger.line)
    cleared = state.cleared_at(event.source_time)
    if event.order and not event.person and cleared is not None:
        return cleared == trigger.order
    known = {one.order for one in (*state.orders, *state.cleared)}
    return trigger.order in known or trigger.order == work.model.active_orders.get(trigger.line)


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


_RULES = (_activated, _baseline_signed, _clock_trusted, _line_cleared, _label_approved)

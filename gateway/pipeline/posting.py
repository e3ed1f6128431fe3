"""From an event to its posting, or to its place behind whatever blocks it."""

from dataclasses import replace
from decimal import Decimal

from gateway.backflush.issue import Blocked
from gateway.backflush.step import Posted, step
from gateway.domain.event import Event, EventKind, Trigger
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.quantity import ZERO
from gateway.pipeline import work_list
from gateway.pipeline.model import Point
from gateway.pipeline.working_copy import WorkingCopy
from gateway.triggers.attribute import fire


def book(work: WorkingCopy, point: Point, event: Event, verdict: str, content: str | None = None) -> None:
    """Write the event down and post its trigger; where it may not post, it waits with the exact reason."""
    event_id = work.add_event(event, verdict, content)
    if point.rule is None:
        hold_event(work, event, "no-rule", f"{event.signal} has no trigger rule")
        return
    active = work.model.active_orders.get(point.line)
    trigger = fire(point.rule, event, trigger_id=work.ids.trigger, line=point.line, active=active)
    work.ids.trigger += 1
    scope = (trigger.order, trigger.operation)
    if work_list.open_for(work, ExceptionKind.TRIGGER, scope):  # order is kept: nothing overtakes what waits
        outcome: Posted | Blocked = Blocked("behind", "")
    else:
        outcome = step(work, work.model.master, trigger)
    if isinstance(outcome, Posted):
        seq = work.add_posting(outcome.posting, outcome.changes)
        work.add_trigger(event_id, trigger, seq, None)
        good, scrap = _split(event)
        work.tally(event.signal, event.uom, counted=event.quantity, posted=good, scrapped=scrap)
    else:
        _wait(work, event_id, trigger, outcome)


def hold_event(work: WorkingCopy, event: Event, code: str, reason: str, detail: str = "") -> None:
    """Count the event's units as held by an exception of their own; a person settles them."""
    work_list.enter(
        work,
        ExceptionKind.COUNTER,
        event.signal,
        code=code,
        reason=reason,
        quantity=event.quantity,
        uom=event.uom,
        at=event.received_time,
        detail=detail,
    )
    work.tally(event.signal, event.uom, counted=event.quantity, held=event.quantity)


def retry(work: WorkingCopy, record: ExceptionRecord, triggers: list[Trigger]) -> bool:
    """Post the exception's oldest triggers in event order; False when one still waits, with its reason renewed."""
    for trigger in triggers:
        outcome = step(work, work.model.master, trigger)
        if isinstance(outcome, Blocked):
            _renew(work, record, trigger, outcome)
            return False
        seq = work.add_posting(outcome.posting, outcome.changes)
        work.rows.released.append((trigger.id, seq))
        record = work_list.shorten(work, record, trigger.event.quantity, closed="posted")
        event, (good, scrap) = trigger.event, _split(trigger.event)
        work.tally(event.signal, event.uom, held=-event.quantity, posted=good, scrapped=scrap)
    return True


def _wait(work: WorkingCopy, event_id: int, trigger: Trigger, blocked: Blocked) -> None:
    event = trigger.event
    entry = work_list.enter(
        work,
        ExceptionKind.TRIGGER,
        (trigger.order, trigger.operation),
        code=blocked.code,
        reason=blocked.reason,
        quantity=event.quantity,
        uom=event.uom,
        at=event.source_time,
    )
    work.add_trigger(event_id, trigger, None, entry.id)
    work.tally(event.signal, event.uom, counted=event.quantity, held=event.quantity)


def _renew(work: WorkingCopy, record: ExceptionRecord, trigger: Trigger, blocked: Blocked) -> None:
    renewed = replace(record, code=blocked.code, reason=blocked.reason, first_event=trigger.event.source_time)
    if renewed != record:
        work.exceptions[record.id] = renewed
        work.must_commit = True


def _split(event: Event) -> tuple[Decimal, Decimal]:
    return (ZERO, event.quantity) if event.kind is EventKind.SCRAP_UNITS else (event.quantity, ZERO)

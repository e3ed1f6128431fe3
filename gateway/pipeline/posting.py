"""From an event to its documents, or to its place behind whatever blocks it."""

from dataclasses import replace
from decimal import Decimal

from gateway.backflush.outcome import Blocked, Booked
from gateway.backflush.step import step
from gateway.domain.event import Event, EventKind, Trigger
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.line import Cumulation
from gateway.domain.quantity import ZERO
from gateway.pipeline import backlogs, documents, run_rules, shadowing, spans, work_list
from gateway.pipeline.model import LineModel, Point
from gateway.pipeline.working_copy import WorkingCopy
from gateway.triggers.attribute import fire


def book(work: WorkingCopy, point: Point, event: Event, verdict: str, content: str | None = None) -> None:
    """Write the event down and post its trigger; where it may not post, it waits with the exact reason."""
    event_id = work.add_event(event, verdict, content)
    if point.rule is None:
        if not shadowing.tried(work, event, point.line):
            hold_event(work, event, "no-rule", f"{event.signal} has no trigger rule")
        return
    active = work.active_order(point.line, event.source_time)
    trigger = fire(point.rule, event, trigger_id=work.ids.trigger, line=point.line, active=active)
    work.ids.trigger += 1
    scope = (trigger.order, trigger.operation)
    if work_list.open_for(work, ExceptionKind.TRIGGER, scope):  # order is kept: nothing overtakes what waits
        outcome: Booked | Blocked = Blocked("behind", "")
    else:
        outcome = _outcome(work, trigger)
    if isinstance(outcome, Booked):
        document = _enter(work, trigger, outcome, point.rule.cumulate)
        work.add_trigger(event_id, trigger, document, None)
        _tally(work, event, counted=event.quantity)
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
        outcome = _outcome(work, trigger)
        if isinstance(outcome, Blocked):
            _renew(work, record, trigger, outcome)
            return False
        document = _enter(work, trigger, outcome, _cumulation(work.model, trigger))
        work.rows.released.append((trigger.id, document))
        record = work_list.shorten(work, record, trigger.event.quantity, closed="posted")
        _tally(work, trigger.event, held=-trigger.event.quantity)
    return True


def _outcome(work: WorkingCopy, trigger: Trigger) -> Booked | Blocked:
    return run_rules.broken(work, trigger) or step(work, work.model.master, trigger)


def _cumulation(model: LineModel, trigger: Trigger) -> Cumulation | None:
    """Return how the trigger's rule cumulates now; a rule that is gone posts what it held one by one."""
    point = model.points.get(trigger.event.signal)
    return point.rule.cumulate if point and point.rule and point.rule.rule == trigger.rule else None


def _enter(work: WorkingCopy, trigger: Trigger, booked: Booked, cumulate: Cumulation | None) -> int:
    """Put what a trigger books into its documents, with everything that follows; return the main document's id."""
    work.take_over(booked.changes)
    reach = spans.assign(work, booked.bookings[0])
    main = last = documents.enter(work, booked.bookings[0], cumulate, None, reach)
    for booking in booked.bookings[1:]:
        last = documents.enter(work, booking, None, main, reach)
    if booked.backlogs:
        backlogs.owe(work, booked, last)
    for code, said, owner in booked.alerts:
        work_list.enter(
            work,
            ExceptionKind.ALERT,
            (trigger.order, trigger.operation),
            code=code,
            reason=said,
            quantity=ZERO,
            uom="",
            at=trigger.event.source_time,
            owner=owner,
        )
    shadowing.beside(work, trigger)
    return main


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
    if event.kind is not EventKind.LOT_ISSUED:
        work.tally(event.signal, event.uom, counted=event.quantity, held=event.quantity)


def _renew(work: WorkingCopy, record: ExceptionRecord, trigger: Trigger, blocked: Blocked) -> None:
    renewed = replace(record, code=blocked.code, reason=blocked.reason, first_event=trigger.event.source_time)
    if renewed != record:
        work.exceptions[record.id] = renewed
        work.must_commit = True


def _tally(work: WorkingCopy, event: Event, *, counted: Decimal = ZERO, held: Decimal = ZERO) -> None:
    """Add a posted event's units to its signal's totals; a lot that was scanned and issued counts none."""
    if event.kind is EventKind.LOT_ISSUED:
        return
    if event.kind is EventKind.SCRAP_UNITS:
        work.tally(event.signal, event.uom, counted=counted, held=held, scrapped=event.quantity)
    else:
        work.tally(event.signal, event.uom, counted=counted, held=held, posted=event.quantity)

"""From an event to its documents, or to its place behind whatever blocks it."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import orjson

from gateway.backflush.outcome import Blocked, Booked
from gateway.backflush.step import step
from gateway.domain.clock import rfc3339
from gateway.domain.event import Event, EventKind, Trigger
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.line import Cumulation
from gateway.domain.quantity import ZERO, text
from gateway.domain.rule import TriggerRule
from gateway.pipeline import backlogs, documents, line_orders, run_rules, shadowing, spans, work_list
from gateway.pipeline.model import LineModel, Point
from gateway.pipeline.working_copy import WorkingCopy
from gateway.triggers.attribute import NO_ORDER, fire


def book(work: WorkingCopy, point: Point, event: Event, verdict: str, content: str | None = None) -> None:
    """Write the event down and post its trigger; where it may not post, it waits with the exact reason."""
    if point.rule is None:
        _book_without_rule(work, point, event, verdict, content)
        return
    event_id = work.add_event(event, verdict, content)
    active = work.active_order(point.line, event.source_time)
    trigger = fire(point.rule, event, trigger_id=work.ids.trigger, line=point.line, active=active)
    work.ids.trigger += 1
    if work_list.open_for(work, ExceptionKind.TRIGGER, waits_in(trigger)):
        # Order is kept: nothing overtakes what waits.
        outcome: Booked | Blocked = Blocked("behind", "")
    else:
        outcome = _outcome(work, trigger)
    if isinstance(outcome, Booked):
        document = _enter(work, trigger, outcome, point.rule.cumulate)
        work.add_trigger(event_id, trigger, document, None)
        _tally(work, event, counted=event.quantity)
    else:
        _wait(work, event_id, trigger, outcome)


def _book_without_rule(work: WorkingCopy, point: Point, event: Event, verdict: str, content: str | None) -> None:
    """Give the event to the rules on trial; where there is none either, its units are held."""
    if shadowing.tried(work, event, point.line):
        work.add_event(event._replace(kind=EventKind.TRIED), verdict, content)
        return
    counted = event._replace(kind=point.kind)
    work.add_event(counted, verdict, content)
    hold_event(work, counted, "no-rule", f"{event.signal} has no trigger rule")


def about(event: Event) -> dict[str, Any]:
    """Return what the entry that holds an event keeps of it for whoever settles it."""
    kept = {"key": event.key, "order": event.order, "at": rfc3339(event.source_time)}
    if event.sscc is not None:
        kept |= {"sscc": event.sscc, "units": None if event.units is None else text(event.units)}
    if event.temperature is not None:
        kept |= {"temperature": text(event.temperature)}
    return kept


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
        detail=detail or orjson.dumps(about(event)).decode(),
    )
    work.tally(event.signal, event.uom, counted=event.quantity, held=event.quantity)


@dataclass(slots=True)
class Tried:
    """What a retry of an entry came to so far: what posted, which scopes wait, what the entry's first one waits for."""

    posted: int = 0
    scopes: set[tuple[str, str]] = field(default_factory=set)
    first: tuple[Trigger, Blocked] | None = None


def retry(work: WorkingCopy, record: ExceptionRecord, triggers: Iterable[Trigger], tried: Tried) -> bool:
    """Post an entry's next triggers in event order; False when one still waits, and holds up what is behind it.

    Where they had no order, one that still has none holds up nobody, and one that has one by now only its own.
    """
    ordered = record.scope[0] != NO_ORDER
    for trigger in (attributed(work, one) for one in triggers):
        if trigger.order == NO_ORDER and tried.first is not None:
            continue  # its reason wouldn't be told
        outcome = _behind(work, record, trigger, tried.scopes) or _outcome(work, trigger)
        if isinstance(outcome, Blocked):
            tried.scopes.add((trigger.order, trigger.operation))
            tried.first = tried.first or (trigger, outcome)
            if ordered:
                return False
            continue
        document = _enter(work, trigger, outcome, _cumulation(work.model, trigger))
        work.rows.released.append((trigger.id, document, trigger.order))
        record = work_list.shorten(work, record, units_held(trigger.event), closed="posted")
        _tally(work, trigger.event, held=-trigger.event.quantity)
        tried.posted += 1
    return True


def renew(work: WorkingCopy, record: ExceptionRecord, tried: Tried) -> None:
    """Let the entry say what the first of those that still wait waits for."""
    if tried.first is None:
        return
    trigger, blocked = tried.first
    renewed = replace(record, code=blocked.code, reason=blocked.reason, first_event=trigger.event.source_time)
    if renewed != record:
        work.exceptions[record.id] = renewed
        work.must_commit = True


def _behind(
    work: WorkingCopy, record: ExceptionRecord, trigger: Trigger, waiting: Container[tuple[str, str]]
) -> Blocked | None:
    """Return why a trigger that got its order only now has to wait still: others of that order wait before it."""
    if record.scope[0] != NO_ORDER or trigger.order == NO_ORDER:
        return None
    if waits_in(trigger) in waiting:
        return Blocked("behind", "")
    before = work_list.open_for(work, ExceptionKind.TRIGGER, waits_in(trigger))
    if before is None:
        return None
    return Blocked("behind", f"order {trigger.order} operation {trigger.operation} waits: see exception {before.id}")


def waits_in(trigger: Trigger) -> tuple[str, str]:
    """Return the scope in which a trigger waits; a lot that was scanned waits apart, because no unit depends on it."""
    apart = trigger.event.kind is EventKind.LOT_ISSUED
    return trigger.order, f"{trigger.operation} scan" if apart else trigger.operation


def attributed(work: WorkingCopy, trigger: Trigger) -> Trigger:
    """Return a held trigger with the order that was started at its line, for its time, after it came."""
    rule = _rule(work.model, trigger)
    if trigger.order != NO_ORDER or rule is None:
        return trigger
    active = work.active_order(trigger.line, trigger.event.source_time) if rule.fallback_active else None
    return trigger._replace(order=active or NO_ORDER)


def _outcome(work: WorkingCopy, trigger: Trigger) -> Booked | Blocked:
    outcome = run_rules.broken(work, trigger) or step(work, work.model.master, trigger)
    if isinstance(outcome, Blocked) and outcome.code == run_rules.NOT_CLEARED:
        line_orders.ask_for_clearance(work, trigger.line, trigger.order, trigger.event.source_time)
    if trigger.order == NO_ORDER and isinstance(outcome, Blocked):
        return _with_remedy(work.model, trigger, outcome)
    return outcome


def _with_remedy(model: LineModel, trigger: Trigger, blocked: Blocked) -> Blocked:
    rule = _rule(model, trigger)
    if blocked.code != "no-order" or rule is None or not rule.fallback_active:
        return blocked
    told = f"gateway start-order CONFIG_DIR {trigger.line} ORDER --at {rfc3339(trigger.event.source_time)}"
    return Blocked(blocked.code, f"{blocked.reason}; start one with `{told}`, or earlier")


def _cumulation(model: LineModel, trigger: Trigger) -> Cumulation | None:
    """Return how the trigger's rule cumulates now; a rule that is gone posts what it held one by one."""
    rule = _rule(model, trigger)
    return rule.cumulate if rule else None


def _rule(model: LineModel, trigger: Trigger) -> TriggerRule | None:
    """Return the trigger's rule as it is now, None where it is gone."""
    point = model.points.get(trigger.event.signal)
    return point.rule if point and point.rule and point.rule.rule == trigger.rule else None


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
        waits_in(trigger),
        code=blocked.code,
        reason=blocked.reason,
        quantity=units_held(event),
        uom="" if event.kind is EventKind.LOT_ISSUED else event.uom,
        at=event.source_time,
    )
    work.add_trigger(event_id, trigger, None, entry.id)
    if event.kind is not EventKind.LOT_ISSUED:
        work.tally(event.signal, event.uom, counted=event.quantity, held=event.quantity)


def units_held(event: Event) -> Decimal:
    """Return the units that an entry holds with the event: a scanned lot's quantity is of another unit, and none."""
    return ZERO if event.kind is EventKind.LOT_ISSUED else event.quantity


def _tally(work: WorkingCopy, event: Event, *, counted: Decimal = ZERO, held: Decimal = ZERO) -> None:
    """Add a posted event's units to its signal's totals; a lot that was scanned and issued counts none."""
    if event.kind is EventKind.LOT_ISSUED:
        return
    if event.kind is EventKind.SCRAP_UNITS:
        work.tally(event.signal, event.uom, counted=counted, held=held, scrapped=event.quantity)
    else:
        work.tally(event.signal, event.uom, counted=counted, held=held, posted=event.quantity)

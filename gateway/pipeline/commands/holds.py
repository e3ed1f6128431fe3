"""What only a person knows of a counter: what a held segment or gap really was, and that it began where it shows."""

from typing import Any

from gateway.counting.counter import Baseline
from gateway.domain.clock import rfc3339
from gateway.domain.command import SettleHold, SignBaseline
from gateway.domain.event import SETTLED, Event, SignalId
from gateway.domain.posting import Reason
from gateway.domain.quantity import text
from gateway.domain.signature import Author
from gateway.errors import CommandRefused
from gateway.formats import signed as contents
from gateway.pipeline import settlement, work_list
from gateway.pipeline.commands.desk import Desk, Handlers
from gateway.pipeline.commands.signing import refuse_if_changed, signed
from gateway.pipeline.commands.work_list import opened
from gateway.pipeline.reasons import reason_of
from gateway.pipeline.settlement import Hold
from gateway.pipeline.working_copy import WorkingCopy

Json = dict[str, Any]


async def settle_hold(desk: Desk, command: SettleHold, author: Author) -> list[Json]:
    """Book what a person says a hold really was; return each part with its posting, open document, or why it waits."""
    record = opened(desk, command.exception)
    hold = settlement.hold_of(record)
    reason = reason_of(desk.writer.model.master, command.reason)
    refuse_if_changed(command.seen, contents.held(record), f"exception {record.id}")
    work = desk.begin(command, author)
    made = text(settlement.total(command.parts))
    booked = settlement.events(work, hold, command.parts, author.person)
    await _refuse_if_taken(desk, hold, [one.key for _, one in booked])
    settlement.settle(work, hold, booked, author.person)
    told = f"settled as {made} {record.uom or 'units'}, {reason.code}: {reason.text}"
    work_list.close(work, record, told, author.person)
    work.add_journal("settled", {**_said(hold, made, [one for _, one in booked], reason), **signed(author)})
    await desk.finish(work)
    return [_became(work, index - len(booked)) for index in range(len(booked))]


async def _refuse_if_taken(desk: Desk, hold: Hold, keys: list[str]) -> None:
    """Refuse a settlement under whose keys the device itself sent messages: its own ids are anything."""
    wanted = [(*hold.signal, key) for key in (settlement.key(hold), *keys)]
    if taken := sorted(key for _, _, key in await desk.writer.store.known_events(wanted)):
        raise CommandRefused(
            f"{hold.signal} itself sent {', '.join(taken)}, which is what this settlement would be known by",
            "close it without posting, and enter what was made by hand",
        )


def _said(hold: Hold, made: str, booked: list[Event], reason: Reason) -> Json:
    record = hold.record
    parts = [
        {"key": one.key, "quantity": text(one.quantity), "order": one.order, "at": rfc3339(one.source_time)}
        for one in booked
    ]
    held = {"exception": record.id, "about": record.kind, "scope": list(record.scope), "reason": reason._asdict()}
    return {**held, "held": text(record.quantity), SETTLED.lower(): made, "uom": record.uom, "parts": parts}


def _became(work: WorkingCopy, index: int) -> Json:
    """Return what became of a part, which is a trigger of the batch like others."""
    row = work.rows.triggers[index]
    waits = work.exceptions.get(row.exception_id) if row.exception_id is not None else None
    return {
        "quantity": text(row.trigger.event.quantity),
        "order": row.trigger.order,
        "operation": row.trigger.operation,
        "document": row.document,
        "seq": None if row.document is None else work.closed.get(row.document),
        "exception": row.exception_id,
        "waits": waits.reason if waits else "",
    }


async def sign_baseline(desk: Desk, command: SignBaseline, author: Author) -> bool:
    """Confirm where a counter began; False where somebody has. CommandRefused where it began at another value."""
    work = desk.begin(command, author)
    signal = SignalId(command.device, command.signal)
    baseline = _baseline(work, signal, command.value)
    if baseline.signed_by:
        return False
    work.baselines[signal] = baseline._replace(signed_by=author.person, signed_at=work.now)
    began = {"value": str(baseline.value), "epoch": baseline.epoch, "at": rfc3339(baseline.at)}
    work.add_journal("baseline", {"device": signal.device, "signal": signal.signal, **began, **signed(author)})
    await desk.finish(work)
    return True


def _baseline(work: WorkingCopy, signal: SignalId, value: int) -> Baseline:
    baseline = work.baselines.get(signal)
    if baseline is None:
        raise CommandRefused(f"{signal} has no baseline", "`gateway baselines` lists the counters that have one")
    if baseline.value != value:
        raise CommandRefused(
            f"{signal} began at {baseline.value}, not at {value}", "look at the counter again, then sign what is there"
        )
    return baseline


HANDLERS: Handlers = {SettleHold: settle_hold, SignBaseline: sign_baseline}

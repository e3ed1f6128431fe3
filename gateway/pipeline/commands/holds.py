"""What only a person knows of a counter: what a held segment or gap really was, and that it began where it shows."""

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from typing import Any, NamedTuple

from gateway.counting.counter import Baseline
from gateway.domain.clock import rfc3339
from gateway.domain.command import SettledHold, SettleHold, SettleHolds, SignBaseline
from gateway.domain.event import SETTLED, Event, SignalId
from gateway.domain.posting import Reason
from gateway.domain.quantity import text
from gateway.domain.signature import Author
from gateway.errors import CommandRefused, DataError
from gateway.formats import signed as contents
from gateway.pipeline import settlement, work_list
from gateway.pipeline.commands.desk import Desk, Handlers
from gateway.pipeline.commands.signing import refuse_if_changed, signed
from gateway.pipeline.commands.work_list import opened
from gateway.pipeline.model import Point
from gateway.pipeline.reasons import reason_of
from gateway.pipeline.settlement import Hold
from gateway.pipeline.working_copy import WorkingCopy
from gateway.store.batch import TriggerRow

Json = dict[str, Any]
Said = SettleHold | SettledHold
Known = Container[tuple[str, str, str]]


class _Checked(NamedTuple):
    """A hold and the events that it really was: nothing refuses them any more."""

    hold: Hold
    made: str
    booked: Sequence[tuple[Point, Event]]


async def settle_hold(desk: Desk, command: SettleHold, author: Author) -> list[Json]:
    """Book what a person says a hold really was; return each part with its posting, open document, or why it waits."""
    reason = reason_of(desk.writer.model.master, command.reason)
    known, work = await _known(desk, [command]), desk.begin(command, author)
    triggers = _settle(work, _checked(desk, work, command, author, known), reason, author)
    await desk.finish(work)
    return _became(work, triggers)


async def settle_holds(desk: Desk, command: SettleHolds, author: Author) -> list[Json]:
    """Settle many in one transaction; return for each entry its parts, or why it is `refused` and stays open."""
    reason = reason_of(desk.writer.model.master, command.reason)
    _refuse_repeated(command.holds)
    known, work = await _known(desk, command.holds), desk.begin(command, author)
    settled: dict[int, Sequence[TriggerRow]] = {}
    refused: dict[int, str] = {}
    for one in command.holds:
        try:
            checked = _checked(desk, work, one, author, known)
        except (CommandRefused, DataError) as refusal:
            refused[one.exception] = str(refusal)
        else:
            settled[one.exception] = _settle(work, checked, reason, author)
    _tell_refused(work, refused, author)
    await desk.finish(work)
    return [
        {"exception": number, "refused": refused.get(number, ""), "parts": _became(work, settled.get(number, ()))}
        for number in (one.exception for one in command.holds)
    ]


def _refuse_repeated(holds: Iterable[SettledHold]) -> None:
    number, times = max(Counter(one.exception for one in holds).items(), key=lambda one: one[1], default=(0, 0))
    if times > 1:
        raise CommandRefused(f"exception {number} is named {times} times", "an entry is settled once")


def _tell_refused(work: WorkingCopy, refused: dict[int, str], author: Author) -> None:
    """Chain what of a signed command was refused, as the refusal of a whole one is."""
    for number, why in refused.items():
        entry = {"command": SettleHolds.__name__, "about": {"exception": number}, "person": author.person, "why": why}
        work.add_journal("refused", entry)


def _checked(desk: Desk, work: WorkingCopy, said: Said, author: Author, known: Known) -> _Checked:
    """Return what is to be booked; CommandRefused or DataError, with nothing changed, where that can't be."""
    record = opened(desk, said.exception)
    hold = settlement.hold_of(record)
    refuse_if_changed(said.seen, contents.held(record), f"exception {record.id}")
    made = text(settlement.total(said.parts))
    booked = settlement.events(work, hold, said.parts, author.person)
    _refuse_if_taken(known, hold, len(booked))
    return _Checked(hold, made, booked)


def _settle(work: WorkingCopy, checked: _Checked, reason: Reason, author: Author) -> Sequence[TriggerRow]:
    """Book it and close the entry; return the triggers that it made, one a part."""
    hold, made, booked = checked
    before = len(work.rows.triggers)
    settlement.settle(work, hold, booked, author.person)
    told = f"settled as {made} {hold.record.uom or 'units'}, {reason.code}: {reason.text}"
    work_list.close(work, hold.record, told, author.person)
    work.add_journal("settled", {**_said(hold, made, [one for _, one in booked], reason), **signed(author)})
    return work.rows.triggers[before:]


async def _known(desk: Desk, holds: Iterable[Said]) -> Known:
    """Return which of the keys that the settlements would be known by are taken: a device's own ids are anything."""
    state = desk.writer.state.exceptions
    wanted = [
        (*state[one.exception].scope, key)
        for one in holds
        if one.exception in state
        for key in settlement.keys(one.exception, len(one.parts))
    ]
    return await desk.writer.store.known_events(wanted)


def _refuse_if_taken(known: Known, hold: Hold, parts: int) -> None:
    """Refuse a settlement under whose keys the device itself sent messages."""
    if taken := [key for key in settlement.keys(hold.record.id, parts) if (*hold.signal, key) in known]:
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


def _became(work: WorkingCopy, triggers: Iterable[TriggerRow]) -> list[Json]:
    """Return what became of the parts, which are triggers of the batch like others."""
    return [_became_one(work, row) for row in triggers]


def _became_one(work: WorkingCopy, row: TriggerRow) -> Json:
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


HANDLERS: Handlers = {SettleHold: settle_hold, SettleHolds: settle_holds, SignBaseline: sign_baseline}

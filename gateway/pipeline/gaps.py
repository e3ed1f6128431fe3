"""What a message source lost: one exception a signal, naming the missing messages, until they come late."""

from dataclasses import replace
from decimal import Decimal

import orjson

from gateway.counting import messages
from gateway.counting.messages import MOST_RANGES, Gap, Settled
from gateway.domain.event import Event, SignalId
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.quantity import EXACT, ZERO, text
from gateway.pipeline import recording, work_list
from gateway.pipeline.working_copy import WorkingCopy

Missing = list[tuple[int | None, int | None]]  # first and last number; None where only a total shows the loss

_CAME_LATE = "the missing messages came late"
_SHOWN = 3  # ranges in the sentence; `detail` has them all


def lost(work: WorkingCopy, event: Event, gap: Gap) -> None:
    """Count what the source lost before this message as held."""
    work.record("gap", recording.gap(event, gap, late=False))
    before = work_list.open_for(work, ExceptionKind.GAP, event.signal)
    record = work_list.enter(
        work,
        ExceptionKind.GAP,
        event.signal,
        code="gap",
        reason="",  # told below, from everything that is missing by now
        quantity=gap.quantity,
        uom=event.uom,
        at=event.source_time,
        count=1 if gap.first is None or gap.last is None else gap.last - gap.first + 1,
    )
    missing = [*_missing(before), (gap.first, gap.last)][-MOST_RANGES:]
    _describe(work, record, missing, gap.doubt or _doubt(before))
    work.tally(event.signal, event.uom, counted=gap.quantity, held=gap.quantity)


def came_late(work: WorkingCopy, event: Event, gap: Gap) -> None:
    """Take a message that came after all out of its gap; what the last one leaves was not lost either."""
    work.record("gap", recording.gap(event, gap, late=True))
    before = work_list.open_for(work, ExceptionKind.GAP, event.signal)
    if before is None:
        return
    if gap.first is None:
        after = _shortened(work, before, gap.quantity)
    else:
        after = work_list.shorten(work, before, gap.quantity, closed=_CAME_LATE)
        if after.closed_at is None:
            _describe(work, after, _without(_missing(before), gap.first), _doubt(before))
    taken = EXACT.subtract(before.quantity, after.quantity)
    work.tally(event.signal, event.uom, counted=-taken, held=-taken)


def _shortened(work: WorkingCopy, before: ExceptionRecord, quantity: Decimal) -> ExceptionRecord:
    """Take units that nobody numbered out of the gap; how many messages they are in shows only at its end."""
    after = replace(before, quantity=max(ZERO, EXACT.subtract(before.quantity, quantity)))
    missing = _missing(before)
    if not after.quantity and quantity and all(first is None for first, _ in missing):
        return work_list.close(work, after, _CAME_LATE, "gateway")
    _describe(work, after, missing, _doubt(before))
    work.must_commit = True
    return after


def settle(work: WorkingCopy, record: ExceptionRecord, person: str) -> None:
    """Take what is missing for settled, with the entry."""
    decide(work, record, person)
    work.tally(SignalId(*record.scope), record.uom, counted=-record.quantity, held=-record.quantity)


def decide(work: WorkingCopy, record: ExceptionRecord, person: str) -> None:
    """Note that a person has said what became of all that is missing: a message of it that comes yet is held."""
    signal = SignalId(*record.scope)
    watermark = work.watermarks.get(signal)
    if watermark is not None:  # a replay has none
        settled = [Settled(*one, record.id, person, record.last_event) for one in _missing(record)]
        work.watermarks[signal] = messages.settle(watermark, settled)


def _missing(record: ExceptionRecord | None) -> Missing:
    if record is None:
        return []
    return [(first, last) for first, last in orjson.loads(record.detail)["missing"]]


def _doubt(record: ExceptionRecord | None) -> str:
    """Return why some of it may be booked already."""
    return str(orjson.loads(record.detail).get("doubt", "")) if record else ""


def _without(missing: Missing, number: int) -> Missing:
    for index in reversed(range(len(missing))):  # a device that numbers anew uses a number twice: the newest is meant
        first, last = missing[index]
        if first is not None and last is not None and first <= number <= last:
            rest = ((first, number - 1), (number + 1, last))
            return [*missing[:index], *(one for one in rest if one[0] <= one[1]), *missing[index + 1 :]]
    return missing


def _describe(work: WorkingCopy, record: ExceptionRecord, missing: Missing, doubt: str) -> None:
    names = [_name(*one) for one in missing]
    if len(names) > _SHOWN:
        names[_SHOWN:] = [f"{len(names) - _SHOWN} more"]
    reason = f"{'.'.join(record.scope)} lost {', '.join(names)}: {text(record.quantity)} {record.uom or 'units'}"
    if doubt:
        reason = f"{reason}; those from before the restore may be booked already: {doubt}"
    said = {"missing": missing, "doubt": doubt} if doubt else {"missing": missing}
    work.exceptions[record.id] = replace(record, reason=reason, detail=orjson.dumps(said).decode())


def _name(first: int | None, last: int | None) -> str:
    if first is None:
        return "units between two messages"
    return f"message {first}" if first == last else f"messages {first} to {last}"

"""Counter readings of a scan: through the decision table to events, holds and notices."""

from decimal import Decimal

import orjson

from gateway.counting.counter import Checkpoint, Counter, Decision, Reading, Verdict
from gateway.counting.decide import decide, key, refresh_due
from gateway.domain.clock import in_milliseconds
from gateway.domain.event import Event
from gateway.pipeline import notices
from gateway.pipeline.model import Point
from gateway.pipeline.posting import book, hold_event
from gateway.pipeline.working_copy import WorkingCopy


def count(work: WorkingCopy, point: Point, counter: Counter, reading: Reading) -> None:
    """Judge one reading of a counter; the checkpoint moves in the same batch as what it produced."""
    before = work.checkpoints.get(point.id)
    decision = decide(counter, before, reading)
    if decision.checkpoint is not None and decision.checkpoint is not before:
        work.checkpoints[point.id] = decision.checkpoint
        if _worth_a_commit(counter, work.stored.get(point.id), decision):
            work.must_commit = True
    if decision.read_again:
        work.read_again.append(point.id)
    if decision.notice:
        at = in_milliseconds(reading.at.wall)
        notices.tell(work, point.id, decision.verdict.lower(), decision.notice, at)
    if (decision.delta or decision.held) and not counter.is_total:  # a total is a cross-check, it makes no event
        _book(work, point, reading, decision, key(before, decision))


def _worth_a_commit(counter: Counter, stored: Checkpoint | None, decision: Decision) -> bool:
    # An idle machine refreshes memory only, or a quiet night would be one fsync after the other.
    if decision.verdict is not Verdict.IDLE or stored is None or decision.checkpoint is None:
        return True
    return refresh_due(counter, stored, decision.checkpoint)


def _book(work: WorkingCopy, point: Point, reading: Reading, decision: Decision, identity: str) -> None:
    held = decision.held
    event = Event(
        signal=point.id,
        key=identity,
        kind=point.kind,
        quantity=Decimal(held.quantity if held else decision.delta),
        uom="",
        source_time=in_milliseconds(reading.source_time or reading.at.wall),
        received_time=in_milliseconds(reading.at.wall),
        since=decision.since and in_milliseconds(decision.since),
        order=reading.order,
        flag=decision.verdict if decision.verdict is Verdict.ROLLOVER_INFERRED else "",
    )
    if held is None:
        book(work, point, event, decision.verdict)
        return
    detail = orjson.dumps({"candidates": held.candidates, "key": identity}).decode()
    hold = (decision.verdict.lower(), held.reason, detail)
    work.add_event(event, decision.verdict, hold=hold)
    hold_event(work, event, *hold)

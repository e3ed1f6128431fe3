"""Counter readings of a scan: through the decision table to events, holds and notices."""

from decimal import Decimal
from typing import Any

import orjson

from gateway.counting.counter import Checkpoint, Counter, Decision, Reading, Verdict
from gateway.counting.decide import decide, key, refresh_due
from gateway.domain.clock import in_milliseconds, rfc3339
from gateway.domain.event import Event
from gateway.pipeline import baselines, notices, splits
from gateway.pipeline.model import Point
from gateway.pipeline.posting import about, book, hold_event
from gateway.pipeline.working_copy import WorkingCopy


def count(work: WorkingCopy, point: Point, counter: Counter, reading: Reading) -> None:
    """Judge one reading of a counter; the checkpoint moves in the same batch as what it produced."""
    before = work.checkpoints.get(point.id)
    decision = splits.judged(work, point, counter, before, decide(counter, before, reading))
    if decision.checkpoint is not None and decision.checkpoint is not before:
        work.checkpoints[point.id] = _moved(counter, before, decision, decision.checkpoint)
        if _worth_a_commit(counter, work.stored.get(point.id), decision):
            work.must_commit = True
    if decision.read_again:
        work.read_again.append(point.id)
    if decision.verdict is Verdict.BASELINE and decision.checkpoint is not None:
        baselines.begin(work, point.id, decision.checkpoint)
    if decision.notice:
        at = in_milliseconds(reading.at.wall)
        notices.tell(work, point.id, decision.verdict.lower(), decision.notice, at)
    if (decision.delta or decision.held) and not counter.is_total:  # a total is a cross-check, it makes no event
        _book(work, point, reading, before, decision)


def _moved(counter: Counter, before: Checkpoint | None, decision: Decision, after: Checkpoint) -> Checkpoint:
    """Return the checkpoint to keep. What a total holds is in no event: its count tells such a move from a change."""
    if not counter.is_total or not decision.held or before is None or after.counted > before.counted:
        return after
    return after._replace(counted=before.counted + 1)


def _worth_a_commit(counter: Counter, stored: Checkpoint | None, decision: Decision) -> bool:
    # An idle machine refreshes memory only, or a quiet night would be one fsync after the other.
    if decision.verdict is not Verdict.IDLE or stored is None or decision.checkpoint is None:
        return True
    return refresh_due(counter, stored, decision.checkpoint)


def _book(work: WorkingCopy, point: Point, reading: Reading, before: Checkpoint | None, decision: Decision) -> None:
    held = decision.held
    event = Event(
        signal=point.id,
        key=key(before, decision),
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
    detail = {"candidates": held.candidates, **about(event), **_interval(work, point, event, before)}
    hold = (decision.verdict.lower(), held.reason, orjson.dumps(detail).decode())
    work.add_event(event, decision.verdict, hold=hold)
    hold_event(work, event, *hold)


def _interval(work: WorkingCopy, point: Point, event: Event, before: Checkpoint | None) -> dict[str, Any]:
    """Return what a person who settles a gap needs: when it was, between which orders, and how the units divide."""
    if event.since is None or before is None:
        return {}
    interval = {"interval": [rfc3339(event.since), rfc3339(event.received_time)]}
    ran = splits.stretches(work, point.line, event.since, event.received_time)
    if before.order == event.order and not splits.changed(ran):
        return interval
    shares = splits.proposal(int(event.quantity), ran, first=before.order, last=event.order)
    parts = [{"quantity": str(one.quantity), "order": one.order, "at": rfc3339(one.at)} for one in shares]
    return {**interval, "orders": [before.order, event.order], "proposal": parts}

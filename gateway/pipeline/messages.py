"""Event messages of a scan: duplicates fall on their key, losses become gaps, the rest is booked."""

from collections.abc import Mapping
from dataclasses import replace

import orjson

from gateway.counting import messages
from gateway.counting.messages import Arrival, Gap, Receipt
from gateway.domain.event import Event
from gateway.domain.exception import ExceptionKind
from gateway.domain.quantity import text
from gateway.pipeline import work_list
from gateway.pipeline.image import Context
from gateway.pipeline.model import Point
from gateway.pipeline.posting import book, hold_event
from gateway.pipeline.working_copy import WorkingCopy
from gateway.signals.sample import Message, Sample, Scan

EventKey = tuple[str, str, str]
Known = Mapping[EventKey, str | None]


def event_keys(scan: Scan) -> list[EventKey]:
    """Return the idempotency keys that the scan's messages claim, to be looked up before the batch."""
    return [
        (scan.device, sample.signal, messages.message_key(sample.value, sample.source_time))
        for sample in scan.samples
        if isinstance(sample.value, Message)
    ]


def receive(  # one message with all that is known of it
    work: WorkingCopy, point: Point, scan: Scan, sample: Sample, *, context: Context, known: Known
) -> None:
    """Book a message once: the same key again is dropped, with other content it is held."""
    message = sample.value
    if not isinstance(message, Message):
        return
    event = _event(point, scan, sample, message, context)
    content = messages.content(message, sample.source_time)
    key = (*point.id, event.key)
    if key in work.contents or key in known:
        _repeated(work, event, content, work.contents.get(key, known.get(key)))
        return
    receipt = _receipt(work, point, sample, message)
    if receipt.missed is not None:
        _open_gap(work, event, receipt.missed)
    if receipt.filled is not None:
        _fill_gap(work, event, receipt.filled)
    book(work, point, event, receipt.verdict, content)


def _event(point: Point, scan: Scan, sample: Sample, message: Message, context: Context) -> Event:
    from_message = point.rule is not None and point.rule.order_from_event
    return Event(
        signal=point.id,
        key=messages.message_key(message, sample.source_time),
        kind=point.kind,
        quantity=message.quantity,
        uom=message.uom,
        source_time=sample.source_time or scan.received.wall,
        received_time=scan.received.wall,
        order=message.order if from_message else context.order,
        sscc=message.sscc,
        units=message.units,
    )


def _receipt(work: WorkingCopy, point: Point, sample: Sample, message: Message) -> Receipt:
    before = work.watermarks.get(point.id)
    receipt = messages.receive(before, message, sample.source_time)
    if receipt.verdict is Arrival.REPEATED and before is not None:
        # Its number was seen, its key was not: the device began to number anew.
        receipt = messages.restart(before, message, sample.source_time)
    if receipt.watermark is not None:
        work.watermarks[point.id] = receipt.watermark
    return receipt


def _repeated(work: WorkingCopy, event: Event, content: str, before: str | None) -> None:
    if before == content:
        return
    changed = f"{event.key}#{content[:12]}"
    if (*event.signal, changed) in work.contents:
        return
    conflicting = replace(event, key=changed)
    reason = f"{event.signal} sent {event.key} again with other content ({text(event.quantity)} {event.uom})".strip()
    work.add_event(conflicting, "CONFLICT", content)
    hold_event(work, conflicting, "conflict", reason)


def _open_gap(work: WorkingCopy, event: Event, missed: Gap) -> None:
    numbers = _numbers(missed)
    count = 1 if missed.first is None or missed.last is None else missed.last - missed.first + 1
    work_list.enter(
        work,
        ExceptionKind.GAP,
        event.signal,
        code="gap",
        reason=f"{event.signal} lost {numbers} before {event.key}: {text(missed.quantity)} {event.uom}".rstrip(),
        quantity=missed.quantity,
        uom=event.uom,
        at=event.source_time,
        count=count,
        detail=orjson.dumps({"missing": [missed.first, missed.last]}).decode(),
    )
    work.tally(event.signal, event.uom, counted=missed.quantity, held=missed.quantity)


def _fill_gap(work: WorkingCopy, event: Event, filled: Gap) -> None:
    record = work_list.open_for(work, ExceptionKind.GAP, event.signal)
    if record is not None:
        work_list.shorten(work, record, filled.quantity, closed="the missing messages came late")
        work.tally(event.signal, event.uom, counted=-filled.quantity, held=-filled.quantity)


def _numbers(gap: Gap) -> str:
    if gap.first is None or gap.last is None:
        return "units between two messages"
    return f"message {gap.first}" if gap.first == gap.last else f"messages {gap.first} to {gap.last}"

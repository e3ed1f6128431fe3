"""Event messages of a scan: duplicates fall on their key, losses become gaps, the rest is booked."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from fractions import Fraction

import orjson

from gateway.counting import messages
from gateway.counting.messages import Arrival, Receipt
from gateway.domain.event import Event
from gateway.domain.quantity import exact, text
from gateway.errors import DataError
from gateway.pipeline import gaps
from gateway.pipeline.image import Context
from gateway.pipeline.model import Point
from gateway.pipeline.posting import book, hold_event
from gateway.pipeline.working_copy import WorkingCopy
from gateway.signals.sample import Message, Sample, Scan
from gateway.store.batch import DeadLetter

EventKey = tuple[str, str, str]
Known = Mapping[EventKey, str | None]


def event_keys(scan: Scan) -> list[EventKey]:
    """Return the idempotency keys that the scan's messages claim, to be looked up before the batch.

    Each with the key it has when it contradicts an earlier message: that may come again, too.
    """
    return [
        (scan.device, sample.signal, key)
        for sample in scan.samples
        if isinstance(sample.value, Message)
        for key in _both_keys(sample.value, sample.source_time)
    ]


def _both_keys(message: Message, source_time: datetime | None) -> tuple[str, str]:
    key = messages.message_key(message, source_time)
    return key, _conflict_key(key, messages.content(message, source_time))


def _conflict_key(key: str, content: str) -> str:
    return f"{key}#{content[:12]}"


def receive(  # one message with all that is known of it
    work: WorkingCopy, point: Point, scan: Scan, sample: Sample, *, context: Context, known: Known
) -> None:
    """Book a message once: the same key again is dropped, with other content it is held."""
    if not isinstance(sample.value, Message):
        return  # of bad quality
    try:
        message = _in_the_signals_unit(work, point, sample.value)
    except DataError as error:
        _set_aside(work, point, scan, sample.value, str(error))
        return
    event = _event(point, scan, sample, message, context)
    if not message.stable:
        _pass_over(work, event, message, sample.source_time)
        return
    content = messages.content(sample.value, sample.source_time)
    key = (*point.id, event.key)
    if key in work.contents or key in known:
        if content != work.contents.get(key, known.get(key)):
            _contradicted(work, event, content, known)
        return
    receipt = _receipt(work, point, sample, message)
    _note_gaps(work, event, receipt)
    book(work, point, event, receipt.verdict, content)


def _in_the_signals_unit(work: WorkingCopy, point: Point, message: Message) -> Message:
    """Return the message in the unit its signal is totalled in; DataError where no conversion leads there."""
    tally = work.tallies.get(point.id)
    if tally is None or tally.uom == message.uom:
        return message
    factor = work.model.master.units.factor("", message.uom, tally.uom)
    total = None if message.total is None else exact(Fraction(message.total) * factor)
    return replace(message, quantity=exact(Fraction(message.quantity) * factor), total=total, uom=tally.uom)


def _set_aside(work: WorkingCopy, point: Point, scan: Scan, message: Message, reason: str) -> None:
    """Keep a message whose quantity can't be added to the others as a dead letter: what it says, and why."""
    said = orjson.dumps(asdict(message), default=str)
    work.rows.dead_letters.append(DeadLetter(scan.device, point.id.signal, said, reason, scan.received.wall))
    work.must_commit = True


def _pass_over(work: WorkingCopy, event: Event, message: Message, source_time: datetime | None) -> None:
    """Take the number of a message that is no event as seen, so that it isn't missed."""
    receipt = messages.receive(work.watermarks.get(event.signal), message, source_time)
    if receipt.verdict is Arrival.REPEATED or receipt.watermark is None:
        return  # if the device numbers anew, its next event says so
    work.watermarks[event.signal] = receipt.watermark
    work.must_commit = True  # it is acknowledged after this batch and never comes again
    _note_gaps(work, event, receipt)


def _note_gaps(work: WorkingCopy, event: Event, receipt: Receipt) -> None:
    if receipt.missed is not None:
        gaps.lost(work, event, receipt.missed)
    if receipt.filled is not None:
        gaps.came_late(work, event, receipt.filled)


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


def _contradicted(work: WorkingCopy, event: Event, content: str, known: Known) -> None:
    changed = _conflict_key(event.key, content)
    if (*event.signal, changed) in work.contents or (*event.signal, changed) in known:
        return
    conflicting = event._replace(key=changed)
    said = f"{text(event.quantity)} {event.uom}".strip()
    reason = f"{event.signal} sent {event.key} again with other content ({said})"
    work.add_event(conflicting, "CONFLICT", content)
    hold_event(work, conflicting, "conflict", reason)

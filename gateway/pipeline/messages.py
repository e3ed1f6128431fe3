"""Event messages of a scan: duplicates fall on their key, losses become gaps, the rest is booked or done."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction

from gateway.counting import messages
from gateway.counting.messages import Arrival, Receipt, Settled, Watermark
from gateway.domain.event import NO_UNITS, Event, EventKind, SignalId
from gateway.domain.quantity import ZERO, exact, text
from gateway.errors import CommandRefused, DataError
from gateway.pipeline import gaps, notices, occurrences, put_aside, restored
from gateway.pipeline.image import Context
from gateway.pipeline.model import LineModel, Point
from gateway.pipeline.occurrences import Transfers
from gateway.pipeline.posting import book, hold_event
from gateway.pipeline.reported import UNCOUNTED, event_of
from gateway.pipeline.working_copy import WorkingCopy
from gateway.signals.sample import Message, Sample, Scan
from gateway.signals.sscc import read_sscc
from gateway.store.batch import DeadLetter
from gateway.store.store import Store

EventKey = tuple[str, str, str]
Judge = Callable[[Watermark | None, Message, datetime | None], Receipt]


@dataclass(frozen=True, slots=True)
class Known:
    """What the store has of a batch's messages: content hashes by key, and what it knows of the lots they stage."""

    events: Mapping[EventKey, str | None] = field(default_factory=dict)
    transfers: Transfers = field(default_factory=Transfers)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A message on its way: what it was read from, what it reports, and the hash of what it says."""

    point: Point
    scan: Scan
    sample: Sample
    message: Message  # the sample's, in its signal's unit
    event: Event
    content: str
    context: Context


async def look_up(store: Store, model: LineModel, scans: Iterable[Scan]) -> Known:
    """Ask the store, before the batch, for all that its messages will need.

    Each message's key, and the one it has when it contradicts an earlier message: that may come again, too.
    """
    read = [
        (scan, sample, one) for scan in scans for sample in scan.samples if isinstance(one := sample.value, Message)
    ]
    if not read:
        return Known()
    keys = [
        (scan.device, sample.signal, key) for scan, sample, one in read for key in _both_keys(one, sample.source_time)
    ]
    return Known(await store.known_events(keys), await occurrences.look_up(store, _happened(model, read)))


def _happened(model: LineModel, read: Iterable[tuple[Scan, Sample, Message]]) -> Iterator[tuple[Event, str]]:
    for scan, sample, message in read:
        point = model.points.get(SignalId(scan.device, sample.signal))
        if point is not None and point.kind in NO_UNITS:
            yield event_of(point, scan, sample, message, Context()), point.line


def _both_keys(message: Message, source_time: datetime | None) -> tuple[str, str]:
    key = messages.message_key(message, source_time)
    return key, _conflict_key(key, messages.content(message, source_time))


def _conflict_key(key: str, content: str) -> str:
    return f"{key}#{content[:12]}"


def receive(  # one message with all that is known of it
    work: WorkingCopy,
    point: Point,
    scan: Scan,
    sample: Sample,
    *,
    context: Context,
    known: Known,
    judge: Judge = messages.receive,
) -> None:
    """Book or do what a message says, once: the same key again is dropped, with other content it is held.

    `judge` says what the message is by its number.
    """
    if not isinstance(sample.value, Message):
        return  # of bad quality
    if not sample.value.stable:
        message = _unsettled(work, point, sample.value)
        receipt = judge(work.watermarks.get(point.id), message, sample.source_time)
        _pass_over(work, event_of(point, scan, sample, message, context), receipt)
        return
    try:
        message = _in_the_signals_unit(work, point, sample.value)
    except DataError as error:
        _set_aside(work, scan, sample, context, str(error))
        return
    event = event_of(point, scan, sample, message, context)
    content = messages.content(sample.value, sample.source_time)
    _take(work, _Taken(point, scan, sample, message, event, content, context), known, judge)


def _take(work: WorkingCopy, taken: _Taken, known: Known, judge: Judge) -> None:
    """Book or do a message that tells of an event, unless it came before."""
    if _came_before(work, taken, known):
        return
    event, receipt = taken.event, _receipt(work, taken, judge)
    if receipt.settled is not None and event.kind not in UNCOUNTED:
        _hold_too_late(work, taken, receipt.settled)
        return
    _note_gaps(work, event, receipt)
    if event.kind in NO_UNITS:
        _occur(work, taken, receipt.verdict, known.transfers)
    elif doubt := restored.doubt_of(work, taken.scan, taken.sample):
        _hold_restored(work, taken, doubt)
    else:
        book(work, taken.point, event, receipt.verdict, taken.content)
        _tell_of_the_label(work, event, taken.message.sscc)


def _in_the_signals_unit(work: WorkingCopy, point: Point, message: Message) -> Message:
    """Return the message in the unit its signal is totalled in; DataError where no conversion leads there."""
    tally = work.tallies.get(point.id)
    if tally is None or tally.uom == message.uom:
        return message
    factor = work.model.master.units.factor("", message.uom, tally.uom)
    total = None if message.total is None else exact(Fraction(message.total) * factor)
    return replace(message, quantity=exact(Fraction(message.quantity) * factor), total=total, uom=tally.uom)


def _unsettled(work: WorkingCopy, point: Point, message: Message) -> Message:
    """Return a message that made nothing in its signal's unit, without the total where no conversion leads there."""
    tally = work.tallies.get(point.id)
    if tally is None:
        return message
    try:
        return _in_the_signals_unit(work, point, message)
    except DataError:
        return replace(message, total=None, uom=tally.uom)


def _set_aside(work: WorkingCopy, scan: Scan, sample: Sample, context: Context, reason: str) -> None:
    """Keep a message that can't be added to the others, or done, as a dead letter: what it says, and why."""
    said = put_aside.written(sample, context)
    at = scan.received.wall
    work.rows.dead_letters.append(DeadLetter(scan.device, sample.signal, said, reason, at, put_aside=True))
    work.must_commit = True


def _pass_over(work: WorkingCopy, event: Event, receipt: Receipt) -> None:
    """Take the number of a message that is no event as seen, so that it isn't missed."""
    if receipt.verdict is Arrival.REPEATED or receipt.watermark is None:
        return  # if the device numbers anew, its next event says so
    if receipt.missed and not event.uom and work.tallies.get(event.signal) is None:
        return  # nobody knows yet in which unit: the signal's first event tells of it
    work.watermarks[event.signal] = receipt.watermark
    work.must_commit = True  # it is acknowledged after this batch and never comes again
    _note_gaps(work, event, receipt)


def _came_before(work: WorkingCopy, taken: _Taken, known: Known) -> bool:
    """Tell whether the message's key was taken; one that contradicts what was said under it is kept apart."""
    key = (*taken.event.signal, taken.event.key)
    if key not in work.contents and key not in known.events:
        return False
    if taken.content != work.contents.get(key, known.events.get(key)):
        _contradicted(work, taken, known)
    return True


def _contradicted(work: WorkingCopy, taken: _Taken, known: Known) -> None:
    event = taken.event
    changed = _conflict_key(event.key, taken.content)
    if (*event.signal, changed) in work.contents or (*event.signal, changed) in known.events:
        return
    said = f"{text(event.quantity)} {event.uom}".strip()
    reason = f"{event.signal} sent {event.key} again with other content ({said})"
    if event.kind in UNCOUNTED:
        _set_aside(work, taken.scan, taken.sample, taken.context, reason)
        return
    conflicting = event._replace(key=changed)
    work.add_event(conflicting, "CONFLICT", taken.content, ("conflict", reason, ""))
    hold_event(work, conflicting, "conflict", reason)


def _receipt(work: WorkingCopy, taken: _Taken, judge: Judge) -> Receipt:
    point, message, source_time = taken.point, taken.message, taken.sample.source_time
    before = work.watermarks.get(point.id)
    receipt = judge(before, message, source_time)
    if receipt.verdict is Arrival.REPEATED and before is not None:
        # Its number was seen, its key was not: the device began to number anew.
        receipt = messages.restart(before, message, source_time)
    if receipt.watermark is not None:
        work.watermarks[point.id] = receipt.watermark
    return receipt


def _hold_too_late(work: WorkingCopy, taken: _Taken, settled: Settled) -> None:
    """Hold what may be among the units that a person has settled already, whatever that came to."""
    event = taken.event
    reason = (
        f"{event.signal} {event.key} came after {settled.person} had settled what was missing (exception "
        f"{settled.exception}): its units may be counted already"
    )
    work.add_event(event, Arrival.TOO_LATE, taken.content, ("too-late", reason, ""))
    hold_event(work, event, "too-late", reason)


def _hold_restored(work: WorkingCopy, taken: _Taken, doubt: str) -> None:
    """Hold what the store that was lost may have booked."""
    event = taken.event
    if event.kind in UNCOUNTED:
        _set_aside(work, taken.scan, taken.sample, taken.context, doubt)
        return
    hold = restored.hold_of(event, doubt)
    work.add_event(event, "RESTORED", taken.content, hold)
    hold_event(work, event, *hold)


def _note_gaps(work: WorkingCopy, event: Event, receipt: Receipt) -> None:
    for gap, note in ((receipt.missed, gaps.lost), (receipt.filled, gaps.came_late)):
        if gap is not None:
            note(work, event, replace(gap, quantity=ZERO) if event.kind in UNCOUNTED else gap)


def _occur(work: WorkingCopy, taken: _Taken, verdict: str, transfers: Transfers) -> None:
    """Do what a message without units says; where that can't be, keep it: corrected, it may come again."""
    event = taken.event
    if event.kind is EventKind.LOT_STAGED and taken.message.id is None:
        _set_aside(work, taken.scan, taken.sample, taken.context, "a staging needs an id of its own")
        return
    try:
        occurrences.occur(work, event, taken.point.line, transfers)
    except CommandRefused as refusal:
        _set_aside(work, taken.scan, taken.sample, taken.context, str(refusal))
    else:
        work.add_event(event, verdict, taken.content)


def _tell_of_the_label(work: WorkingCopy, event: Event, scanned: str | None) -> None:
    if scanned is None or event.sscc is not None:
        return
    try:
        read_sscc(scanned)
    except DataError as error:
        reason = f"{event.signal} {event.key}: {error.message}; it is booked without one"
        notices.tell(work, event.signal, notices.BAD_SSCC, reason, event.source_time)

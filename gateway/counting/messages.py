"""Event messages: what is new, what came late or twice, and what a jump in the device's numbering says is missing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from gateway.signals.sample import Message

Range = tuple[int, int]  # first and last sequence number
Stretch = tuple[Decimal, Decimal]  # of a cumulative quantity: from where to where

MOST_RANGES = 1000  # a source that loses every other message must not grow its watermark for ever


class Settled(NamedTuple):
    """Missing messages whose units a person has settled, in an exception; what comes of them now is held.

    `first` and `last` are None where only the total showed the loss; then messages until `until` are meant.
    """

    first: int | None
    last: int | None
    exception: int
    person: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a source's numbering was seen; kept for ever. `total` and `source_time` belong to `sequence`.

    `missing`: ranges below `sequence` that never came, ascending. Beyond MOST_RANGES the oldest is forgotten
    here; the exception that reported it stays. `settled`: what was missing and never came before it was settled.
    `doubt`: why what seems to be missing next may be booked already; empty again when the watermark moves.
    `unreported`: where only the totals show a loss, of which of them no message came; bounded like `missing`.
    """

    sequence: int | None = None
    total: Decimal | None = None
    missing: tuple[Range, ...] = ()
    source_time: datetime | None = None
    settled: tuple[Settled, ...] = ()
    doubt: str = ""
    unreported: tuple[Stretch, ...] = ()


class Arrival(StrEnum):
    """What a message is, by its number alone."""

    NEW = "NEW"
    GAP = "GAP"  # new, and messages before it are missing
    LATE = "LATE"  # new, and no longer missing
    REPEATED = "REPEATED"  # seen, or the device numbers anew: the store knows whether it has the key
    RESTARTED = "RESTARTED"  # new, and the device's numbering began again
    TOO_LATE = "TOO_LATE"  # new, but a person has settled by now what was missing: it may be counted already


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages that a source numbered. `first` and `last` are None where only the cumulative total shows them.

    `quantity` is what they carried, in the message's unit: exact where the source sends its total, else one a message.
    `doubt` is the watermark's.
    """

    first: int | None
    last: int | None
    quantity: Decimal
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one message did to the watermark. `missed`: what now is missing. `filled`: what no longer is."""

    verdict: Arrival
    watermark: Watermark | None
    missed: Gap | None = None
    filled: Gap | None = None
    settled: Settled | None = None  # of a message that is TOO_LATE


def receive(watermark: Watermark | None, message: Message, source_time: datetime | None) -> Receipt:
    """Judge a message by its number. The first numbered one sets the watermark; without a number it is just new.

    After REPEATED the store decides: a key it has is a duplicate, a key it doesn't have goes to `restart`.
    """
    if message.sequence is None:
        return _unnumbered(watermark, message, source_time)
    if watermark is None or watermark.sequence is None:
        return Receipt(Arrival.NEW, Watermark(message.sequence, message.total, (), source_time))
    if message.sequence > watermark.sequence:
        return _ahead(watermark, watermark.sequence + 1, message.sequence, message, source_time)
    return _behind(watermark, message.sequence, message, source_time)


def restart(watermark: Watermark, message: Message, source_time: datetime | None) -> Receipt:
    """Judge a REPEATED message whose key the store doesn't have.

    By the device's clock older than the watermark: it is only late (or too late), and the watermark stays. Otherwise
    the device numbers anew; where it sends totals they say what was lost before this message.
    """
    if _before(source_time, watermark.source_time):
        return _late(watermark, message, source_time)
    between, unreported = _between(watermark, message), watermark.unreported
    if between is not None and between[1] < between[0]:  # the total began again, too
        between, unreported = (Decimal(0), between[1]), ()
    anew = Watermark(message.sequence, message.total, (), source_time, watermark.settled, unreported=unreported)
    if between is None or between[1] <= between[0]:
        return Receipt(Arrival.RESTARTED, anew)
    missed = Gap(None, None, between[1] - between[0], watermark.doubt)
    return Receipt(Arrival.RESTARTED, _with_loss(anew, between), missed)


def again(watermark: Watermark | None, message: Message, source_time: datetime | None) -> Receipt:
    """Judge a message that was put aside when it came: what came after it has moved the watermark since.

    Only by the device's clock newer than the watermark may it be the first of a new numbering.
    """
    receipt = receive(watermark, message, source_time)
    if watermark is None or receipt.verdict in (Arrival.LATE, Arrival.TOO_LATE):
        return receipt
    anew = receipt.verdict is Arrival.REPEATED and not _before(watermark.source_time, source_time)
    if anew or _before(source_time, watermark.source_time):
        return _late(watermark, message, source_time)
    return receipt


def _late(watermark: Watermark, message: Message, source_time: datetime | None) -> Receipt:
    hole = next((one for one in watermark.unreported if _reports(message, one)), None)
    if hole is not None and message.total is not None:
        rest = ((hole[0], message.total - message.quantity), (message.total, hole[1]))
        unreported = [*watermark.unreported, *(one for one in rest if one[0] < one[1])]
        unreported.remove(hole)
        left = replace(watermark, unreported=tuple(sorted(unreported)[-MOST_RANGES:]))
        return Receipt(Arrival.LATE, left, filled=Gap(None, None, message.quantity))
    unnumbered = (one for one in watermark.settled if one.first is None)
    settled = next((one for one in unnumbered if not _before(one.until, source_time)), None)
    return Receipt(Arrival.TOO_LATE if settled else Arrival.LATE, watermark, settled=settled)


def message_key(message: Message, source_time: datetime | None) -> str:
    """Return the device's own identity of the message, the same for each delivery of it.

    A number alone comes again when the device numbers anew, so the device's time, if it sends one, goes with it.
    """
    if message.id is not None:
        return message.id
    return f"{message.sequence}@{source_time.isoformat()}" if source_time else str(message.sequence)


def content(message: Message, source_time: datetime | None) -> str:
    """Return a short hash of what the message says: the same key with another hash is a contradiction."""
    said = (
        message.sequence,
        message.total,
        message.quantity,
        message.uom,
        message.order,
        message.sscc,
        message.units,
        source_time and source_time.isoformat(),
        *_named(message),
    )
    return sha256("\x1f".join(map(str, said)).encode()).hexdigest()[:16]


def _named(message: Message) -> Iterator[str]:
    """Yield what only some messages say, each with its name: those that don't keep the hash they had before."""
    for name in ("item", "lot", "location", "bom_line", "expires_at", "supplier", "line", "temperature"):
        if (value := getattr(message, name)) not in (None, ""):
            yield f"{name}={value}"


def _unnumbered(watermark: Watermark | None, message: Message, source_time: datetime | None) -> Receipt:
    if message.total is None or (watermark and watermark.sequence is not None):
        return Receipt(Arrival.NEW, watermark)
    if watermark is None:
        return Receipt(Arrival.NEW, Watermark(None, message.total, (), source_time))
    moved = replace(watermark, total=message.total, source_time=source_time, doubt="")
    between = _between(watermark, message)
    if between is None or between[0] == between[1]:
        return Receipt(Arrival.NEW, moved)
    if between[1] < between[0]:
        return Receipt(Arrival.REPEATED, watermark)
    missed = Gap(None, None, between[1] - between[0], watermark.doubt)
    return Receipt(Arrival.GAP, _with_loss(moved, between), missed)


def _ahead(watermark: Watermark, due: int, number: int, message: Message, source_time: datetime | None) -> Receipt:
    if number == due:  # nothing is missing; a total that disagrees was rounded by the device
        moved = _moved(watermark, message, source_time)
        made_nothing = not message.stable and watermark.total is not None
        return Receipt(Arrival.NEW, replace(moved, total=watermark.total) if made_nothing else moved)
    between = _between(watermark, message)
    lost = Decimal(number - due) if between is None or between[1] < between[0] else between[1] - between[0]
    missing = (*watermark.missing, (due, number - 1))[-MOST_RANGES:]
    moved = replace(_moved(watermark, message, source_time), missing=missing)
    return Receipt(Arrival.GAP, moved, Gap(due, number - 1, lost, watermark.doubt))


def _moved(watermark: Watermark, message: Message, source_time: datetime | None) -> Watermark:
    return replace(watermark, sequence=message.sequence, total=message.total, source_time=source_time, doubt="")


def _behind(watermark: Watermark, number: int, message: Message, source_time: datetime | None) -> Receipt:
    if _before(watermark.source_time, source_time):  # newer than the watermark: not late, anew
        return Receipt(Arrival.REPEATED, watermark)
    hole = next((one for one in watermark.missing if one[0] <= number <= one[1]), None)
    if hole is None:
        settled = next((one for one in watermark.settled if _in(number, one)), None)
        return Receipt(Arrival.TOO_LATE if settled else Arrival.REPEATED, watermark, settled=settled)
    rest = ((hole[0], number - 1), (number + 1, hole[1]))
    missing = [*watermark.missing, *(one for one in rest if one[0] <= one[1])]
    missing.remove(hole)
    filled = Gap(number, number, Decimal(1) if message.total is None else message.quantity)
    return Receipt(Arrival.LATE, replace(watermark, missing=tuple(sorted(missing)[-MOST_RANGES:])), filled=filled)


def settle(watermark: Watermark, settled: Iterable[Settled]) -> Watermark:
    """Return the watermark without what is settled now among what is missing."""
    found = _joined(settled)
    missing = tuple(one for one in watermark.missing if not any(_in(one[0], other) for other in found))
    unreported = () if any(one.first is None for one in found) else watermark.unreported
    return replace(
        watermark, missing=missing, settled=(*watermark.settled, *found)[-MOST_RANGES:], unreported=unreported
    )


def _joined(settled: Iterable[Settled]) -> list[Settled]:
    """Return each range once, those of a settlement that touch or overlap as one: a watermark is written often."""
    joined: list[Settled] = []
    for one in sorted(set(settled), key=lambda one: (one.exception, one.first or 0)):
        before = joined[-1] if joined else None
        joined[-1:] = [one] if before is None else _joined_pair(before, one)
    return joined


def _joined_pair(before: Settled, one: Settled) -> list[Settled]:
    """Return both as one where they are of one settlement and nothing is between them."""
    if before.last is None or one.first is None or one.last is None or before[2:] != one[2:]:
        return [before, one]
    if one.first > before.last + 1:
        return [before, one]
    return [before._replace(last=max(before.last, one.last))]


def _in(number: int, settled: Settled) -> bool:
    return settled.first is not None and settled.last is not None and settled.first <= number <= settled.last


def _between(watermark: Watermark, message: Message) -> Stretch | None:
    """Return where the device's total went between the watermark and this message's units; None without totals."""
    if watermark.total is None or message.total is None:
        return None
    return watermark.total, message.total - message.quantity


def _with_loss(watermark: Watermark, stretch: Stretch) -> Watermark:
    return replace(watermark, unreported=(*watermark.unreported, stretch)[-MOST_RANGES:])


def _reports(message: Message, stretch: Stretch) -> bool:
    return message.total is not None and stretch[0] <= message.total - message.quantity and message.total <= stretch[1]


def _before(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one < other

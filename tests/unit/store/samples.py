"""What the store's tests are about: one order on one line, its lots, events and documents."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from gateway.counting.counter import Checkpoint
from gateway.domain.clock import Instant
from gateway.domain.document import Document, DocumentKey, Part
from gateway.domain.event import Event, EventKind, SignalId, Trigger
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.lot import LotKey, Owner
from gateway.domain.posting import Output, Posting, PostingLine, PostingType
from gateway.domain.requirement import RequirementKey
from gateway.store.batch import Tally

START = datetime(2026, 11, 21, 10, 0, 0, 123000, tzinfo=UTC)
GOOD = SignalId("FILLER-1", "good")
SUPERMARKET = Owner("line", "L1")
ZERO, ONE = Decimal(0), Decimal(1)
NOTHING_COUNTED = Tally("", ZERO, ZERO, ZERO, ZERO)
PLACE = ("100045", "0010")
FIRST_DOCUMENT = 1000  # far from any seq, so that one is never taken for the other


def lot_key(number: int) -> LotKey:
    return LotKey(SUPERMARKET, f"ITEM-{number}", f"LOT-{number}", "L1-PACK")


def requirement_key(number: int) -> RequirementKey:
    return RequirementKey(*PLACE, f"00{number}0", "KG" if number == 3 else "EA")  # one is drawn in another unit


def checkpoint(value: int = 7, **changes) -> Checkpoint:
    return Checkpoint(value, "boot-1", Instant(START, 5_000_000_000, "b7c1"), START, "100045", value, **changes)


def make_event(number: int, kind: EventKind = EventKind.GOOD_UNITS) -> Event:
    moment = START + timedelta(milliseconds=number)
    return Event(GOOD, f"boot-1:{number - 1}-{number}@{number - 1}", kind, ONE, "", moment, moment, order="100045")


def make_posting(triggers: tuple[Trigger, ...], lines: tuple[PostingLine, ...], output: Output) -> Posting:
    return Posting(
        PostingType.COMPONENT,
        *PLACE,
        "COLA-CASE-12",
        "C261121-1",
        output,
        lines,
        triggers,
        "COLA-CASE-12",
        "3",
        "sha256:9f2c",
    )


def make_document(number: int, **changes) -> Document:
    key = DocumentKey(
        PostingType.COMPONENT,
        Part.MAIN,
        *PLACE,
        "FILLER-1",
        "fill-good",
        1,
        "COLA-CASE-12",
        "3",
        "sha256:9f2c",
        "COLA-CASE-12",
        "C261121-1",
        "bottle",
    )
    output = Output(ZERO, ZERO, ZERO, "bottle")
    document = Document(number, key, START, START, START + timedelta(minutes=1), output, (), (), (), (), ())
    return document._replace(**changes)


def make_exception(number: int, count: int, **changes) -> ExceptionRecord:
    record = ExceptionRecord(
        id=number,
        kind=ExceptionKind.TRIGGER,
        code="shortage",
        reason="ITEM-1 needs 1 EA, 0 available",
        scope=PLACE,
        quantity=Decimal(count),
        uom="",
        count=count,
        first_event=START,
        last_event=START,
        opened_at=START,
    )
    return replace(record, **changes)

"""A small line that makes consistent batches: every posting takes one piece of each of its components."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from gateway.counting.counter import Checkpoint
from gateway.domain.clock import ClockTrust, Instant
from gateway.domain.event import Event, EventKind, SignalId, Trigger
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.lot import LotBalance, LotKey, LotStatus, Owner, Staging
from gateway.domain.order import Progress
from gateway.domain.posting import Output, Posting, PostingLine, PostingType, Use
from gateway.domain.requirement import Requirement, RequirementKey
from gateway.formats import canonical, chain
from gateway.store.batch import Batch, EventRow, Head, JournalRow, PostingRow, StagingRow, Tally, TriggerRow
from gateway.store.codec import staging_hash
from gateway.store.store import Store

START = datetime(2026, 11, 21, 10, 0, 0, 123000, tzinfo=UTC)
GOOD = SignalId("FILLER-1", "good")
SUPERMARKET = Owner("line", "L1")
ZERO, ONE = Decimal(0), Decimal(1)
NOTHING = Tally("", ZERO, ZERO, ZERO, ZERO)


def lot_key(number: int) -> LotKey:
    return LotKey(SUPERMARKET, f"ITEM-{number}", f"LOT-{number}", "L1-PACK")


def checkpoint(value: int = 7, **changes) -> Checkpoint:
    return Checkpoint(value, "boot-1", Instant(START, 5_000_000_000, "b7c1"), START, "100045", value, **changes)


def make_event(number: int, kind: EventKind = EventKind.GOOD_UNITS) -> Event:
    moment = START + timedelta(milliseconds=number)
    return Event(GOOD, f"e1:{number:09d}", kind, ONE, "", moment, moment, order="100045")


@dataclass
class Line:
    """What the pipeline would keep in memory, for one order with `components` components."""

    gateway: str
    store: str
    head: Head
    components: int = 8
    events: int = 0
    exceptions: int = 0
    lots: dict[LotKey, LotBalance] = field(default_factory=dict)
    requirements: dict[RequirementKey, Requirement] = field(default_factory=dict)
    tally: Tally = NOTHING
    now: datetime = START

    @classmethod
    async def on(cls, store: Store, components: int = 8) -> "Line":
        loaded = await store.load()
        return cls(store.gateway, store.store, loaded.head, components)

    def staged(self, quantity: int = 1000) -> Batch:
        batch = Batch()
        for number in range(self.components):
            key = lot_key(number)
            self.lots[key] = LotBalance(key, "EA", self.now, None, LotStatus.UNRESTRICTED, staged=Decimal(quantity))
            staging = Staging(f"S-{number}", key, Decimal(quantity), "EA", self.now)
            batch.stagings.append(StagingRow(staging, self.now, staging_hash(staging)))
        self._journal(batch, "staging")
        return self._complete(batch)

    def posted(self, count: int, kind: EventKind = EventKind.GOOD_UNITS) -> Batch:
        batch = Batch()
        for _ in range(count):
            trigger = self._trigger(batch, kind)
            seq = self._post(batch, trigger)
            batch.triggers.append(TriggerRow(trigger.id, trigger.id, trigger, seq, None))
        where = {"posted": self.tally.posted + count}
        if kind is EventKind.SCRAP_UNITS:
            where = {"scrapped": self.tally.scrapped + count}
        self.tally = self.tally._replace(counted=self.tally.counted + count, **where)
        return self._complete(batch)

    def held(self, count: int) -> Batch:
        batch = Batch()
        self.exceptions += 1
        for _ in range(count):
            trigger = self._trigger(batch, EventKind.GOOD_UNITS)
            batch.triggers.append(TriggerRow(trigger.id, trigger.id, trigger, None, self.exceptions))
        batch.exceptions[self.exceptions] = make_exception(self.exceptions, count)
        self.tally = self.tally._replace(counted=self.tally.counted + count, held=self.tally.held + count)
        return self._complete(batch)

    def released(self, triggers: list[Trigger]) -> Batch:
        batch = Batch()
        batch.released = [(one.id, self._post(batch, one)) for one in triggers]
        closed = make_exception(self.exceptions, 0, closed_at=self.now, close_reason="posted")
        batch.exceptions[self.exceptions] = closed
        count = len(triggers)
        self.tally = self.tally._replace(posted=self.tally.posted + count, held=self.tally.held - count)
        return self._complete(batch)

    def _trigger(self, batch: Batch, kind: EventKind) -> Trigger:
        self.events += 1
        event = make_event(self.events, kind)
        batch.events.append(EventRow(self.events, event, "COUNT"))
        return Trigger(self.events, event, "fill-good", 1, "L1", "100045", "0010")

    def _post(self, batch: Batch, trigger: Trigger) -> int:
        seq, position = self.head.seq + 1, self.head.position + 1
        posting = make_posting(trigger, [self._take(number) for number in range(self.components)])
        body, sealed = chain.seal(canonical.posting(posting, seq, position, self._place()), self.head.hash)
        batch.postings.append(PostingRow(seq, position, posting, self.now, body))
        self.head = Head(position, sealed, seq)
        return seq

    def _take(self, number: int) -> PostingLine:
        key = lot_key(number)
        line = PostingLine(Use.CONSUMED, key.item, ONE, "EA", key.lot, key.location, f"00{number}0", "backflush")
        self.lots[key] = self.lots[key].consume(ONE)
        required = RequirementKey("100045", "0010", line.bom_line, "EA")
        before = self.requirements.get(required, Requirement())
        self.requirements[required] = Requirement(before.numerator + 1, 1, before.committed + ONE)
        return line

    def _journal(self, batch: Batch, kind: str) -> None:
        position = self.head.position + 1
        body, sealed = chain.seal(canonical.journal(kind, {"who": "test"}, position, self._place()), self.head.hash)
        batch.journal.append(JournalRow(position, kind, body))
        self.head = Head(position, sealed, self.head.seq)

    def _place(self) -> canonical.Place:
        return canonical.Place(self.gateway, self.store, self.now, ClockTrust("assume", 0))

    def _complete(self, batch: Batch) -> Batch:
        batch.lots = dict(self.lots)
        batch.requirements = dict(self.requirements)
        batch.progress = {("100045", "0010"): Progress(self.tally.posted, self.tally.scrapped, ZERO)}
        batch.checkpoints = {GOOD: checkpoint(self.events)}
        batch.tallies = {GOOD: self.tally}
        batch.head = self.head
        return batch


def make_posting(trigger: Trigger, lines: list[PostingLine]) -> Posting:
    return Posting(
        PostingType.COMPONENT,
        trigger.order,
        trigger.operation,
        "COLA-CASE-12",
        "C261121-1",
        Output(ONE, ZERO, ZERO, "bottle"),
        tuple(lines),
        (trigger,),
        "COLA-CASE-12",
        "3",
        "sha256:9f2c",
    )


def make_exception(number: int, count: int, **changes) -> ExceptionRecord:
    return ExceptionRecord(
        id=number,
        kind=ExceptionKind.TRIGGER,
        code="shortage",
        reason="ITEM-1 needs 1 EA, 0 available",
        scope=("100045", "0010"),
        quantity=Decimal(count),
        uom="",
        count=count,
        first_event=START,
        last_event=START,
        opened_at=START,
        **changes,
    )

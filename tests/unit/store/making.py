"""A small line that makes consistent batches: every trigger takes one piece of each of its components."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from gateway.counting.counter import Checkpoint
from gateway.domain.clock import ClockTrust, Instant
from gateway.domain.document import Backlog, Document, DocumentKey, Draw, Link, Part, Pick, Span
from gateway.domain.event import Event, EventKind, SignalId, Trigger
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.lot import LotBalance, LotKey, LotStatus, Owner, Staging
from gateway.domain.order import Progress
from gateway.domain.posting import NO_OUTPUT, Output, Posting, PostingLine, PostingType
from gateway.domain.requirement import NOTHING, Ratio, Requirement, RequirementKey
from gateway.domain.use import Use
from gateway.formats import canonical, chain
from gateway.store.batch import (
    Batch,
    EventRow,
    Head,
    JournalRow,
    PostingRow,
    SpanHead,
    StagingRow,
    Tally,
    TransferRow,
    TriggerRow,
)
from gateway.store.codec import staging_hash
from gateway.store.store import Store

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
    return Event(GOOD, f"e1:{number:09d}", kind, ONE, "", moment, moment, order="100045")


@dataclass
class Line:
    """What the pipeline would keep in memory, for one order with `components` components."""

    gateway: str
    store: str
    head: Head
    components: int = 8
    events: int = 0
    debts: int = 0
    documents: int = FIRST_DOCUMENT
    exceptions: int = 0
    open: dict[int, Document] = field(default_factory=dict)
    gathered: dict[int, list[Trigger]] = field(default_factory=dict)
    links: dict[int, list[Link]] = field(default_factory=dict)  # by document
    seqs: dict[int, int] = field(default_factory=dict)  # by document
    lots: dict[LotKey, LotBalance] = field(default_factory=dict)
    requirements: dict[RequirementKey, Requirement] = field(default_factory=dict)
    placed: SpanHead = field(default_factory=SpanHead)
    spans: dict[int, Span] = field(default_factory=dict)  # by trigger
    owed: dict[int, Backlog] = field(default_factory=dict)
    tally: Tally = NOTHING_COUNTED
    says_owner: bool = True  # old postings don't
    now: datetime = START

    @classmethod
    async def on(cls, store: Store, components: int = 8) -> "Line":
        loaded = await store.load()
        return cls(store.gateway, store.store, loaded.head, components)

    # --- stock ----------------------------------------------------------------------------------

    def staged(self, quantity: int = 1000) -> Batch:
        batch = Batch()
        for number in range(self.components):
            key = lot_key(number)
            self.lots[key] = LotBalance(key, "EA", self.now, None, LotStatus.UNRESTRICTED, staged=Decimal(quantity))
            staging = Staging(f"S-{number}", key, Decimal(quantity), "EA", self.now)
            batch.stagings.append(StagingRow(staging, self.now, staging_hash(staging)))
        self._journal(batch, "staging")
        return self._complete(batch)

    def returned(self, number: int, quantity: int) -> Batch:
        batch = Batch()
        lot = self.lots[lot_key(number)]
        self.lots[lot.key] = lot.give_back(Decimal(quantity))
        self._move(batch, "return", lot, moved=Decimal(quantity), quantity=Decimal(quantity))
        return self._complete(batch)

    def counted(self, number: int, found: int) -> Batch:
        batch = Batch()
        lot = self.lots[lot_key(number)]
        missing = lot.left - found
        self.lots[lot.key] = lot.consume(missing)
        self._move(batch, "count", lot, moved=missing, quantity=Decimal(found))
        return self._complete(batch)

    def _move(self, batch: Batch, kind: str, lot: LotBalance, *, moved: Decimal, quantity: Decimal) -> None:
        use = Use.RETURNED if kind == "return" else Use.CONSUMED
        row = TransferRow(f"{kind}-1", kind, "5f3c", lot.key, lot.left, quantity, "EA", "recount", self.now)
        batch.transfers.append(row)
        line = PostingLine(use, lot.key.item, moved, "EA", lot.key.lot, lot.key.location, owner=lot.key.owner)
        posting = make_posting((), (line,), NO_OUTPUT)._replace(type=PostingType(kind), operation="")
        self._post(batch, self._document(), posting)

    # --- documents ------------------------------------------------------------------------------

    def posted(self, count: int, kind: EventKind = EventKind.GOOD_UNITS) -> Batch:
        """Each trigger is a document of its own."""
        batch = Batch()
        for _ in range(count):
            trigger = self._trigger(batch, kind)
            document = self._book(batch, trigger, self._document())
            batch.triggers.append(TriggerRow(trigger.id, trigger.id, trigger, document, None))
            self._close(batch, document)
        self._count(posted=count) if kind is EventKind.GOOD_UNITS else self._count(scrapped=count)
        return self._complete(batch)

    def gathered_in(self, count: int, document: int | None = None) -> Batch:
        """Put triggers into one window, a new one where none is named."""
        batch = Batch()
        number = document or self._document()
        for _ in range(count):
            trigger = self._trigger(batch, EventKind.GOOD_UNITS)
            batch.triggers.append(TriggerRow(trigger.id, trigger.id, trigger, number, None))
            self._book(batch, trigger, number)
        self._count(posted=count)
        return self._complete(batch)

    def closed(self, document: int) -> Batch:
        """Close a window."""
        batch = Batch()
        self._close(batch, document)
        return self._complete(batch)

    def reversed(self, document: int, units: int | None = None) -> Batch:
        """Mirror a posted document: whole, or so many of its newest triggers."""
        batch = Batch()
        chosen = self.links[document][::-1][:units]
        mirror = self._document()
        for link in chosen:
            draws = tuple(self._mirrored(draw) for draw in link.draws)
            lines = tuple((line, -quantity) for line, quantity in link.lines)
            batch.links.append(Link(link.trigger, mirror, -link.units, lines, draws))
            span = self.spans[link.trigger]
            batch.reversed_spans.append(span)
            self.placed = self.placed._replace(free=(*self.placed.free, span[2:4]))
        count = Decimal(len(chosen))
        lines = tuple(self._line(number, -count) for number in range(self.components))
        output = Output(-count, ZERO, ZERO, "bottle")
        posting = make_posting((), lines, output)._replace(reverses=self.seqs[document])
        self._post(batch, mirror, posting)
        self._count(posted=-int(count), taken_back=int(count))
        return self._complete(batch)

    def short(self, number: int) -> Batch:
        """Post a trigger that is owed one component."""
        batch = Batch()
        trigger = self._trigger(batch, EventKind.GOOD_UNITS)
        document = self._book(batch, trigger, self._document(), lacking=number)
        batch.triggers.append(TriggerRow(trigger.id, trigger.id, trigger, document, None))
        self._close(batch, document)
        self._count(posted=1)
        draw = self.links[document][0].draws[-1]
        self.debts += 1
        owed = Backlog(self.debts, trigger.id, document, draw.key, draw.backlog)
        self.owed[owed.id] = batch.backlogs[owed.id] = owed
        return self._complete(batch)

    def settled(self, backlog: int) -> Batch:
        """Issue what is owed, in a document that follows."""
        batch = Batch()
        owed = self.owed.pop(backlog)
        batch.backlogs[backlog] = None
        number = int(owed.key.bom_line[2])
        document = self._document()
        committed = self.requirements[owed.key]
        draw = self._draw(number, line=0)._replace(required=NOTHING)
        self.requirements[owed.key] = committed  # it was, when the trigger posted
        batch.links.append(Link(owed.trigger, document, ZERO, ((0, ONE),), (draw,)))
        self.lots[lot_key(number)] = self.lots[lot_key(number)].consume(ONE)
        main = self.seqs[owed.document]
        posting = make_posting((self._known(owed.trigger),), (self._line(number, ONE),), NO_OUTPUT)
        self._post(batch, document, posting._replace(follows=main), follows=owed.document)
        return self._complete(batch)

    def mirrors(self, document: int) -> bool:
        """Tell whether `reversed` can mirror the document: good units only, with every component."""
        triggers = self.gathered.get(document, ())
        good = bool(triggers) and all(one.event.kind is EventKind.GOOD_UNITS for one in triggers)
        return good and all(len(one.lines) == self.components for one in self.links[document])

    # --- the work list --------------------------------------------------------------------------

    def held(self, count: int) -> Batch:
        batch = Batch()
        self.exceptions += 1
        for _ in range(count):
            trigger = self._trigger(batch, EventKind.GOOD_UNITS)
            batch.triggers.append(TriggerRow(trigger.id, trigger.id, trigger, None, self.exceptions))
        batch.exceptions[self.exceptions] = make_exception(self.exceptions, count)
        self._count(held=count)
        return self._complete(batch)

    def released(self, triggers: list[Trigger]) -> Batch:
        batch = Batch()
        for one in triggers:
            document = self._book(batch, one, self._document())
            batch.released.append((one.id, document))
            self._close(batch, document)
        self._end_exception(batch, "posted")
        self._count(posted=len(triggers), released=len(triggers))
        return self._complete(batch)

    def closed_without_posting(self, triggers: list[Trigger]) -> Batch:
        batch = Batch()
        batch.released = [(one.id, None) for one in triggers]
        self._end_exception(batch, "tested by hand")
        self._count(taken_back=len(triggers), released=len(triggers))
        return self._complete(batch)

    def _end_exception(self, batch: Batch, reason: str) -> None:
        closed = make_exception(self.exceptions, 0, closed_at=self.now, close_reason=reason)
        batch.exceptions[self.exceptions] = closed

    # --- how a batch comes about ----------------------------------------------------------------

    def _trigger(self, batch: Batch, kind: EventKind) -> Trigger:
        self.events += 1
        event = make_event(self.events, kind)
        batch.events.append(EventRow(self.events, event, "COUNT"))
        return Trigger(self.events, event, "fill-good", 1, "L1", *PLACE)

    def _known(self, trigger: int) -> Trigger:
        return next(one for triggers in self.gathered.values() for one in triggers if one.id == trigger)

    def _document(self) -> int:
        self.documents += 1
        return self.documents

    def _book(self, batch: Batch, trigger: Trigger, number: int, lacking: int | None = None) -> int:
        document = self.open.get(number) or make_document(number)
        scrap = trigger.event.kind is EventKind.SCRAP_UNITS
        taken = [one for one in range(self.components) if one != lacking]
        draws = [self._draw(one, line=taken.index(one)) for one in taken]
        if lacking is not None:
            draw = self._draw(lacking, line=0)
            draws.append(draw._replace(backlog=draw.due, picks=()))
        for one in taken:
            self.lots[lot_key(one)] = self.lots[lot_key(one)].consume(ONE)
        link = Link(trigger.id, number, ONE, tuple((line, ONE) for line in range(len(taken))), tuple(draws))
        batch.links.append(link)
        self.links.setdefault(number, []).append(link)
        self.gathered.setdefault(number, []).append(trigger)
        self.spans[trigger.id] = Span(*PLACE, self.placed.next, self.placed.next + 1, trigger.id)
        batch.spans.append(self.spans[trigger.id])
        self.placed = self.placed._replace(next=self.placed.next + 1)
        output = document.output
        self.open[number] = batch.documents[number] = document._replace(
            triggers=(*document.triggers, trigger.id),
            lines=tuple(self._line(one, ONE + len(document.triggers)) for one in taken),
            output=output._replace(good=output.good + (not scrap), scrap=output.scrap + scrap),
        )
        return number

    def _draw(self, number: int, line: int) -> Draw:
        key = requirement_key(number)
        component = Decimal("0.25") if key.uom == "KG" else ONE
        before = self.requirements.get(key, Requirement())
        self.requirements[key] = Requirement(before.numerator + 1, 1, before.committed + component)
        return Draw(
            key, f"ITEM-{number}", before, Ratio(1, 1), NOTHING, component, ZERO, (Pick(line, ONE, component),), ()
        )

    def _mirrored(self, draw: Draw) -> Draw:
        before = self.requirements[draw.key]
        self.requirements[draw.key] = before.give_back(draw.required, draw.due, once=False)
        key = lot_key(int(draw.item[5:]))
        self.lots[key] = self.lots[key].consume(-ONE)
        picks = tuple(Pick(one.line, -one.quantity, -one.component) for one in draw.picks)
        return draw._replace(required=Ratio(-1, 1), due=-draw.due, picks=picks)

    def _line(self, number: int, quantity: Decimal) -> PostingLine:
        key, bom_line = lot_key(number), requirement_key(number).bom_line
        owner = key.owner if self.says_owner else None
        line = PostingLine(Use.CONSUMED, key.item, quantity, "EA", key.lot, key.location, bom_line, "backflush")
        return line._replace(owner=owner)

    def _close(self, batch: Batch, number: int) -> None:
        document = self.open.pop(number)
        batch.documents[number] = None
        posting = make_posting(tuple(self.gathered[number]), document.lines, document.output)
        self._post(batch, number, posting)

    def _post(self, batch: Batch, document: int, posting: Posting, follows: int | None = None) -> None:
        seq, position = self.head.seq + 1, self.head.position + 1
        body, sealed = chain.seal(canonical.posting(posting, seq, position, self._place()), self.head.hash)
        batch.postings.append(PostingRow(seq, position, posting, self.now, body, document, follows))
        self.seqs[document] = seq
        self.head = Head(position, sealed, seq)

    def _journal(self, batch: Batch, kind: str) -> None:
        position = self.head.position + 1
        body, sealed = chain.seal(canonical.journal(kind, {"who": "test"}, position, self._place()), self.head.hash)
        batch.journal.append(JournalRow(position, kind, body))
        self.head = Head(position, sealed, self.head.seq)

    def _place(self) -> canonical.Place:
        return canonical.Place(self.gateway, self.store, self.now, ClockTrust("assume", 0))

    def _count(
        self, *, posted: int = 0, scrapped: int = 0, held: int = 0, taken_back: int = 0, released: int = 0
    ) -> None:
        before = self.tally
        self.tally = Tally(
            before.uom,
            before.counted + posted + scrapped + held + taken_back - released,
            before.posted + posted,
            before.scrapped + scrapped,
            before.held + held - released,
            before.reversed + taken_back,
        )

    def _complete(self, batch: Batch) -> Batch:
        batch.lots = dict(self.lots)
        batch.requirements = dict(self.requirements)
        batch.span_heads = {PLACE: self.placed}
        batch.progress = {PLACE: Progress(self.tally.posted, self.tally.scrapped, ZERO)}
        batch.checkpoints = {GOOD: checkpoint(self.events)}
        batch.tallies = {GOOD: self.tally}
        batch.head = self.head
        return batch


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

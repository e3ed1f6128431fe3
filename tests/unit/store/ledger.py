"""What the pipeline would keep in memory of a small line, and how its batches come about: consistent ones."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from gateway.domain.clock import ClockTrust
from gateway.domain.document import Backlog, Document, Draw, Link, Pick, Span
from gateway.domain.event import EventKind, Trigger
from gateway.domain.lot import LotBalance, LotKey
from gateway.domain.order import Progress
from gateway.domain.posting import Posting, PostingLine
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
    Tally,
)
from tests.unit.store.samples import (
    FIRST_DOCUMENT,
    GOOD,
    NOTHING_COUNTED,
    ONE,
    PLACE,
    START,
    ZERO,
    checkpoint,
    lot_key,
    make_document,
    make_event,
    make_posting,
    requirement_key,
)


@dataclass
class Ledger:
    """One order with `components` components, of which every trigger takes one piece."""

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

"""A bottling order as the pipeline writes it: filler and capper count bottles, the packer seals cases of twelve."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from gateway.domain.bom import BillOfMaterial, BomOperation, Component
from gateway.domain.clock import ClockTrust
from gateway.domain.document import Document, DocumentKey, Link, Part, Span
from gateway.domain.event import Event, EventKind, SignalId, Trigger
from gateway.domain.lot import LotBalance, LotFacts, LotKey, LotStatus, Owner
from gateway.domain.material import Item
from gateway.domain.order import Order
from gateway.domain.posting import Output, Posting, PostingLine, PostingType
from gateway.domain.use import Use
from gateway.formats import canonical
from gateway.settings.snapshot import Content, digest
from gateway.store.batch import Batch, EventRow, PostingRow, Snapshot, SpanHead, TriggerRow
from gateway.store.store import Store

BEGIN = datetime(2026, 11, 21, 10, tzinfo=UTC)
LINE = Owner("line", "L1")
BOTTLE = 1_000_000  # a bottle's length in spans
FIRST, SECOND = "106141412345678908", "106141412345678915"
DEVICES = {"0010": "FILLER-1", "0020": "CAPPER-1", "0030": "PACKER-1"}
LENGTHS = {"0010": BOTTLE, "0020": BOTTLE, "0030": 12 * BOTTLE}


def make_content(mixing: int = 0) -> Content:
    """Return the master data; a change of the bottles' lot mixes over so many bottles."""
    bill = BillOfMaterial(
        bom="COLA",
        version="3",
        item="COLA-CASE-12",
        base_quantity=Decimal(1),
        uom="EA",
        operations=(
            BomOperation("0010", "bottle", Fraction(12)),
            BomOperation("0020", "bottle", Fraction(12)),
            BomOperation("0030", "EA", receipt=True),
        ),
        components=(
            Component("0010", "BOTTLE", Decimal(12), "EA", "0010", mixing_units=Decimal(mixing)),
            Component("0020", "CAP", Decimal(12), "EA", "0020"),
            Component("0030", "CARTON", Decimal(1), "EA", "0030"),
        ),
        approved=True,
    )
    items = tuple(Item(name, "EA") for name in ("COLA-CASE-12", "BOTTLE", "CAP", "CARTON"))
    order = Order("100045", "COLA-CASE-12", Decimal(1000), "EA", "L1", "COLA", "3", finished_lot="C-1")
    return Content(items, (), (bill,), (order,), (), (), {})


@dataclass
class Bottling:
    """Writes what the line made into `batch`, until it is committed; ids and units go on."""

    store: Store
    content: Content = field(default_factory=make_content)
    batch: Batch = field(default_factory=Batch)
    triggers: dict[int, tuple[Trigger, Link, tuple[PostingLine, ...]]] = field(default_factory=dict)
    seq: int = 0
    document: int = 0
    next: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    spans: list[Span] = field(default_factory=list)

    @property
    def hash(self) -> str:
        """The master data's name."""
        return digest(self.content.encoded())

    async def commit(self) -> None:
        """Write what was made so far; the heads say how far each operation has come."""
        encoded = self.content.encoded()
        self.batch.snapshots = [Snapshot(digest(encoded), encoded, BEGIN)]
        self.batch.span_heads = {("100045", one): SpanHead(reached) for one, reached in self.next.items()}
        await self.store.commit(self.batch)
        self.batch = Batch()

    def stage(self, item: str, lot: str, supplier: str = "") -> None:
        """Stage a thousand of a lot."""
        key = LotKey(LINE, item, lot, "BIN")
        facts = LotFacts(supplier=supplier)
        self.batch.lots[key] = LotBalance(
            key, "EA", BEGIN, None, LotStatus.UNRESTRICTED, staged=Decimal(1000), facts=facts
        )

    def count(self, operation: str, units: int, *lines: PostingLine, at: int | None = None, **event) -> int:
        """Count good units that took `lines` and post them, from unit `at` on; return the trigger's id."""
        self.document += 1
        trigger = self._trigger(operation, units, self.document, **event)
        self._link(trigger, units, lines)
        span = self._span(trigger, operation, units, at)
        self._post(trigger, lines, self.document, reach=(span,) * len(lines))
        return trigger.id

    def gather(self, operation: str, *counted: tuple[int, tuple[PostingLine, ...]]) -> Document:
        """Count into a window that stays open; every count takes the same lines (lots), with its own quantities."""
        self.document += 1
        triggers, first = [], self.next[operation]
        for units, lines in counted:
            trigger = self._trigger(operation, units, self.document)
            self._link(trigger, units, lines)
            self._span(trigger, operation, units, None)
            triggers.append(trigger.id)
        lines = counted[-1][1]
        total = tuple(
            one._replace(quantity=sum((some[number].quantity for _, some in counted), Decimal(0)))
            for number, one in enumerate(lines)
        )
        document = Document(
            id=self.document,
            key=self._key(trigger),
            opened_at=BEGIN,
            begun=BEGIN,
            due=None,
            output=Output(Decimal(sum(units for units, _ in counted)), Decimal(0), Decimal(0), "bottle"),
            lines=total,
            activities=(),
            deviations=(),
            triggers=tuple(triggers),
            reach=((first, self.next[operation]),) * len(lines),
        )
        self.batch.documents[document.id] = document
        return document

    def close(self, document: Document) -> int:
        """Close a window: it is a posting now."""
        self.batch.documents[document.id] = None
        trigger = self.triggers[document.triggers[0]][0]
        self._post(trigger, document.lines, document.id, reach=document.reach)
        return self.seq

    def reverse(self, trigger: int, seq: int) -> int:
        """Reverse a whole trigger of the posting."""
        one, link, lines = self.triggers[trigger]
        self.document += 1
        back = tuple(line._replace(quantity=-line.quantity) for line in lines)
        self.batch.links.append(
            link._replace(
                document=self.document, units=-link.units, lines=tuple((n, -quantity) for n, quantity in link.lines)
            )
        )
        self.batch.reversed_spans += [span for span in self.spans if span.trigger == trigger]
        self._post(one, back, self.document, reverses=seq, reach=())
        return self.seq

    def hold(self, operation: str, exception: int, **event) -> int:
        """Count a unit that waits in an exception."""
        return self._trigger(operation, 1, None, exception, **event).id

    def _trigger(
        self, operation: str, units: int, document: int | None, exception: int | None = None, **event
    ) -> Trigger:
        number = len(self.triggers) + 1
        at = BEGIN + timedelta(seconds=number)
        kind = EventKind.CASE_SEALED if operation == "0030" else EventKind.GOOD_UNITS
        made = Event(SignalId(DEVICES[operation], "good"), f"k{number}", kind, Decimal(units), "", at, at, **event)
        trigger = Trigger(number, made, "rule", 1, "L1", "100045", operation)
        self.batch.events.append(EventRow(number, made, "COUNT"))
        self.batch.triggers.append(TriggerRow(number, number, trigger, document, exception))
        self.triggers[number] = (trigger, Link(number, 0, Decimal(units), (), ()), ())
        return trigger

    def _link(self, trigger: Trigger, units: int, lines: tuple[PostingLine, ...]) -> None:
        link = Link(
            trigger.id, self.document, Decimal(units), tuple((n, one.quantity) for n, one in enumerate(lines)), ()
        )
        self.batch.links.append(link)
        self.triggers[trigger.id] = (trigger, link, lines)

    def _span(self, trigger: Trigger, operation: str, units: int, at: int | None) -> tuple[int, int]:
        start = self.next[operation] if at is None else at * BOTTLE
        end = start + units * LENGTHS[operation]
        self.next[operation] = max(end, self.next[operation])
        sscc = trigger.event.sscc
        span = Span("100045", operation, start, end, trigger.id, sscc, trigger.event.source_time if sscc else None)
        self.batch.spans.append(span)
        self.spans.append(span)
        return start, end

    def _key(self, trigger: Trigger) -> DocumentKey:
        bill = ("COLA", "3", self.hash, "COLA-CASE-12", "C-1", "bottle")
        return DocumentKey(PostingType.COMPONENT, Part.MAIN, "100045", trigger.operation, "D", "rule", 1, *bill)

    def _post(self, trigger, lines, document, *, reach, reverses=None) -> None:
        self.seq += 1
        posting = Posting(
            PostingType.ASSEMBLY,
            "100045",
            trigger.operation,
            "COLA-CASE-12",
            "C-1",
            Output(trigger.event.quantity, Decimal(0), Decimal(0), "EA"),
            lines,
            (trigger,),
            "COLA",
            "3",
            self.hash,
            reverses=reverses,
        )
        place = canonical.Place("PLANT1-L1", self.store.store, BEGIN, ClockTrust("assume", 0))
        body = canonical.posting(posting, self.seq, self.seq, place)
        self.batch.postings.append(PostingRow(self.seq, self.seq, posting, BEGIN, body, document, reach=reach))


def used(item: str, lot: str, quantity: str, bom_line: str = "") -> PostingLine:
    """Return a consumed line."""
    line = bom_line or {"BOTTLE": "0010", "CAP": "0020", "CARTON": "0030"}[item]
    return PostingLine(Use.CONSUMED, item, Decimal(quantity), "EA", lot, "BIN", line, "backflush", LINE)

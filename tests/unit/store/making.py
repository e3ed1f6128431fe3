"""A small line that makes consistent batches: every trigger takes one piece of each of its components."""

from decimal import Decimal

from gateway.domain.document import Backlog, Link
from gateway.domain.event import EventKind, Trigger
from gateway.domain.lot import LotBalance, LotStatus, Staging
from gateway.domain.posting import NO_OUTPUT, Output, PostingLine, PostingType
from gateway.domain.requirement import NOTHING
from gateway.domain.use import Use
from gateway.store.batch import (
    Batch,
    StagingRow,
    TransferRow,
    TriggerRow,
)
from gateway.store.codec import staging_hash
from gateway.store.store import Store
from tests.unit.store.ledger import Ledger
from tests.unit.store.samples import (
    ONE,
    ZERO,
    lot_key,
    make_exception,
    make_posting,
)


class Line(Ledger):
    """The steps of production: each returns a batch to commit."""

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
            batch.released.append((one.id, document, one.order))
            self._close(batch, document)
        self._end_exception(batch, "posted")
        self._count(posted=len(triggers), released=len(triggers))
        return self._complete(batch)

    def closed_without_posting(self, triggers: list[Trigger]) -> Batch:
        batch = Batch()
        batch.released = [(one.id, None, one.order) for one in triggers]
        self._end_exception(batch, "tested by hand")
        self._count(taken_back=len(triggers), released=len(triggers))
        return self._complete(batch)

    def _end_exception(self, batch: Batch, reason: str) -> None:
        closed = make_exception(self.exceptions, 0, closed_at=self.now, close_reason=reason)
        batch.exceptions[self.exceptions] = closed

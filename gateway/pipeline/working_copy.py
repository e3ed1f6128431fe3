"""The working copy of one batch: what it changes, and the rows that say so. Dropped whole when the commit fails."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from gateway.backflush.allocate import first_expiry
from gateway.backflush.gather import Gathering
from gateway.backflush.outcome import Changes
from gateway.domain.clock import UNTRUSTED
from gateway.domain.document import Link
from gateway.domain.event import Event, SignalId, Trigger
from gateway.domain.lot import LotBalance, LotKey
from gateway.domain.posting import Posting
from gateway.domain.quantity import EXACT, ZERO
from gateway.errors import CommandRefused
from gateway.formats import canonical
from gateway.formats.chain import seal
from gateway.pipeline import recording
from gateway.pipeline.model import LineModel
from gateway.pipeline.state import Shelf, State
from gateway.pipeline.view import View
from gateway.store.batch import Batch, EventRow, Head, InputRow, PostingRow, Snapshot, Tally, TriggerRow
from gateway.store.chaining import chained

Hold = tuple[str, str, str]  # code, reason, detail
Reach = tuple[tuple[int, int] | None, ...]


class WorkingCopy(View):
    """Collects the rows of the batch beside the changed values."""

    def __init__(self, state: State, model: LineModel, place: canonical.Place) -> None:
        super().__init__(state, model)
        self.place = place
        self.now = place.posted_at
        self.ids = replace(state.ids)
        self.head = state.head
        self.gatherings: dict[int, Gathering] = {}  # open documents that the batch adds to
        self.closed: dict[int, int] = {}  # seq by document, of this batch
        self.rows = Batch()
        self.must_commit = False
        self.retry = False  # what happened may release what waits: it is tried again after the batch
        self.contents: dict[tuple[str, str, str], str | None] = {}  # message keys seen in this batch
        self.retried: int | None = None  # the exception that the batch tries again, where it does nothing else
        self.stored = state.stored  # the checkpoints as they are on disk
        self.read_again: list[SignalId] = []

    def add_event(self, event: Event, verdict: str, content: str | None = None, hold: Hold | None = None) -> int:
        """Write the event down; `hold` says why its units are held at once."""
        event_id = self.ids.event
        self.ids.event += 1
        self.rows.events.append(EventRow(event_id, event, verdict, content, hold))
        self.contents[event.signal.device, event.signal.signal, event.key] = content
        self.must_commit = True
        return event_id

    def add_trigger(self, event_id: int, trigger: Trigger, document: int | None, exception_id: int | None) -> None:
        """Write the trigger down with where it went: into its main document, or waiting in an exception."""
        self.rows.triggers.append(TriggerRow(trigger.id, event_id, trigger, document, exception_id))

    def take_over(self, changes: Changes) -> None:
        """Make what a booking changed visible to the next."""
        for key, lot in changes.lots.items():
            listed = self.stock.get((key.owner, key.item))
            if listed and listed[0] == key and key not in changes.used_up:
                self.lot_balances[key] = lot  # nearly each: the first one stays that while its rest becomes smaller
            else:
                self.put_lot(lot)
        self.requirements.update(changes.requirements)
        self.order_progress.update(changes.progress)
        self.must_commit = True

    def new_document(self) -> int:
        """Return the id of a document that nobody has yet."""
        document = self.ids.document
        self.ids.document += 1
        return document

    def add_posting(self, posting: Posting, document: int, *, follows: int | None = None, reach: Reach = ()) -> int:
        """Give a closed document its place in the log; return its seq. CommandRefused: there is no time to post at."""
        clock = self.place.clock
        if clock.trust == UNTRUSTED:
            raise CommandRefused(
                f"nothing is posted while the clock isn't trusted: {clock.reason}",
                "wait until it is synchronised, or trust it with a signature",
            )
        seq, position = self.head.seq + 1, self.head.position + 1
        core = canonical.posting(posting, seq, position, self.place)
        body, sealed = seal(core, self.head.hash)
        self.head = Head(position, sealed, seq)
        self.rows.postings.append(PostingRow(seq, position, posting, self.now, body, document, follows, reach))
        self.closed[document] = seq
        self.must_commit = True
        return seq

    def add_links(self, links: Iterable[Link]) -> None:
        """Write down which quantities of a document are whose."""
        self.rows.links.extend(links)

    def add_journal(self, kind: str, content: Mapping[str, Any]) -> None:
        """Chain an entry that is no posting."""
        row, self.head = chained(kind, content, self.place, self.head)
        self.rows.journal.append(row)
        self.must_commit = True

    def record(self, kind: str, content: Mapping[str, Any]) -> None:
        """Write down what the engine was told beside the events; it is kept when the batch commits."""
        if not self.rows.inputs:
            self._record("tick", recording.tick(self.place, self.retried), self.state.ids.event)
        self._record(kind, content, self.ids.event)

    def _record(self, kind: str, content: Mapping[str, Any], next_event: int) -> None:
        self.rows.inputs.append(InputRow(self.ids.input, next_event - 1, kind, recording.dumped(content)))
        self.ids.input += 1

    def put_lot(self, lot: LotBalance) -> None:
        """Take over a changed balance, in its place among the others; listed while something is left of it."""
        shelf = lot.key.owner, lot.key.item
        before, listed = self.lot_balances.get(lot.key), self.stock.get(shelf) or []
        at = bisect_left(listed, first_expiry(before), key=self._rank) if before and before.left > ZERO else None
        self.lot_balances[lot.key] = lot
        self.must_commit = True
        if at is not None and lot.left > ZERO and self._in_order(listed[max(at - 1, 0) : at + 2]):
            return
        listed = listed.copy()
        if at is not None:
            del listed[at]
        if lot.left > ZERO:
            insort(listed, lot.key, key=self._rank)
        self.stock[shelf] = listed

    def _in_order(self, keys: Iterable[LotKey]) -> bool:
        return all(one < other for one, other in pairwise(map(self._rank, keys)))

    def _rank(self, key: LotKey) -> tuple[datetime, datetime, Decimal, str, LotKey]:
        lot = self.lot_balances.get(key)
        if lot is None:
            raise KeyError(key)
        return first_expiry(lot)

    def staged(self) -> dict[Shelf, Decimal]:
        """Return what is left by now on the shelves that the batch took from or added to."""
        found: dict[Shelf, Decimal] = {}
        for key, lot in self.lot_balances.changed.items():
            shelf, before = (key.owner, key.item), self.state.lots.get(key)
            change = EXACT.subtract(lot.left, before.left if before else ZERO)
            found[shelf] = EXACT.add(found[shelf] if shelf in found else self.state.staged.get(shelf, ZERO), change)
        return found

    def tally(  # what is added, named at the call
        self,
        signal: SignalId,
        uom: str,
        *,
        counted: Decimal = ZERO,
        posted: Decimal = ZERO,
        scrapped: Decimal = ZERO,
        held: Decimal = ZERO,
        reversed_: Decimal = ZERO,
    ) -> None:
        """Add to the signal's totals."""
        before = self.tallies.get(signal) or Tally(uom, ZERO, ZERO, ZERO, ZERO)
        add = EXACT.add
        self.tallies[signal] = Tally(
            before.uom,
            add(before.counted, counted),
            add(before.posted, posted),
            add(before.scrapped, scrapped),
            add(before.held, held),
            add(before.reversed, reversed_),
        )

    # --- the end of the batch -------------------------------------------------------------------

    def batch(self) -> Batch:
        """Return everything to commit, changed exceptions chained."""
        for record in self.exceptions.changed.values():
            self.add_journal("exception", canonical.exception(record))
        for number, gathering in self.gatherings.items():
            self.documents[number] = gathering.document()
        if not self.rows.inputs:
            self._record("tick", recording.tick(self.place, self.retried), self.state.ids.event)
        rows = self.rows
        rows.checkpoints = {**self.state.unsaved(), **self.checkpoints.changed}
        rows.watermarks = self.watermarks.changed
        rows.baselines = self.baselines.changed
        rows.lots = self.lot_balances.changed
        rows.requirements = self.requirements.changed
        rows.progress = self.order_progress.changed
        rows.exceptions = self.exceptions.changed
        rows.tallies = self.tallies.changed
        rows.documents = self.documents.written()
        rows.span_heads = self.span_heads.changed
        rows.backlogs = self.backlogs.written()
        rows.orders = self.order_states.changed
        rows.lines = self.line_states.changed
        rows.shadows = self.shadows.changed
        rows.snapshots = self._snapshots()
        rows.head = self.head
        return rows

    def _snapshots(self) -> list[Snapshot]:
        name = self.model.master.hash
        activated = any(one.kind == "activation" for one in self.rows.inputs)
        if name == self.state.snapshot or not (activated or self.rows.postings or self.documents.changed):
            return []
        return [Snapshot(name, self.model.snapshot, self.now)]

    def finish(self, *, committed: bool) -> None:
        """Make the working copy the state: after COMMIT, or when there was nothing to commit."""
        state = self.state
        followed = [one.follows for one in self.documents.ended().values() if one.follows is not None]
        followed += [one.document for one in self.backlogs.ended().values()]
        state.staged.update(self.staged())
        self.apply()
        for number, gathering in self.gatherings.items():
            state.gathered.setdefault(number, []).extend(gathering.added)
        for number in self.closed:
            state.gathered.pop(number, None)
        if committed:
            state.ids, state.head = self.ids, self.head
            state.stored.update(self.rows.checkpoints)
            state.snapshot = self.rows.snapshots[-1].hash if self.rows.snapshots else state.snapshot
            state.activated = self.rows.activated or state.activated
            state.settled.update(self.rows.settled)
        state.forget(
            lots=[key for key, lot in self.lot_balances.changed.items() if lot.left <= ZERO],
            exceptions=[key for key, one in self.exceptions.changed.items() if one.closed_at],
            followed=(*self.seqs.changed, *followed),
            orders=[order for order, one in self.order_states.changed.items() if one.closed_at],
        )

"""The working copy of one batch: what it changes, and the rows that say so. Dropped whole when the commit fails."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from gateway.backflush.allocate import first_expiry
from gateway.backflush.gather import Gathering
from gateway.backflush.outcome import Changes
from gateway.domain.document import Link
from gateway.domain.event import Event, SignalId, Trigger
from gateway.domain.lot import LotBalance, LotKey
from gateway.domain.posting import Posting
from gateway.domain.quantity import EXACT, ZERO
from gateway.formats import canonical
from gateway.formats.chain import seal
from gateway.pipeline import recording
from gateway.pipeline.model import LineModel
from gateway.pipeline.state import State
from gateway.pipeline.view import View
from gateway.store.batch import Batch, EventRow, Head, InputRow, JournalRow, PostingRow, Snapshot, Tally, TriggerRow

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
        self.lot_balances.update(changes.lots)
        for key in changes.used_up:
            self._unlist(key)
        self.requirements.update(changes.requirements)
        self.order_progress.update(changes.progress)
        self.must_commit = True

    def new_document(self) -> int:
        """Return the id of a document that nobody has yet."""
        document = self.ids.document
        self.ids.document += 1
        return document

    def add_posting(self, posting: Posting, document: int, *, follows: int | None = None, reach: Reach = ()) -> int:
        """Give a closed document its place in the log; return its seq."""
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
        position = self.head.position + 1
        core = canonical.journal(kind, content, position, self.place)
        body, sealed = seal(core, self.head.hash)
        self.head = Head(position, sealed, self.head.seq)
        self.rows.journal.append(JournalRow(position, kind, body))
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
        """Take over a balance to which something was added, in its place among the others."""
        self.lot_balances[lot.key] = lot
        place = (lot.key.owner, lot.key.item)
        keys = {*(self.stock.get(place) or ()), lot.key}
        self.stock[place] = tuple(one.key for one in sorted(self.balances(keys), key=first_expiry))
        self.must_commit = True

    def use_up(self, lot: LotBalance) -> None:
        """Take over a balance that has nothing left."""
        self.lot_balances[lot.key] = lot
        self._unlist(lot.key)
        self.must_commit = True

    def _unlist(self, key: LotKey) -> None:
        place = (key.owner, key.item)
        self.stock[place] = tuple(one for one in self.stock.get(place) or () if one != key)

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
        if name in self.state.snapshots or not (activated or self.rows.postings or self.documents.changed):
            return []
        return [Snapshot(name, self.model.snapshot, self.now)]

    def finish(self, *, committed: bool) -> None:
        """Make the working copy the state: after COMMIT, or when there was nothing to commit."""
        state = self.state
        self.apply()
        for number, gathering in self.gatherings.items():
            state.gathered.setdefault(number, []).extend(gathering.added)
        for number in self.closed:
            state.gathered.pop(number, None)
        if committed:
            state.ids, state.head = self.ids, self.head
            state.stored.update(self.rows.checkpoints)
            state.snapshots.update(one.hash for one in self.rows.snapshots)
            state.activated = self.rows.activated or state.activated
        state.forget(
            lots=[key for key, lot in self.lot_balances.changed.items() if lot.left <= ZERO],
            exceptions=[key for key, one in self.exceptions.changed.items() if one.closed_at],
        )

"""The working copy of one batch: what it touched, over the committed state. Dropped whole when the commit fails."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from heapq import merge
from typing import Any

from gateway.backflush.allocate import first_expiry
from gateway.backflush.issue import Changes
from gateway.domain.clock import rfc3339
from gateway.domain.event import Event, SignalId, Trigger
from gateway.domain.exception import ExceptionRecord
from gateway.domain.lot import LotBalance, LotKey, Owner
from gateway.domain.order import Progress
from gateway.domain.posting import Posting
from gateway.domain.quantity import EXACT, ZERO
from gateway.domain.requirement import Requirement, RequirementKey
from gateway.formats import canonical
from gateway.formats.chain import seal
from gateway.pipeline.model import LineModel
from gateway.pipeline.overlay import Overlay
from gateway.pipeline.state import State
from gateway.store.batch import Batch, EventRow, Head, JournalRow, PostingRow, Tally, TriggerRow

_NO_PROGRESS = Progress()
_NO_REQUIREMENT = Requirement()


class WorkingCopy:
    """Implements the engine's State; collects the rows of the batch beside the changed values."""

    def __init__(self, state: State, model: LineModel, place: canonical.Place) -> None:
        self._state = state
        self._place = place
        self.model = model
        self.now = place.posted_at
        self.ids = replace(state.ids)
        self.head = state.head
        self.checkpoints = Overlay(state.checkpoints)
        self.watermarks = Overlay(state.watermarks)
        self.lot_balances = Overlay(state.lots)
        self.stock = Overlay(state.stock)
        self.requirements = Overlay(state.requirements)
        self.order_progress = Overlay(state.progress)
        self.exceptions = Overlay(state.exceptions)
        self.waiting = Overlay(state.waiting)
        self.tallies = Overlay(state.tallies)
        self.rows = Batch()
        self.must_commit = False
        self.contents: dict[tuple[str, str, str], str | None] = {}  # message keys seen in this batch
        self.stored = state.stored  # the checkpoints as they are on disk
        self.read_again: list[SignalId] = []

    # --- what the engine reads ------------------------------------------------------------------

    def lots(self, owners: Sequence[Owner], item: str) -> Iterator[LotBalance]:
        """Yield the owners' lots of the item, first expiry first."""
        listed = []
        for owner in owners:
            if keys := self.stock.get((owner, item)):
                listed.append(keys)  # noqa: PERF401 - a comprehension is a call, and this is asked for each line
        if len(listed) == 1:
            return filter(None, map(self.lot_balances.get, listed[0]))
        return merge(*map(self._balances, listed), key=first_expiry)

    def _balances(self, keys: Iterable[LotKey]) -> Iterator[LotBalance]:
        return filter(None, map(self.lot_balances.get, keys))

    def requirement(self, key: RequirementKey) -> Requirement:
        """Return what the component required and committed so far."""
        return self.requirements.get(key) or _NO_REQUIREMENT

    def progress(self, order: str, operation: str) -> Progress:
        """Return what the operation has made so far."""
        return self.order_progress.get((order, operation)) or _NO_PROGRESS

    # --- what the batch writes ------------------------------------------------------------------

    def add_event(self, event: Event, verdict: str, content: str | None = None) -> int:
        """Write the event down and count its units."""
        event_id = self.ids.event
        self.ids.event += 1
        self.rows.events.append(EventRow(event_id, event, verdict, content))
        self.contents[event.signal.device, event.signal.signal, event.key] = content
        self.must_commit = True
        return event_id

    def add_trigger(self, event_id: int, trigger: Trigger, seq: int | None, exception_id: int | None) -> None:
        """Write the trigger down with where it went: into posting `seq`, or waiting in an exception."""
        self.rows.triggers.append(TriggerRow(trigger.id, event_id, trigger, seq, exception_id))

    def add_posting(self, posting: Posting, changes: Changes) -> int:
        """Give the posting its place in the log, take over what it changed, and return its seq."""
        seq, position = self.head.seq + 1, self.head.position + 1
        core = canonical.posting(posting, seq, position, self._place)
        body, sealed = seal(core, self.head.hash)
        self.head = Head(position, sealed, seq)
        self.rows.postings.append(PostingRow(seq, position, posting, self.now, body))
        self.lot_balances.update(changes.lots)
        for key in changes.used_up:
            self._unlist(key)
        self.requirements.update(changes.requirements)
        self.order_progress.update(changes.progress)
        self.must_commit = True
        return seq

    def add_journal(self, kind: str, content: Mapping[str, Any]) -> None:
        """Chain an entry that is no posting."""
        position = self.head.position + 1
        core = canonical.journal(kind, content, position, self._place)
        body, sealed = seal(core, self.head.hash)
        self.head = Head(position, sealed, self.head.seq)
        self.rows.journal.append(JournalRow(position, kind, body))
        self.must_commit = True

    def put_lot(self, lot: LotBalance) -> None:
        """Take over a balance to which something was added, in its place among the others."""
        self.lot_balances[lot.key] = lot
        place = (lot.key.owner, lot.key.item)
        keys = {*(self.stock.get(place) or ()), lot.key}
        self.stock[place] = tuple(one.key for one in sorted(self._balances(keys), key=first_expiry))

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
        )

    # --- the end of the batch -------------------------------------------------------------------

    def batch(self) -> Batch:
        """Return everything to commit, changed exceptions chained."""
        for record in self.exceptions.changed.values():
            self.add_journal("exception", _exception_entry(record))
        rows = self.rows
        rows.checkpoints = {**self._state.unsaved(), **self.checkpoints.changed}
        rows.watermarks = self.watermarks.changed
        rows.lots = self.lot_balances.changed
        rows.requirements = self.requirements.changed
        rows.progress = self.order_progress.changed
        rows.exceptions = self.exceptions.changed
        rows.tallies = self.tallies.changed
        rows.head = self.head
        return rows

    def apply(self, *, committed: bool) -> None:
        """Make the working copy the state: after COMMIT, or when there was nothing to commit."""
        state = self._state
        overlays: tuple[Overlay[Any, Any], ...] = (
            self.checkpoints,
            self.watermarks,
            self.lot_balances,
            self.stock,
            self.requirements,
            self.order_progress,
            self.exceptions,
            self.waiting,
            self.tallies,
        )
        for overlay in overlays:
            overlay.apply()
        state.ids, state.head = self.ids, self.head
        if committed:
            state.stored.update(self.rows.checkpoints)
        state.forget(
            lots=[key for key, lot in self.lot_balances.changed.items() if lot.left <= ZERO],
            exceptions=[key for key, one in self.exceptions.changed.items() if one.closed_at],
        )


def _exception_entry(record: ExceptionRecord) -> dict[str, Any]:
    return {
        "exception": record.id,
        "about": record.kind,
        "code": record.code,
        "reason": record.reason,
        "scope": list(record.scope),
        "quantity": record.quantity,
        "uom": record.uom,
        "count": record.count,
        "detail": record.detail,
        "closed_at": record.closed_at and rfc3339(record.closed_at),
        "close_reason": record.close_reason,
        "closed_by": record.closed_by,
    }

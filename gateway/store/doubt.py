"""What a store that goes on from a backup, or from nothing, doesn't know: held or told, each with the reason.

Its counters' next units, its sources' older messages, what waited or stood in an open window: all of it may have been
posted by the store that was lost. It is a person who knows, after a look at the ERP's bookings under the old id.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from gateway.domain.clock import ClockTrust, rfc3339
from gateway.domain.document import Document
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.quantity import ZERO
from gateway.formats import canonical
from gateway.formats.canonical import Place
from gateway.store import codec
from gateway.store.batch import Batch, Head
from gateway.store.chaining import chained
from gateway.store.founding import new_id
from gateway.store.lineage import BEGUN, DOUBTED, RESTORED
from gateway.store.load import Recovered, load, read_meta
from gateway.store.statements import META
from gateway.store.write import write

_FORMER = "INSERT INTO former_store (store, last_position, last_seq, replaced_at, reason) VALUES (?, ?, ?, ?, ?)"
_DOUBT = "UPDATE checkpoint SET doubt = ? WHERE device = ? AND signal = ?"
_SETTLE_ANEW = "DELETE FROM restored_source"  # of an earlier restore, long over
_POSTS_BY_ITSELF = (ExceptionKind.TRIGGER, ExceptionKind.BACKLOG)
_MAY_BE_SETTLED = (*_POSTS_BY_ITSELF, ExceptionKind.COUNTER, ExceptionKind.GAP)
_UNSET = ClockTrust("none", None)  # nothing is posted here, and the journal doesn't say


class Occasion(NamedTuple):
    """When it is done, by whom, and why."""

    at: datetime
    person: str
    reason: str


class Present(NamedTuple):
    """What could be read of the store that is replaced: its id, its last posting, what each counter had counted.

    `left` is the sentence of what only its file has now, empty where that is nothing.
    """

    store: str
    seq: int
    counted: Mapping[tuple[str, str], int]
    left: str = ""


class Begun(NamedTuple):
    """The store's new id, the one before and its last seq here (empty and 0: it begins anew), and what is told."""

    store: str
    former: str
    seq: int
    notice: str


def go_on(
    connection: sqlite3.Connection, backup: Mapping[str, Any], present: Present | None, occasion: Occasion
) -> Begun:
    """Let a backup go on under a new id, everything in doubt that its old one may have done since."""
    state, meta, store = load(connection), read_meta(connection), new_id()
    former, head = meta["store"], state.head
    since = _since(str(backup["created_at"]), former, head.seq, present, occasion)
    writing = _Writing(Place(meta["gateway"], store, occasion.at, _UNSET), head, state.ids.exception)
    writing.journal(
        RESTORED,
        {
            "former": {"store": former, "seq": head.seq, "hash": f"sha256:{head.hash.hex()}"},
            "backup": dict(backup),
            "replaced": present and {"store": present.store, "seq": present.seq},
            "person": occasion.person,
            "reason": occasion.reason,
        },
    )
    connection.execute(_SETTLE_ANEW)
    connection.execute(_FORMER, (former, head.position, head.seq, codec.stamp(occasion.at), occasion.reason))
    for signal, checkpoint in state.checkpoints.items():
        known = present.counted.get(signal) if present and present.store == former else None
        connection.execute(_DOUBT, (f"{since}{_told_of(known, checkpoint.counted)}", *signal))
    writing.batch.watermarks = {signal: replace(one, doubt=since) for signal, one in state.watermarks.items()}
    writing.change(_doubted(one, since) for one in state.exceptions if one.kind in _MAY_BE_SETTLED)
    writing.keep_open(state.documents.values(), since)
    notice = writing.tell(
        former,
        f"{since} The first units of each counter since the backup are held, messages from before the restore too. "
        f"Not known here is what else happened since the backup: stock that was staged, issued, returned or counted; "
        f"orders that were started, finished or closed; lot statuses, BOM pins and label approvals. Enter them again, "
        f"the orders first: {_active(state)}.",
    )
    _finish(connection, writing, state, since)
    return Begun(store, former, head.seq, notice)


def begin_anew(connection: sqlite3.Connection, present: Present | None, occasion: Occasion) -> Begun:
    """Let an empty store say what it doesn't know of the one before it."""
    state, meta = load(connection), read_meta(connection)
    writing = _Writing(Place(meta["gateway"], meta["store"], occasion.at, _UNSET), state.head, state.ids.exception)
    replaced = present and {"store": present.store, "seq": present.seq}
    writing.journal(BEGUN, {"replaced": replaced, "person": occasion.person, "reason": occasion.reason})
    left = present.left if present else "What its consumers had not taken and what it held can't be read."
    before = f"store {present.store}, whose last posting is seq {present.seq}," if present else "the store before it"
    since = f"This store began empty at {rfc3339(occasion.at)} after {before} was put aside."
    notice = writing.tell(
        present.store if present else "",
        f"{since} Each counter begins at its next value: units since the last posting are not counted, compare "
        f"with the machines. Messages from before are held. Orders begin at zero, and no stock is known: stage or "
        f"count it, start the orders, and let the consumers read from seq 0. {left}".rstrip(),
    )
    _finish(connection, writing, state, f"{since} This message is from before: it may be booked under that one.")
    return Begun(meta["store"], "", 0, notice)


class _Writing:
    """Collects what the chain says and what changes with it."""

    def __init__(self, place: Place, head: Head, next_exception: int) -> None:
        self.batch = Batch(head=head)
        self.place = place
        self._head = head
        self._next = next_exception

    def journal(self, kind: str, content: Mapping[str, Any]) -> None:
        row, self._head = chained(kind, content, self.place, self._head)
        self.batch.journal.append(row)
        self.batch.head = self._head

    def change(self, records: Iterable[ExceptionRecord]) -> None:
        for record in records:
            self.batch.exceptions[record.id] = record
            self.journal("exception", canonical.exception(record))

    def keep_open(self, documents: Iterable[Document], since: str) -> None:
        """Let the clock close none of them: they may have been posted."""
        for one in documents:
            self.batch.documents[one.id] = one._replace(due=None)
            self._notice(
                (one.key.order, one.key.operation),
                f"Window {one.id} of order {one.key.order} operation {one.key.operation} was open in the backup. "
                f"{since} `close-window` posts it; if the ERP has it already, reverse that posting.",
            )

    def tell(self, former: str, reason: str) -> str:
        self._notice(("store", former), reason)
        return reason

    def _notice(self, scope: tuple[str, str], reason: str) -> None:
        at = self.place.posted_at
        record = ExceptionRecord(
            self._next, ExceptionKind.NOTICE, DOUBTED, reason, scope, ZERO, "", 1, at, at, opened_at=at
        )
        self._next += 1
        self.change([record])


def _since(created_at: str, former: str, seq: int, present: Present | None, occasion: Occasion) -> str:
    known = f" to {present.seq}" if present and present.store == former else " on"
    other = f", or under store {present.store} up to seq {present.seq}" if present and present.store != former else ""
    if present and (present.store, present.seq) == (former, seq):
        booked = f"as far as the replaced file says, nothing was posted since then under store {former}"
    else:
        booked = f"what was made since then may be booked under store {former} from seq {seq + 1}{known}{other}"
    return (
        f"The store was restored at {rfc3339(occasion.at)} from a backup of {created_at}; {booked}: "
        f"compare with the ERP, then settle."
    )


def _active(state: Recovered) -> str:
    """Say where units go that are made now: to the orders that were started last in the backup, or configured."""
    started = {line: one.orders[-1].order for line, one in state.line_states.items() if one.orders}
    named = ", ".join(f"{line}: {order or 'none'}" for line, order in sorted(started.items()))
    return f"new units go to those that were active in the backup{f' ({named})' if named else ''}"


def _told_of(counted: int | None, before: int) -> str:
    return f" The replaced file had counted {counted - before} of them." if counted is not None else ""


def _doubted(record: ExceptionRecord, since: str) -> ExceptionRecord:
    """Return an entry that was open in the backup: nothing of it posts by itself, and it may be settled."""
    code = DOUBTED if record.kind in _POSTS_BY_ITSELF else record.code
    detail = record.detail
    if record.kind is ExceptionKind.GAP:  # its reason is told anew from its detail when more is missing
        detail = orjson.dumps({**orjson.loads(detail), "doubt": since}).decode()
    return replace(record, code=code, reason=f"{record.reason}; {since}", detail=detail)


def _finish(connection: sqlite3.Connection, writing: _Writing, state: Recovered, since: str) -> None:
    META.run(connection, list(_meta(writing.place, state, since)))
    write(connection, writing.batch)


def _meta(place: Place, state: Recovered, since: str) -> Iterator[tuple[str, str]]:
    yield "store", place.store
    yield "restored_at", codec.stamp(place.posted_at)
    yield "restored_why", since
    yield "restored_document", str(state.ids.document)

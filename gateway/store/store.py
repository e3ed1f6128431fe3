"""The store: one file, one writer, one transaction a batch."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

from gateway.domain.document import Link, Span
from gateway.domain.event import Trigger
from gateway.domain.lot import LotBalance, LotKey
from gateway.errors import StoreError
from gateway.store import documents, letters, lookups, order_sums
from gateway.store.batch import Batch, ConsumerKey
from gateway.store.codec import stamp
from gateway.store.connection import Connection, connect_scratch, connect_writer
from gateway.store.damage import damaged, examine, was_cut_off
from gateway.store.documents import StoredPosting
from gateway.store.founding import found, new_id
from gateway.store.letters import Letter, Refused
from gateway.store.load import Recovered, head, load, read_meta
from gateway.store.lock import FileLock
from gateway.store.malformed import MALFORMED, in_words
from gateway.store.migrate import migrate
from gateway.store.order_sums import OrderSums
from gateway.store.replace import make_folder, take_over
from gateway.store.witness import Witness
from gateway.store.write import write

T = TypeVar("T")

_REGISTER = """
INSERT INTO consumer (kind, name, through, required, updated_at) VALUES (?, ?, 0, ?, ?)
ON CONFLICT (kind, name) DO UPDATE SET required = excluded.required, configured = 1
"""


class Registration(NamedTuple):
    """A consumer as configured; retention waits for the required ones."""

    key: ConsumerKey
    required: bool


class Store:
    """The only writer of a store's file. `gateway` and `store` are the first two parts of every posting's identity."""

    def __init__(self, path: Path, gateway: str, store: str = "") -> None:
        self.path = path
        self.gateway = gateway
        self.store = store
        self._lock = FileLock(path)
        self._witness = Witness(path)
        self._connection = self._new_connection()

    @classmethod
    async def open(cls, path: Path, gateway: str) -> "Store":
        """Open the store, creating it where there is none; StoreError when it is in use, foreign or damaged."""
        opened = cls(path, gateway)
        await opened._open()
        return opened

    async def _open(self) -> None:
        make_folder(self.path.parent)
        self._lock.acquire()
        try:
            take_over(self.path)
            await self._connect(examined=True)
        except BaseException:
            self._witness.close()
            self._lock.release()
            raise

    def _new_connection(self) -> Connection:
        return Connection(self.path, connect_writer)

    async def _connect(self, *, examined: bool = False) -> None:
        cut_off = was_cut_off(self.path)
        connection = await self._new_connection().open()
        try:
            if examined:
                seen = self._witness.open()
                await connection.run(lambda raw: examine(raw, self.path, seen, cut_off=cut_off))
            self.store = await connection.run(lambda raw: _prepare(raw, self))
            if examined:  # what was sound is noted: also where nothing was that could be read
                self._witness.note(self.store, await connection.run(lambda raw: head(read_meta(raw))))
        except BaseException:
            await connection.close()
            raise
        self._connection = connection

    async def reopen(self) -> None:
        """Connect anew after a failed commit; the caller then loads the state again. StoreError: try again later."""
        await self._connection.close()
        await self._connect()
        # After a failed fsync the kernel takes the WAL's pages for written. Copying them into the database and
        # syncing that makes what we go on from real.
        await self._connection.run(_copy_log)

    async def close(self) -> None:
        """Close the file and give up the lock."""
        try:
            await self._connection.close()
        finally:
            self._witness.close()
            self._lock.release()

    async def load(self) -> Recovered:
        """Return the committed state."""
        return await self._read(load)

    async def commit(self, batch: Batch) -> None:
        """Write the batch in one transaction; StoreError when it isn't on the disk, and then nothing of it is."""
        await self._connection.transact(lambda raw: write(raw, batch))
        if batch.head is not None:
            self._witness.note(self.store, batch.head)

    async def transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a unit of work of the store's own (retention) in one transaction."""
        return await self._connection.transact(work)

    async def register(self, consumers: Iterable[Registration], at: datetime) -> None:
        """Make the configured consumers known; those no longer configured stay, but aren't waited for."""
        rows = list(consumers)
        await self._connection.transact(lambda raw: _register(raw, rows, at))

    async def known_events(self, keys: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str, str], str | None]:
        """Return the content hash of those (device, signal, key) that are stored already."""
        return await self._read(lambda raw: lookups.known_events(raw, keys))

    async def held_triggers(self, exception_id: int, limit: int, after: int = 0) -> list[Trigger]:
        """Return the triggers that wait in the exception behind trigger `after`, oldest first."""
        return await self._read(lambda raw: lookups.held_triggers(raw, exception_id, limit, after))

    async def entered(self, line: str, number: str) -> str | None:
        """Return the content hash of an operator's entry that was booked already, None where it wasn't."""
        return await self._read(lambda raw: lookups.entered(raw, line, number))

    async def staged(self, staging_ids: Sequence[str]) -> dict[str, str]:
        """Return the content hash (codec.staging_hash) of those transfers that were applied already."""
        return await self._read(lambda raw: lookups.staged(raw, staging_ids))

    async def balances(self, keys: Sequence[LotKey]) -> dict[LotKey, LotBalance]:
        """Return the balances of these lots, used-up ones included: `load` leaves those out."""
        return await self._read(lambda raw: lookups.balances(raw, keys))

    async def balances_of_lots(self, lots: Sequence[tuple[str, str]]) -> dict[LotKey, LotBalance]:
        """Return every balance of these (item, lot), used-up ones included."""
        return await self._read(lambda raw: lookups.balances_of_lots(raw, lots))

    async def triggers(self, ids: Sequence[int]) -> list[Trigger]:
        """Return these triggers whole, in the order they are asked for."""
        return await self._read(lambda raw: lookups.triggers(raw, ids))

    async def document_of_event(self, device: str, signal: str, key: str) -> int | None:
        """Return the document that the event's trigger went into, None where it waits or isn't known."""
        return await self._read(lambda raw: lookups.document_of_event(raw, device, signal, key))

    async def transfers(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the content hash of those returns and cycle counts that were applied already."""
        return await self._read(lambda raw: lookups.transfers(raw, ids))

    async def letter(self, number: int) -> Letter | None:
        """Return a dead letter with all its bytes, None where there is none of that number."""
        return await self._read(lambda raw: letters.letter(raw, number))

    async def refused(self, sink: str, seq: int) -> Refused | None:
        """Return what became of a posting that the sink refused, None where it never did."""
        return await self._read(lambda raw: letters.refused_one(raw, sink, seq))

    async def posting_at(self, seq: int) -> StoredPosting | None:
        """Return the posting, None where there is none or retention has deleted it."""
        return await self._read(lambda raw: documents.posting_at(raw, seq))

    async def postings_of(self, ids: Sequence[int]) -> list[StoredPosting]:
        """Return those of the documents that were posted, oldest first."""
        return await self._read(lambda raw: documents.postings_of(raw, ids))

    async def order_sums(self, order: str) -> OrderSums:
        """Return what the order's postings sum to, reversals negative."""
        return await self._read(lambda raw: order_sums.order_sums(raw, order))

    async def once_holders(self, order: str, operation: str) -> set[int]:
        """Return the triggers that drew what is drawn once for the order at the operation, reversed ones included."""
        return await self._read(lambda raw: order_sums.once_holders(raw, order, operation))

    async def documents_following(self, document: int) -> list[StoredPosting]:
        """Return the postings with the document's deferred and backlogged issues, oldest first."""
        return await self._read(lambda raw: documents.documents_following(raw, document))

    async def reversed_by(self, seq: int) -> list[StoredPosting]:
        """Return the postings that mirror this one or parts of it, oldest first."""
        return await self._read(lambda raw: documents.reversed_by(raw, seq))

    async def links_of_document(self, document: int) -> list[Link]:
        """Return the document's links, oldest trigger first."""
        return await self._read(lambda raw: documents.links_of_document(raw, document))

    async def links_of_triggers(self, ids: Sequence[int]) -> list[Link]:
        """Return every link of these triggers: their documents' and the reversals' of these."""
        return await self._read(lambda raw: documents.links_of_triggers(raw, ids))

    async def spans_of(self, triggers: Sequence[int]) -> list[Span]:
        """Return the units that these triggers counted and that weren't reversed, first to last."""
        return await self._read(lambda raw: documents.spans_of(raw, triggers))

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a unit of work that makes of rows what they mean; StoreDamaged where one is not what was written."""
        try:
            return await self._connection.run(work)
        except MALFORMED as error:
            raise damaged(self.path, f"a row can't be read, {in_words(error)}") from error


class ScratchStore(Store):
    """A store that nobody keeps: it bears the id it is told to bear, and doesn't wait for the disk."""

    def _new_connection(self) -> Connection:
        return Connection(self.path, connect_scratch)

    @classmethod
    async def found(cls, path: Path, gateway: str, store: str) -> "ScratchStore":
        """Make the store."""
        made = cls(path, gateway, store)
        await made._open()
        return made


def _prepare(connection: sqlite3.Connection, opened: Store) -> str:
    """Return the store's id, after bringing the schema up to date and making sure whose it is."""
    try:
        migrate(connection)
    except StoreError as error:
        raise type(error)(f"store {opened.path}: {error.message}", error.hint) from error
    # Only now: a foreign file is refused as it was. WAL stays with the file.
    connection.execute("PRAGMA journal_mode = WAL")
    meta = read_meta(connection)
    if not meta:
        return found(connection, opened.gateway, opened.store or new_id())
    if meta["gateway"] != opened.gateway:
        raise StoreError(
            f"store {opened.path} belongs to gateway {meta['gateway']}, this is {opened.gateway}",
            "correct `gateway` or store.path; the central system knows the postings by the gateway's name",
        )
    return meta["store"]


def _copy_log(connection: sqlite3.Connection) -> None:
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:  # only a part was copied
        raise StoreError(
            "something reads the store for long, so its log can't be written back",
            "it goes on when that ends: a verification, a backup, or another program with the file open",
        )


def _register(connection: sqlite3.Connection, consumers: list[Registration], at: datetime) -> None:
    connection.execute("UPDATE consumer SET required = 0, configured = 0")
    rows = [(one.key.kind.value, one.key.name, int(one.required), stamp(at)) for one in consumers]
    connection.executemany(_REGISTER, rows)

"""The posting log as its readers see it: pages by watermark, and the news that there is more."""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.ports import Document
from gateway.store import letters
from gateway.store.batch import ConsumerKind
from gateway.store.connection import Connection, connect_reader
from gateway.store.lineage import Lineage, read_lineage
from gateway.store.load import head, read_meta

PAGE = "SELECT seq, body FROM posting WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
CONSUMERS = "SELECT name, kind, through, required, updated_at FROM consumer ORDER BY kind, name"

_NO_BOUND = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Page:
    """Postings in seq order; read on behind `next_after` while `has_more`."""

    documents: tuple[Document, ...]
    next_after: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class ConsumerState:
    """A reader of the log and how far it has come."""

    name: str
    kind: ConsumerKind
    through: int
    required: bool
    updated_at: datetime


class PostingLog:
    """Reads on a connection of its own, beside the writer; every read is short, so that the WAL can be reset."""

    def __init__(self, connection: Connection, meta: dict[str, str], lineage: Lineage) -> None:
        self.gateway = lineage.gateway
        self.store = lineage.store
        self.lineage = lineage  # whose postings up to which seq bear another store's id: it was restored
        self._connection = connection
        self._announced = head(meta).seq
        self._news = asyncio.Event()
        self._closed = False
        self.asked = 0  # how often a refused posting was to be offered once more; `wait_asked` waits for the next time

    @classmethod
    async def open(cls, path: Path) -> "PostingLog":
        """Open the log of an existing store."""
        connection = await cls._new_connection(path).open()
        try:
            return cls(connection, *await connection.run(_identity))
        except BaseException:
            await connection.close()
            raise

    @staticmethod
    def _new_connection(path: Path) -> Connection:
        return Connection(path, connect_reader)

    async def close(self) -> None:
        """Close the connection and wake whoever waits for news."""
        self._closed = True
        self._news.set()
        await self._connection.close()

    async def page(self, after: int, through: int | None, limit: int) -> Page:
        """Return up to `limit` postings behind `after`, none behind `through`.

        With a `through` that exists the page is the same for ever: `has_more` looks no further than the bound.
        """
        bound = _NO_BOUND if through is None else through
        rows = await self._connection.run(lambda raw: raw.execute(PAGE, (after, bound, limit + 1)).fetchall())
        documents = tuple(Document(seq, body) for seq, body in rows[:limit])
        return Page(documents, documents[-1].seq if documents else after, len(rows) > limit)

    async def last(self) -> int:
        """Return the seq of the last posting, 0 when there is none."""
        return await self._meta("seq")

    async def first_available(self) -> int:
        """Return the first seq that retention left."""
        return await self._meta("retained_seq") + 1

    async def consumers(self) -> list[ConsumerState]:
        """Return every consumer and how far it has come."""
        rows = await self._connection.run(lambda raw: raw.execute(CONSUMERS).fetchall())
        return [consumer(row) for row in rows]

    def announce(self, seq: int) -> None:
        """Say that everything through `seq` is committed; called by the pipeline, on the readers' loop."""
        self._announced = max(self._announced, seq)
        self._news.set()
        self._news = asyncio.Event()

    async def wait_beyond(self, seq: int, timeout: float) -> bool:  # noqa: ASYNC109  # running out of time is an answer
        """Wait until there is a posting behind `seq`; False when `timeout` seconds pass or the log is closed."""
        try:
            async with asyncio.timeout(timeout):
                while self._announced <= seq and not self._closed:
                    await self._news.wait()
        except TimeoutError:
            return False
        return self._announced > seq

    def ask_again(self) -> None:
        """Say that a refused posting is to be offered once more; called by the pipeline, on the readers' loop."""
        self.asked += 1
        self._news.set()
        self._news = asyncio.Event()

    async def wait_asked(self, before: int) -> None:
        """Wait until `ask_again` was called since `asked` was `before`, or the log is closed."""
        while self.asked == before and not self._closed:
            await self._news.wait()

    async def asked_again(self, sink: str, after: int) -> Document | None:
        """Return the next refused posting behind seq `after` that the sink is to be offered once more."""
        found = await self._connection.run(lambda raw: letters.asked_again(raw, sink, after))
        return Document(*found) if found else None

    async def _meta(self, key: str) -> int:
        return await self._connection.run(lambda raw: _meta_number(raw, key))


def _identity(connection: sqlite3.Connection) -> tuple[dict[str, str], Lineage]:
    meta = read_meta(connection)
    return meta, read_lineage(connection, meta)


def consumer(row: Sequence[Any]) -> ConsumerState:
    """Return the consumer of a row of CONSUMERS."""
    name, kind, through, required, updated_at = row
    return ConsumerState(name, ConsumerKind(kind), through, bool(required), datetime.fromisoformat(updated_at))


def _meta_number(connection: sqlite3.Connection, key: str) -> int:
    found = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return int(found[0]) if found else 0

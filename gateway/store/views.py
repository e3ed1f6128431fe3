"""What people and the API see of the store. Short reads on a connection of their own."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from gateway.counting.counter import Baseline
from gateway.domain.document import Document
from gateway.domain.event import SignalId
from gateway.domain.exception import ExceptionRecord
from gateway.domain.line import LineState
from gateway.domain.lot import LotBalance
from gateway.domain.order import OrderState, Progress
from gateway.errors import StoreError
from gateway.store import codec, letters, load
from gateway.store.batch import ConsumerKind, Tally
from gateway.store.connection import Connection, connect_reader
from gateway.store.letters import Letter, Refused
from gateway.store.measuring import Measured, Measuring
from gateway.store.reading import at_once, require_current, require_file

T = TypeVar("T")

_EXCEPTIONS = (
    f"SELECT {load.EXCEPTION_COLUMNS} FROM exception WHERE closed_at IS NULL AND id > ?2 "  # noqa: S608  # our own columns
    "ORDER BY id LIMIT ?1"
)
_EXCEPTION = f"SELECT {load.EXCEPTION_COLUMNS} FROM exception WHERE closed_at IS NULL AND id = ?"  # noqa: S608  # our own columns
_CLOSED = (
    f"SELECT {load.EXCEPTION_COLUMNS} FROM exception WHERE closed_at IS NOT NULL "  # noqa: S608  # our own columns
    "ORDER BY closed_at DESC, id DESC LIMIT ?"
)
_CLOSED_AFTER = (
    f"SELECT {load.EXCEPTION_COLUMNS} FROM exception WHERE closed_at IS NOT NULL "  # noqa: S608  # our own columns
    "AND (closed_at, id) < (SELECT closed_at, id FROM exception WHERE id = ?2) "
    "ORDER BY closed_at DESC, id DESC LIMIT ?1"
)
_LOTS = f"{load.LOTS_LEFT} ORDER BY item, owner_kind, owner, lot, location"
_STATES = "SELECT order_no, body FROM order_state WHERE order_no = ?1 OR ?1 IS NULL"
_LINES = "SELECT line, body FROM line_state"
_PROGRESS = """
SELECT order_no, operation, good, scrap, rework FROM order_progress WHERE order_no = ?1 OR ?1 IS NULL ORDER BY 1, 2
"""
_OPEN = "SELECT count(*) FROM exception WHERE closed_at IS NULL"
_DEAD_LETTERS = "SELECT count(*) FROM dead_letter WHERE closed_at IS NULL"
_BUFFERS = """
SELECT c.kind, c.name, c.required, c.through, CAST(m.value AS INTEGER) - c.through,
    (SELECT count(*) FROM sink_rejection AS r WHERE c.kind = 'sink' AND r.sink = c.name AND r.closed_at IS NULL)
FROM consumer AS c CROSS JOIN meta AS m ON m.key = 'seq' ORDER BY c.kind, c.name
"""


@dataclass(frozen=True, slots=True)
class SignalTally:
    """A signal's totals."""

    signal: SignalId
    tally: Tally


@dataclass(frozen=True, slots=True)
class Buffer:
    """How many postings wait for a consumer, and how many that a sink refused wait for a person."""

    kind: ConsumerKind
    name: str
    required: bool
    through: int
    waiting: int
    rejected: int


class Views:
    """Read-only views of a store, beside the writer or of a store nobody runs."""

    def __init__(self, path: Path, connection: Connection, measuring: Measuring) -> None:
        self._path = path
        self._connection = connection
        self._measuring = measuring

    @classmethod
    async def open(cls, path: Path) -> "Views":
        """Open the views of an existing store; StoreError where it isn't one that this program reads."""
        require_file(path)
        connection = await Connection(path, connect_reader).open()
        try:
            await connection.run(require_current)
            return cls(path, connection, Measuring(await Connection(path, connect_reader).open()))
        except StoreError:
            await connection.close()
            raise

    async def close(self) -> None:
        """Close the connections."""
        try:
            await self._measuring.close()
        finally:
            await self._connection.close()

    async def measured(self) -> Measured:
        """Return the measures, with their age; StoreError where they could never be read."""
        return await self._measuring.latest()

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a read of several statements over one state of the store (genealogy, explain …)."""
        return await self._connection.run(lambda raw: at_once(raw, work))

    async def tallies(self) -> list[SignalTally]:
        """Return the totals per signal."""
        return await self._rows(load.TALLIES, lambda row: SignalTally(SignalId(row[0], row[1]), load.tally(row[2:])))

    async def exceptions(self, limit: int = 1000, after: int = 0) -> list[ExceptionRecord]:
        """Return the open entries of the work list behind the one of number `after`, oldest first."""
        return await self._rows(_EXCEPTIONS, load.exception, limit, after)

    async def exception(self, number: int) -> ExceptionRecord | None:
        """Return an open entry of the work list, None where there is none of that number."""
        found = await self._rows(_EXCEPTION, load.exception, number)
        return found[0] if found else None

    async def exceptions_closed(self, limit: int = 1000, after: int = 0) -> list[ExceptionRecord]:
        """Return the closed entries of the work list, the last one first, behind the one of number `after`."""
        if not after:
            return await self._rows(_CLOSED, load.exception, limit)
        return await self._rows(_CLOSED_AFTER, load.exception, limit, after)

    async def baselines(self) -> list[tuple[SignalId, Baseline]]:
        """Return where each counter began, by name, and who has signed that."""
        return await self._rows(load.BASELINES, load.baseline)

    async def lots(self) -> list[LotBalance]:
        """Return the lots with something left."""
        return await self._rows(_LOTS, load.lot)

    async def windows(self) -> list[Document]:
        """Return the documents that are open, oldest first."""
        return await self._rows("SELECT body FROM open_document ORDER BY id", lambda row: codec.document(row[0]))

    async def order_states(self, order: str | None = None) -> dict[str, OrderState]:
        """Return what happened to each order, or to this one, since its master data were written."""
        return dict(await self._rows(_STATES, lambda row: (row[0], codec.order_state(row[1])), order))

    async def line_states(self) -> dict[str, LineState]:
        """Return which orders were started at each line."""
        return dict(await self._rows(_LINES, lambda row: (row[0], codec.line_state(row[1]))))

    async def progress(self, order: str | None = None) -> dict[tuple[str, str], Progress]:
        """Return what each (order, operation), or those of this order, has made so far."""
        return dict(await self._rows(_PROGRESS, _progress, order))

    async def exceptions_open(self) -> int:
        """Return how many entries of the work list are open."""
        return await self._connection.run(lambda raw: _number(raw, _OPEN))

    async def buffers(self) -> list[Buffer]:
        """Return what waits for each consumer."""
        return await self._rows(_BUFFERS, _buffer)

    async def dead_letters(self) -> int:
        """Return how many messages that could not be read wait for a person."""
        return await self._connection.run(lambda raw: _number(raw, _DEAD_LETTERS))

    async def letters(self, after: int, limit: int, *, closed: bool = False) -> list[Letter]:
        """Return a page of dead letters behind id `after`, with the beginning of each one's bytes."""
        return await self._connection.run(lambda raw: letters.letters(raw, after, limit, closed=closed))

    async def letter(self, number: int) -> Letter | None:
        """Return a dead letter with all its bytes, None where there is none of that number."""
        return await self._connection.run(lambda raw: letters.letter(raw, number))

    async def refused(self, after: tuple[str, int], limit: int, *, closed: bool = False) -> list[Refused]:
        """Return a page of refused postings behind (sink, seq)."""
        return await self._connection.run(lambda raw: letters.refused(raw, after, limit, closed=closed))

    def wal_size(self) -> int:
        """Return the bytes of the write-ahead log; it grows without end while something reads for long."""
        wal = self._path.with_name(f"{self._path.name}-wal")
        return wal.stat().st_size if wal.exists() else 0

    async def _rows(
        self, statement: str, shape: Callable[[tuple[Any, ...]], T], *parameters: int | str | None
    ) -> list[T]:
        def read(connection: sqlite3.Connection) -> list[T]:
            return [shape(row) for row in connection.execute(statement, parameters)]

        return await self._connection.run(read)


def _progress(row: tuple[Any, ...]) -> tuple[tuple[str, str], Progress]:
    return (row[0], row[1]), Progress(*map(Decimal, row[2:]))


def _buffer(row: tuple[Any, ...]) -> Buffer:
    kind, name, required, through, waiting, rejected = row
    return Buffer(ConsumerKind(kind), name, bool(required), through, waiting, rejected)


def _number(connection: sqlite3.Connection, statement: str) -> int:
    return int(connection.execute(statement).fetchone()[0] or 0)

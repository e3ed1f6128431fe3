"""One SQLite connection in a thread of its own: a whole unit of work is one hop there and back."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import aiosqlite

from gateway.errors import StoreError
from gateway.store.errors import store_error
from gateway.store.functions import register

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

_MODE = 0o640  # of a new store
_BUSY_TIMEOUT = 5.0  # seconds; only a foreign program can hold the lock that long
# synchronous=FULL: a commit is on the disk when it returns; NORMAL lost hundreds of commits in a power cut.
# journal_size_limit (bytes): a WAL that grew beside a long reader becomes short again once that has ended.
_WRITER = ("PRAGMA synchronous = FULL", "PRAGMA journal_size_limit = 4194304")
_SCRATCH = ("PRAGMA synchronous = OFF",)
# A reader never checkpoints: two connections that checkpoint can corrupt a WAL before SQLite 3.51.3.
_READER = ("PRAGMA wal_autocheckpoint = 0", "PRAGMA query_only = 1")


def connect_writer(path: Path) -> sqlite3.Connection:
    """Return the one connection that writes and checkpoints; sqlite3.Error when the file is none."""
    # Names and signatures are in it, and SQLite would take the umask's mode; its -wal and -shm get the file's own.
    with suppress(OSError):  # it exists, or SQLite says why it can't
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, _MODE))
    return _prepared(path, "rwc", _WRITER)


def connect_scratch(path: Path) -> sqlite3.Connection:
    """Return a writing connection that never waits for the disk: for a store that nobody keeps."""
    return _prepared(path, "rwc", _SCRATCH)


def connect_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that can't write; it works beside the writer and on the file of a killed one."""
    return _prepared(path, "ro", _READER)


def _prepared(path: Path, mode: str, pragmas: tuple[str, ...]) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=_BUSY_TIMEOUT,
        isolation_level=None,  # BEGIN and COMMIT stand where we write them
        cached_statements=256,
        check_same_thread=False,  # one thread at a time: aiosqlite's, or the caller's
    )
    try:
        register(connection)
        for pragma in pragmas:
            connection.execute(pragma)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


class Connection(aiosqlite.Connection):
    """A connection whose unit of work is one function; raises StoreError, nothing of SQLite's own."""

    def __init__(self, path: Path, connector: Callable[[Path], sqlite3.Connection]) -> None:
        super().__init__(lambda: connector(path), iter_chunk_size=64)
        self._path = path

    async def open(self) -> "Connection":
        """Start the thread and connect; StoreError when the file can't be opened."""
        try:
            await self
        except sqlite3.Error as error:
            self._thread.join()  # aiosqlite has told it to end; it must not outlive the loop it answers to
            raise store_error(self._path, error) from error
        return self

    async def close(self) -> None:
        """Finish what was asked for, close the file, end the thread; StoreError when the file can't be closed."""
        try:
            await super().close()
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error

    async def transact(self, work: Work[T]) -> T:
        """Run BEGIN IMMEDIATE, `work`, COMMIT in the connection's thread; roll back when anything raises.

        A cancelled caller still waits for the end, so that nothing goes on behind its back.
        """
        return await self.run(lambda connection: transaction(connection, work))

    async def run(self, work: Work[T]) -> T:
        """Run `work` in the connection's thread, without a transaction around it."""
        if self._connection is None:
            raise StoreError(f"store {self._path} is not open", "it is reopened before the next batch")
        hop = self._execute(work, self._connection)  # type: ignore[no-untyped-call]  # aiosqlite's own has no types
        task: asyncio.Future[T] = asyncio.ensure_future(hop)
        try:
            return await _shielded(task)
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error


def transaction(connection: sqlite3.Connection, work: Work[T]) -> T:
    """Run BEGIN IMMEDIATE, `work`, COMMIT; roll back when anything raises."""
    # IMMEDIATE: a deferred transaction that turns into a write ignores the busy timeout.
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        _roll_back(connection)
        raise
    return result


def _roll_back(connection: sqlite3.Connection) -> None:
    # A full disk has rolled back already, and then ROLLBACK itself raises; the first error is the one to report.
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


async def _shielded(task: "asyncio.Future[T]") -> T:
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # seen: the caller is going away and reloads before it goes on
        raise

"""The real store on the real SQLite, in the caller's thread, with a place for each fault of a commit.

It never waits for the disk: a crash is the end of the process, so what was committed stays and the rest is gone.
"""

import sqlite3
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from gateway.store.connection import Connection, connect_reader, connect_scratch
from gateway.store.errors import store_error
from gateway.store.log import PostingLog
from gateway.store.store import Store

STORE_ID = "SIM00001"


class Crash(SystemExit):
    """The process is gone: no task goes on, and only the schedule catches it."""


class Fault(StrEnum):
    """What happens to a commit, and when."""

    CRASH_BEFORE = "crash before"
    CRASH_INSIDE = "crash inside"  # every row is written, COMMIT isn't
    CRASH_AFTER = "crash after"  # committed, and nobody was told
    FULL = "disk full"  # in the middle: SQLite rolls back by itself
    EIO = "disk error"  # COMMIT itself fails
    LATE = "too late"  # committed, and reported as failed


_CRASHES = (Fault.CRASH_BEFORE, Fault.CRASH_INSIDE, Fault.CRASH_AFTER)


class Faults:
    """The commits that are going to fail: `spared` go well first, then `times` do `fault`."""

    def __init__(self) -> None:
        self.heal()

    def arm(self, fault: Fault, spared: int, times: int) -> None:
        self.fault, self.spared, self.times = fault, spared, 1 if fault in _CRASHES else times

    def heal(self) -> None:
        self.fault, self.spared, self.times = None, 0, 0

    def next(self) -> Fault | None:
        if not self.fault:
            return None
        if self.spared:
            self.spared -= 1
            return None
        self.times -= 1
        fault = self.fault
        if not self.times:
            self.heal()
        return fault


class DirectConnection(Connection):
    """Works in the caller's thread: hops between threads aren't repeatable."""

    def __init__(self, path: Path, connector=connect_reader) -> None:
        self._path = path
        self._connector = connector
        self._connection = None  # what the library's own destructor looks at
        self.raw: sqlite3.Connection | None = None

    async def open(self) -> "DirectConnection":
        self.raw = self._connector(self._path)
        return self

    async def close(self) -> None:
        if self.raw is not None:
            self.raw.close()

    async def run(self, work):
        try:
            return work(self.raw)
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error


class FaultyConnection(DirectConnection):
    """The writer's: `committed` is called with the connection after each COMMIT, before anybody else knows."""

    def __init__(self, path: Path, faults: Faults, committed) -> None:
        super().__init__(path, connect_scratch)
        self._faults = faults
        self._committed = committed

    async def transact(self, work):
        fault = self._faults.next()
        if fault is Fault.CRASH_BEFORE:
            raise Crash(fault)
        result = await super().transact(lambda raw: _broken(raw, work, fault))
        self._committed(self.raw)
        if fault is Fault.CRASH_AFTER:
            raise Crash(fault)
        if fault is Fault.LATE:
            raise store_error(self._path, _error("disk I/O error", sqlite3.SQLITE_IOERR))
        return result


def _broken(raw: sqlite3.Connection, work, fault: Fault | None):
    result = work(raw)
    if fault is Fault.CRASH_INSIDE:
        raise Crash(fault)
    if fault is Fault.FULL:
        raw.execute("ROLLBACK")
        raise _error("database or disk is full", sqlite3.SQLITE_FULL)
    if fault is Fault.EIO:
        raise _error("disk I/O error", sqlite3.SQLITE_IOERR)
    return result


def _error(message: str, code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    return error


class SimulatedStore(Store):
    """A store whose id is always the same, over a connection that fails when told to."""

    def __init__(self, path: Path, faults: Faults, committed) -> None:
        self._faults = faults
        self._committed = committed
        super().__init__(path, "PLANT1-L1", STORE_ID)

    def _new_connection(self) -> FaultyConnection:
        return FaultyConnection(self.path, self._faults, self._committed)

    async def start(self) -> "SimulatedStore":
        await self._open()
        return self

    def die(self) -> None:
        """Leave to the kernel what it cleans up behind a killed process: nothing of it waits, and nothing commits."""
        with suppress(StopIteration):
            self.close().send(None)


class SimulatedLog(PostingLog):
    """The real log on a connection of the caller's thread."""

    @staticmethod
    def _new_connection(path: Path) -> DirectConnection:
        return DirectConnection(path)

    def die(self) -> None:
        """Leave nothing behind but the file."""
        self._connection.raw.close()

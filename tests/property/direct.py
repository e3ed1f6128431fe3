"""Stores that work in the caller's thread and never wait for the disk."""

import sqlite3
from pathlib import Path

from gateway.store.batch import Batch
from gateway.store.connection import Connection, connect_scratch
from gateway.store.errors import store_error
from gateway.store.store import ScratchStore, Store
from tests.unit.pipeline.plant import FaultyStore


class DirectConnection(Connection):
    """Works in the caller's thread: two hops of threads take longer than what SQLite does between them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = None  # what the library's own destructor looks at
        self.raw: sqlite3.Connection | None = None

    async def open(self) -> "DirectConnection":
        self.raw = connect_scratch(self._path)
        return self

    async def close(self) -> None:
        if self.raw is not None:
            self.raw.close()

    async def run(self, work):
        try:
            return work(self.raw)
        except sqlite3.Error as error:
            raise store_error(self._path, error) from error


class DirectScratchStore(ScratchStore):
    def _new_connection(self) -> DirectConnection:
        return DirectConnection(self.path)


class DirectFaultyStore(FaultyStore):
    """Shows each batch to `seen` before it is committed; the first `spared` ones don't fail."""

    spared = 0

    def _new_connection(self) -> DirectConnection:
        return DirectConnection(self.path)

    async def commit(self, batch: Batch) -> None:
        self.seen(batch)
        if self.spared:
            self.spared -= 1
            await Store.commit(self, batch)
        else:
            await super().commit(batch)

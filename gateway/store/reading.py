"""A read of several statements over one state of the store."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from gateway.errors import StoreError
from gateway.store.connection import connect_reader
from gateway.store.errors import store_error
from gateway.store.migrate import migrations, require_known

T = TypeVar("T")


def read(path: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    """Run `work` on a reader of its own, beside the writer or on a store nobody runs; StoreError when it can't be."""
    try:
        with closing(connect_reader(path)) as connection:
            _require_current(connection)
            return at_once(connection, work)
    except sqlite3.Error as error:
        raise store_error(path, error) from error


def at_once(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """Run `work` in one read transaction: a window that closes meanwhile is seen open or closed, never both."""
    connection.execute("BEGIN")
    try:
        return work(connection)
    finally:
        connection.execute("ROLLBACK")


def _require_current(connection: sqlite3.Connection) -> None:
    version, newest = require_known(connection), migrations()[-1][0]
    if version < newest:
        raise StoreError(
            f"the store has schema version {version}, this program reads {newest}",
            "start the gateway once: it brings the store up to date",
        )

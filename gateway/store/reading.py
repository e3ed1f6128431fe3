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
    require_file(path)
    try:
        with closing(connect_reader(path)) as connection:
            require_current(connection)
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


def require_file(path: Path) -> None:
    """Make sure that nothing else than a file stands there: of a folder SQLite says that the disk fails."""
    if path.exists() and not path.is_file():
        raise StoreError(f"store {path} is no file", "correct store.path")


def require_founded(connection: sqlite3.Connection) -> int:
    """Return the schema version of what is a store, of whatever age; StoreError says why it is none."""
    if version := require_known(connection):
        return version
    raise StoreError(
        "the store is empty: its founding broke off, or what was in it is lost",
        "`gateway run` tells which: it founds the store, or says how to go on",
    )


def require_current(connection: sqlite3.Connection) -> None:
    """Make sure that the store has the schema that this program reads; StoreError says why it hasn't."""
    version, newest = require_founded(connection), migrations()[-1][0]
    if version < newest:
        raise StoreError(
            f"the store has schema version {version}, this program reads {newest}",
            "start the gateway once: it brings the store up to date",
        )

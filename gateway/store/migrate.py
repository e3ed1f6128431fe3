"""The schema's versions: numbered SQL files, each applied once, in one transaction."""

import re
import sqlite3
from importlib.resources import files

from gateway.errors import StoreDamaged, StoreError
from gateway.store.errors import code_of

APPLICATION_ID = 0x42464757  # 'BFGW', as the first migration sets it
_NAME = re.compile(r"(\d{3})_\w+\.sql")


def migrations() -> list[tuple[int, str]]:
    """Return (version, SQL) of every migration, oldest first."""
    folder = files("gateway.store") / "migrations"
    found = ((_NAME.fullmatch(one.name), one) for one in folder.iterdir())
    return sorted((int(match[1]), one.read_text("utf-8")) for match, one in found if match)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema to the newest version; StoreError when the file is foreign or newer than this program.

    StoreDamaged when it isn't of the version that it says.
    """
    version = require_known(connection)
    for number, sql in migrations():
        if number > version:
            _apply(connection, number, sql)


def require_known(connection: sqlite3.Connection) -> int:
    """Return the schema version, 0 for an empty file; StoreError when the file is foreign or too new."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    require_ours(connection)
    newest = migrations()[-1][0]
    if version > newest:
        raise StoreError(
            f"the store has schema version {version}, this gateway knows {newest}",
            "it was used by a newer gateway: install that one, or restore a backup from before",
        )
    return version


def require_ours(connection: sqlite3.Connection) -> None:
    """Make sure that the file is empty or a gateway's, of whatever version; StoreError where it is neither."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION_ID and connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        raise StoreError("this is another program's SQLite file", "correct store.path")


def _apply(connection: sqlite3.Connection, number: int, sql: str) -> None:
    try:
        connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if code_of(error) != sqlite3.SQLITE_ERROR:  # a disk that is full, say
            raise
        raise StoreDamaged(
            f"the store says it has schema version {number - 1}, but hasn't: {error}", "restore a backup"
        ) from error

"""Is each value of its column's type? SQLite stores any value in any column, and integrity_check doesn't mind."""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from gateway.store.findings import Check, Findings

# They grow for as long as the line runs; all others are the state, or as small as that.
_PRODUCTION = {"event", "trigger_log", "posting", "posting_line", "link", "span", "variance", "snapshot"}
_RECORDS = {"journal", "input", "entry", "staging", "transfer", "dead_letter", "sink_rejection", "signed_checkpoint"}
_LOGS = _PRODUCTION | _RECORDS
_TYPES = ("text", "integer", "blob")
_TABLES = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
_COLUMNS = "SELECT name, lower(type), \"notnull\", pk FROM pragma_table_info(?, 'main') ORDER BY cid"


class _Column(NamedTuple):
    name: str
    type: str  # as `typeof` calls it: text, integer or blob
    required: int
    key: int  # its place in the primary key, from 1; 0: it isn't in it

    @property
    def is_wrong(self) -> str:
        """SQL that is true where the value is of another type."""
        allowed = f"'{self.type}'" if self.required or self.key else f"'{self.type}', 'null'"
        return f'typeof("{self.name}") NOT IN ({allowed})'


def mistyped(connection: sqlite3.Connection, *, logs: bool) -> Iterator[str]:
    """Yield, for each column with a value of another type, the first one; `logs`: also of tables that grow for ever."""
    for (table,) in connection.execute(_TABLES).fetchall():
        if logs or table not in _LOGS:
            yield from _mistyped(connection, table)


def column_types(connection: sqlite3.Connection) -> Check:
    """Check every value of the store."""
    findings = Findings("types")
    for fault in mistyped(connection, logs=True):
        findings.add(fault)
    return findings.check("every value is of its column's type")


def _mistyped(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    found = (_Column(*row) for row in connection.execute(_COLUMNS, (table,)))
    columns = [one for one in found if one.type in _TYPES]
    if not columns:  # somebody else's table
        return
    any_wrong = " OR ".join(one.is_wrong for one in columns)
    # The names are the schema's; one pass over the table where nothing is wrong.
    if not connection.execute(f'SELECT EXISTS (SELECT 1 FROM main."{table}" WHERE {any_wrong})').fetchone()[0]:  # noqa: S608
        return
    key = ", ".join(f'"{one.name}"' for one in sorted(columns, key=lambda one: one.key) if one.key) or "rowid"
    for one in columns:
        first = f'SELECT typeof("{one.name}"), {key} FROM main."{table}" WHERE {one.is_wrong} LIMIT 1'  # noqa: S608
        if row := connection.execute(first).fetchone():
            actual, *row_key = row
            yield f"{table} {' '.join(map(str, row_key))}: {one.name} is {actual}, not {one.type}"

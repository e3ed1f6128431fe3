"""Which rows a verification looks at: all of them, or those that a checkpoint hasn't seen as they are.

In the questions a table's plain name means the rows that are looked at, `main.` and the name every row: an incremental
verification covers the tables with temporary views of the same names. So both kinds ask the same questions.
"""

import sqlite3
from collections.abc import Iterable

from gateway.domain.document import Document, DocumentKey
from gateway.store.verified import Verified

_KEY = f"$[{Document._fields.index('key')}]"
_PATHS = {name: f"{_KEY}[{DocumentKey._fields.index(name)}]" for name in ("order", "operation")}
_PENDING = "CREATE TEMP TABLE {table} (id INTEGER PRIMARY KEY)"
_RANGE = """
INSERT INTO temp.pending_trigger
SELECT id FROM main.trigger_log WHERE id BETWEEN ? AND ?
"""
# Numbers only; the names are our own. An operation that anything happened at is looked at as a whole.
_VIEWS = """
CREATE TEMP VIEW posting AS SELECT * FROM main.posting WHERE seq > {seq};
CREATE TEMP VIEW posting_line AS SELECT * FROM main.posting_line WHERE seq > {seq};
CREATE TEMP VIEW event AS SELECT * FROM main.event WHERE id > {event};
CREATE TEMP VIEW trigger_log AS SELECT * FROM main.trigger_log
    WHERE id > {trigger} OR id IN (SELECT id FROM temp.pending_trigger);
CREATE TEMP VIEW link AS SELECT * FROM main.link
    WHERE document_id > {document} OR document_id IN (SELECT id FROM temp.pending_document);
CREATE TEMP VIEW exception AS SELECT * FROM main.exception
    WHERE id > {exception} OR id IN (SELECT id FROM temp.pending_exception);
CREATE TEMP VIEW touched AS
    SELECT order_no, operation FROM temp.trigger_log UNION SELECT order_no, operation FROM temp.posting
    UNION SELECT body ->> '{order}', body ->> '{operation}' FROM main.open_document;
CREATE TEMP VIEW span AS SELECT s.* FROM temp.touched AS o CROSS JOIN main.span AS s
    ON s.order_no = o.order_no AND s.operation = o.operation;
CREATE TEMP VIEW span_head AS SELECT h.* FROM temp.touched AS o CROSS JOIN main.span_head AS h
    ON h.order_no = o.order_no AND h.operation = o.operation;
"""


def restrict(connection: sqlite3.Connection, seen: Verified) -> None:
    """Let plain table names mean what came behind `seen`, and what was pending then. The file stays read-only."""
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA query_only = 0")  # the connection is mode=ro; only its temporary tables are written
    pending = seen.pending
    for table, ids in (("pending_document", pending.documents), ("pending_exception", pending.exceptions)):
        connection.execute(_PENDING.format(table=table))
        _fill(connection, table, ids)
    connection.execute(_PENDING.format(table="pending_trigger"))
    connection.executemany(_RANGE, pending.triggers)
    connection.executescript(_VIEWS.format(seq=seen.head.seq, **seen.ids._asdict(), **_PATHS))
    connection.execute("PRAGMA query_only = 1")


def _fill(connection: sqlite3.Connection, table: str, ids: Iterable[int]) -> None:
    connection.executemany(f"INSERT INTO temp.{table} VALUES (?)", ((one,) for one in ids))  # noqa: S608  # our names

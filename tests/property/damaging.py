"""Damages to a store: each a statement on one row that came behind a checkpoint, or was pending then."""

import sqlite3
from contextlib import closing

from gateway.store.verified import Verified

FLIPPED = 'CAST(replace(CAST(body AS TEXT), \'"good":"1"\', \'"good":"2"\') AS BLOB)'
# table: the column that picks the row, and what may be done to it
DAMAGES = {
    "posting": (
        "seq",
        "DELETE",
        f"body = {FLIPPED}",
        "body = x'7b7d'",
        "posted_at = '2026-11-22T00:00:00.000Z'",
        "item = 'OTHER'",
        "document_id = 999999",
        "position = position + 1",
        "reverses = coalesce(reverses + 1, 1)",
    ),
    "posting_line": ("seq", "DELETE", "lot = 'OTHER'", "quantity = '7'", "line = line + 50"),
    "journal": ("position", "DELETE", "body = x'7b7d'", "kind = 'other'"),
    "event": (
        "id",
        "DELETE",
        "quantity = '3'",
        "signal = 'other'",
        "order_no = '777'",
        "received_time = '2026-11-22T00:00:00.000Z'",
        "key = 'boot-1:77777-77778@77777'",
    ),
    "trigger_log": ("id", "DELETE", "quantity = '2'", "document_id = 1001, exception_id = NULL", "closed = NOT closed"),
    "link": ("document_id", "DELETE", "units = '5'", "body = '[[],[]]'", "document_id = 888888"),
    "exception": ("id", "DELETE", "closed_at = iif(closed_at IS NULL, opened_at, NULL)", "count = count + 1"),
    "span": ("trigger_id", "DELETE", "span_end = span_end + 1", "reversed = NOT reversed", "trigger_id = 777777"),
    "open_document": ("id", "DELETE", "body = replace(body, 'LOT-2', 'LOT-3')", "id = id + 500"),
    "backlog": ("id", "DELETE", "quantity = '2'", "trigger_id = 1"),
}
# What is always looked at, whatever was touched last.
EVERYWHERE = (
    "UPDATE tally SET posted = '9999'",
    "UPDATE tally SET counted = '9999', held = '9999'",
    "DELETE FROM tally",
    "UPDATE lot_balance SET consumed = '777' WHERE item = 'ITEM-1'",
    "UPDATE lot_balance SET returned = '3' WHERE item = 'ITEM-2'",
    "DELETE FROM lot_balance WHERE item = 'ITEM-3'",
    "UPDATE requirement SET committed = '99' WHERE bom_line = '0030'",
    "DELETE FROM requirement WHERE bom_line = '0030'",
    "DELETE FROM staging WHERE id = 'S-1'",
    "UPDATE meta SET value = value + 1 WHERE key = 'seq'",
    "UPDATE meta SET value = value - 1 WHERE key = 'position'",
    "INSERT INTO consumer VALUES ('puller', 'other', 99999, 0, '2026-11-21T10:00:00.000Z', 1)",
)
# Where the last thing that the counter told is there, behind the checkpoint.
COUNTERS = ("UPDATE checkpoint SET value = '77777'", "UPDATE checkpoint SET value = '0'")
_LAST_EVENT = "SELECT max(id) > coalesce((SELECT value FROM meta WHERE key = 'retained_event'), 0) + 0 FROM event"


def statements(path, seen: Verified) -> list[str]:
    """Return every damage that can be done behind the checkpoint."""
    found = list(EVERYWHERE)
    with closing(sqlite3.connect(path)) as connection:
        if connection.execute(f"{_LAST_EVENT} WHERE id > {seen.ids.event}").fetchone()[0]:
            found.extend(COUNTERS)
        for table, (column, *changes) in DAMAGES.items():
            where = _behind(table, seen)
            for (number,) in connection.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {where}").fetchall():
                chosen = f"WHERE {column} = {number} AND {where}"
                for change in changes:
                    head = f"DELETE FROM {table}" if change == "DELETE" else f"UPDATE {table} SET {change}"
                    found.append(f"{head} {chosen}")
    return found


def _behind(table: str, seen: Verified) -> str:
    ids, pending = seen.ids, seen.pending
    held = " OR ".join(f"{{0}} BETWEEN {first} AND {last}" for first, last in pending.triggers) or "0"
    triggers = f"({{0}} > {ids.trigger} OR {held})"
    return {
        "posting": f"seq > {seen.head.seq}",
        "posting_line": f"seq > {seen.head.seq}",
        "journal": f"position > {seen.head.position}",
        "event": f"id > {ids.event}",
        "trigger_log": triggers.format("id"),
        "span": triggers.format("trigger_id"),
        "link": f"(document_id > {ids.document} OR document_id IN ({','.join(map(str, pending.documents))}))",
        "exception": f"(id > {ids.exception} OR id IN ({','.join(map(str, pending.exceptions))}))",
    }.get(table, "1")

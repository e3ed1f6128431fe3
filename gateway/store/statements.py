"""The statements that write: a few of many rows each, because every statement gives up the interpreter.

sqlite3 releases the GIL for each row of an `executemany`, and a busy event loop then keeps it for up to 5 ms:
beside one, 100 postings took seconds. One statement of 128 rows is also faster on an idle machine.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

Row = tuple[Any, ...]

_MOST_ROWS = 128  # a power of two; the widest table then stays far below SQLite's 32,766 parameters


@dataclass(frozen=True, slots=True)
class Insert:
    """An INSERT of any number of rows. `otherwise` is the ON CONFLICT clause."""

    table: str
    columns: str
    otherwise: str = ""

    def run(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
        """Insert the rows in statements of 128, then 64, 32 …: few texts, so that all stay prepared."""
        done, size = 0, _MOST_ROWS
        while done < len(rows):
            while size > len(rows) - done:
                size //= 2
            connection.execute(self._statement(size), tuple(chain.from_iterable(rows[done : done + size])))
            done += size

    @property
    def one(self) -> str:
        """The statement for a single row."""
        return self._statement(1)

    def _statement(self, rows: int) -> str:
        key = (self, rows)
        if key not in _STATEMENTS:
            one = f"({','.join('?' * (self.columns.count(',') + 1))})"
            values = ",".join([one] * rows)
            # Table and columns are the constants below; every value is a parameter.
            _STATEMENTS[key] = f"INSERT INTO {self.table} ({self.columns}) VALUES {values} {self.otherwise}"  # noqa: S608
        return _STATEMENTS[key]


_STATEMENTS: dict[tuple[Insert, int], str] = {}


def _upsert(table: str, key: str, columns: str) -> Insert:
    changed = ", ".join(f"{name.strip()} = excluded.{name.strip()}" for name in columns.split(","))
    return Insert(table, f"{key}, {columns}", f"ON CONFLICT ({key}) DO UPDATE SET {changed}")


EVENT = Insert(
    "event",
    "id, device, signal, key, kind, quantity, uom, source_time, received_time, since, order_no, sscc, units, "
    "flag, verdict, content_hash, detail",
)
TRIGGER = Insert(
    "trigger_log",
    "id, event_id, rule, rule_version, line, order_no, operation, quantity, document_id, exception_id",
)
POSTING = Insert(
    "posting",
    "seq, position, order_no, operation, posting_type, posted_at, body, document_id, item, finished_lot, reverses, "
    "follows",
)
POSTING_LINE = Insert(
    "posting_line",
    "seq, line, use, item, lot, location, quantity, uom, bom_line, method, owner_kind, owner, standard, span_start, "
    "span_end",
)
LINK = Insert("link", "document_id, trigger_id, units, body")
OPEN_DOCUMENT = _upsert("open_document", "id", "body")
SPAN = Insert("span", "order_no, operation, span_start, span_end, trigger_id, reversed, sscc, sealed_at")
SPAN_HEAD = _upsert("span_head", "order_no, operation", "next, free")
BACKLOG = _upsert("backlog", "id", "trigger_id, document_id, order_no, operation, bom_line, uom, quantity, calculated")
JOURNAL = Insert("journal", "position, kind, body")
CHECKPOINT = _upsert(
    "checkpoint",
    "device, signal",
    "value, epoch, seen_wall, seen_boot, seen_boottime, source_time, order_no, counted, suspect, slack, doubt",
)
WATERMARK = _upsert("message_watermark", "device, signal", "body")
BASELINE = _upsert("baseline", "device, signal", "value, epoch, at, signed_by, signed_at")
LOT = _upsert(
    "lot_balance",
    "owner_kind, owner, item, lot, location",
    "uom, received_at, expires_at, status, staged, consumed, returned, has_left, facts",
)
STAGING = Insert(
    "staging",
    "id, content_hash, owner_kind, owner, item, lot, location, quantity, uom, received_at, expires_at, status, "
    "applied_at, facts",
)
TRANSFER = Insert(
    "transfer",
    "id, kind, content_hash, owner_kind, owner, item, lot, location, book, quantity, uom, reason, applied_at",
)
ENTRY = Insert("entry", "line, id, content_hash")
REQUIREMENT = _upsert("requirement", "order_no, operation, bom_line, uom", "numerator, denominator, committed, once")
ORDER_STATE = _upsert("order_state", "order_no", "body")
LINE_STATE = _upsert("line_state", "line", "body")
VARIANCE = _upsert(
    "variance", "order_no, bom_line, item", "line, uom, standard, actual, usage, mix, yields, scrap, cause, closed_at"
)
SHADOW = _upsert("shadow", "order_no, operation, bom_line, uom, source", "item, numerator, denominator, once, would_be")
PROGRESS = _upsert("order_progress", "order_no, operation", "good, scrap, rework")
EXCEPTION = _upsert(
    "exception",
    "id",
    "kind, code, reason, scope_1, scope_2, quantity, uom, count, first_event, last_event, opened_at, detail, "
    "closed_at, close_reason, closed_by, owner",
)
TALLY = _upsert("tally", "device, signal", "uom, counted, posted, scrapped, held, reversed")
DEAD_LETTER = Insert("dead_letter", "device, source, payload, reason, at, retained, put_aside")
CONSUMER = Insert(
    "consumer",
    "kind, name, through, required, updated_at",
    "ON CONFLICT (kind, name) DO UPDATE SET updated_at = excluded.updated_at, through = max(through, excluded.through)",
)
REJECTION = Insert(
    "sink_rejection",
    "sink, seq, reason, at",
    "ON CONFLICT (sink, seq) DO UPDATE SET reason = excluded.reason, at = excluded.at, tries = tries + 1, redrive = 0 "
    "WHERE closed_at IS NULL",
)
RESTORED_SOURCE = _upsert("restored_source", "device", "settled")
META = _upsert("meta", "key", "value")
# The greatest id that was given of what is deleted again: it is never given twice.
GREATEST = Insert(
    "meta",
    "key, value",
    "ON CONFLICT (key) DO UPDATE SET value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))",
)
SNAPSHOT = Insert("snapshot", "hash, body, first_used_at", "ON CONFLICT (hash) DO NOTHING")
SNAPSHOT_USE = _upsert("snapshot_use", "hash", "seq")
INPUT = Insert("input", "id, after_event, kind, body")
RETAINED_TOTAL = _upsert("retained", "kind, key_1, key_2, key_3, key_4", "quantity")
VERIFIED_TOTAL = _upsert("verified_total", "kind, key_1, key_2, key_3, key_4", "quantity")

# A trigger that is closed without posting stays in its (then closed) exception.
RELEASE = """
UPDATE trigger_log SET document_id = released.value ->> 1, closed = released.value ->> 1 IS NULL,
    exception_id = iif(released.value ->> 1 IS NULL, exception_id, NULL), order_no = released.value ->> 2
FROM json_each(?) AS released WHERE trigger_log.id = released.value ->> 0
"""
CLOSE_LETTERS = """
UPDATE dead_letter SET closed_at = closed.value ->> 1, close_reason = closed.value ->> 2, closed_by = closed.value ->> 3
FROM json_each(?) AS closed WHERE dead_letter.id = closed.value ->> 0
"""
CLOSE_REJECTIONS = """
UPDATE sink_rejection SET closed_at = closed.value ->> 2, close_reason = closed.value ->> 3,
    closed_by = closed.value ->> 4, redrive = 0
FROM json_each(?) AS closed WHERE sink = closed.value ->> 0 AND seq = closed.value ->> 1
"""
ASK_AGAIN = """
UPDATE sink_rejection SET redrive = 1 FROM json_each(?) AS asked
WHERE sink = asked.value ->> 0 AND seq = asked.value ->> 1 AND closed_at IS NULL
"""
CLOSE_DOCUMENTS = "DELETE FROM open_document WHERE id IN (SELECT value FROM json_each(?))"
CLOSE_BACKLOGS = "DELETE FROM backlog WHERE id IN (SELECT value FROM json_each(?))"
# A trigger's span that holds [start, end): the reversed part is cut out of it.
SPAN_AROUND = """
SELECT span_start, span_end, sscc, sealed_at FROM span
WHERE trigger_id = ? AND order_no = ? AND operation = ? AND span_start <= ? AND span_end >= ? AND NOT reversed
"""
DELETE_SPAN = "DELETE FROM span WHERE order_no = ? AND operation = ? AND span_start = ? AND trigger_id = ?"

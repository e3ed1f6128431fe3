"""A batch into rows, one list a table."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import orjson

from gateway.domain.document import Span
from gateway.store import statements as sql
from gateway.store.batch import Batch
from gateway.store.rows import orders, production, record, stock
from gateway.store.statements import Insert, Row

_WRITES: tuple[tuple[Insert, Callable[[Batch], Sequence[Row]]], ...] = (
    (sql.EVENT, production.events),
    (sql.TRIGGER, production.triggers),
    (sql.POSTING, production.postings),
    (sql.POSTING_LINE, production.lines),
    (sql.LINK, production.links),
    (sql.OPEN_DOCUMENT, production.documents),
    (sql.SPAN, production.spans),
    (sql.SPAN_HEAD, production.span_heads),
    (sql.BACKLOG, production.backlogs),
    (sql.JOURNAL, lambda batch: batch.journal),
    (sql.LOT, stock.lots),
    (sql.STAGING, stock.stagings),
    (sql.TRANSFER, stock.transfers),
    (sql.ENTRY, lambda batch: batch.entries),
    (sql.REQUIREMENT, orders.requirements),
    (sql.PROGRESS, orders.progress),
    (sql.ORDER_STATE, orders.order_states),
    (sql.LINE_STATE, orders.line_states),
    (sql.VARIANCE, orders.variances),
    (sql.SHADOW, orders.shadows),
    (sql.CHECKPOINT, record.checkpoints),
    (sql.WATERMARK, record.watermarks),
    (sql.BASELINE, record.baselines),
    (sql.EXCEPTION, record.exceptions),
    (sql.TALLY, record.tallies),
    (sql.SNAPSHOT, record.snapshots),
    (sql.SNAPSHOT_USE, record.snapshot_uses),
    (sql.INPUT, record.inputs),
    (sql.DEAD_LETTER, record.dead_letters),
    (sql.CONSUMER, record.consumers),
    (sql.REJECTION, record.rejections),
    (sql.RESTORED_SOURCE, record.settled),
    (sql.GREATEST, record.greatest),
    (sql.META, record.head),
)


def write(connection: sqlite3.Connection, batch: Batch) -> None:
    """Write the batch; the caller opened the transaction."""
    for span in batch.reversed_spans:  # before the new ones, which may fill what is free now
        _reverse(connection, span)
    for insert, rows in table_rows(batch):
        insert.run(connection, rows)
    _each(connection, sql.RELEASE, batch.released)
    _each(connection, sql.CLOSE_DOCUMENTS, _gone(batch.documents))
    _each(connection, sql.CLOSE_BACKLOGS, _gone(batch.backlogs))
    _each(connection, sql.CLOSE_LETTERS, record.closed_letters(batch))
    _each(connection, sql.CLOSE_REJECTIONS, record.closed_rejections(batch))
    _each(connection, sql.ASK_AGAIN, batch.asked_again)


def table_rows(batch: Batch) -> Iterator[tuple[Insert, Sequence[Row]]]:
    """Yield each table's insert and its rows, in the order they are written."""
    for insert, rows in _WRITES:
        yield insert, rows(batch)


def _gone(rows: Mapping[int, object]) -> list[int]:
    return [number for number, one in rows.items() if one is None]


def _each(connection: sqlite3.Connection, statement: str, values: Iterable[object]) -> None:
    if wanted := list(values):
        connection.execute(statement, (orjson.dumps(wanted).decode(),))


def _reverse(connection: sqlite3.Connection, span: Span) -> None:
    """Mark [start, end) of the trigger's span; what lies before and behind it stays as good as it was."""
    order, operation, start, end, trigger = span[:5]
    around = connection.execute(sql.SPAN_AROUND, (trigger, order, operation, start, end)).fetchone()
    if around is None:
        raise sqlite3.IntegrityError(f"trigger {trigger} has no units [{start}, {end}) at {order} {operation}")
    begin, stop, *case = around
    connection.execute(sql.DELETE_SPAN, (order, operation, begin, trigger))
    parts = ((begin, start, 0), (start, end, 1), (end, stop, 0))
    rows = [(order, operation, first, last, trigger, gone, *case) for first, last, gone in parts if first < last]
    sql.SPAN.run(connection, rows)

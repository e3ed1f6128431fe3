"""A batch into rows, one list a table."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence

import orjson

from gateway.domain.quantity import ZERO, text
from gateway.store import statements as sql
from gateway.store.batch import Batch
from gateway.store.codec import (
    moment,
    optional_moment,
    optional_stamp,
    optional_text,
    stamp,
    suspect_text,
    watermark_text,
)
from gateway.store.statements import Insert, Row


def write(connection: sqlite3.Connection, batch: Batch) -> None:
    """Write the batch; the caller opened the transaction."""
    for insert, rows in table_rows(batch):
        insert.run(connection, rows)
    if batch.released:
        connection.execute(sql.RELEASE, (orjson.dumps(batch.released).decode(),))


def table_rows(batch: Batch) -> Iterator[tuple[Insert, Sequence[Row]]]:
    """Yield each table's insert and its rows, in the order they are written."""
    for insert, rows in _WRITES:
        yield insert, rows(batch)


def _events(batch: Batch) -> list[Row]:
    return [
        (
            number,
            *event.signal,
            event.key,
            event.kind.value,
            text(event.quantity),
            event.uom,
            stamp(event.source_time),
            stamp(event.received_time),
            optional_stamp(event.since),
            event.order,
            event.sscc,
            optional_text(event.units),
            event.flag,
            verdict,
            content_hash,
        )
        for number, event, verdict, content_hash in batch.events
    ]


def _triggers(batch: Batch) -> list[Row]:
    return [
        (
            number,
            event_id,
            one.rule,
            one.rule_version,
            one.line,
            one.order,
            one.operation,
            text(one.event.quantity),
            seq,
            exception_id,
        )
        for number, event_id, one, seq, exception_id in batch.triggers
    ]


def _postings(batch: Batch) -> list[Row]:
    return [
        (seq, position, one.order, one.operation, one.type.value, stamp(posted_at), body)
        for seq, position, one, posted_at, body in batch.postings
    ]


def _lines(batch: Batch) -> list[Row]:
    return [
        (row.seq, line, str(one.use), one.item, one.lot, one.location, text(one.quantity), one.uom, one.bom_line)
        for row in batch.postings
        for line, one in enumerate(row.posting.lines, 1)
    ]


def _checkpoints(batch: Batch) -> list[Row]:
    return [
        (
            *signal,
            str(one.value),
            one.epoch,
            moment(one.seen.wall),
            one.seen.boot,
            one.seen.boottime,
            optional_moment(one.source_time),
            one.order,
            str(one.counted),
            suspect_text(one.suspect),
            one.slack,
        )
        for signal, one in batch.checkpoints.items()
    ]


def _lots(batch: Batch) -> list[Row]:
    return [
        (
            *key.owner,
            key.item,
            key.lot,
            key.location,
            one.uom,
            moment(one.received_at),
            optional_moment(one.expires_at),
            one.status.value,
            text(one.staged),
            text(one.consumed),
            text(one.returned),
            int(one.left != ZERO),
        )
        for key, one in batch.lots.items()
    ]


def _stagings(batch: Batch) -> list[Row]:
    return [
        (
            one.staging,
            content_hash,
            *one.key.owner,
            *one.key[1:],
            text(one.quantity),
            one.uom,
            moment(one.received_at),
            optional_moment(one.expires_at),
            one.status.value,
            stamp(applied_at),
        )
        for one, applied_at, content_hash in batch.stagings
    ]


def _exceptions(batch: Batch) -> list[Row]:
    return [
        (
            one.id,
            one.kind.value,
            one.code,
            one.reason,
            *one.scope,
            text(one.quantity),
            one.uom,
            one.count,
            stamp(one.first_event),
            stamp(one.last_event),
            stamp(one.opened_at),
            one.detail,
            optional_stamp(one.closed_at),
            one.close_reason,
            one.closed_by,
        )
        for one in batch.exceptions.values()
    ]


def _head(batch: Batch) -> list[Row]:
    head = batch.head
    return [] if head is None else [("seq", head.seq), ("position", head.position), ("hash", head.hash.hex())]


_WRITES: tuple[tuple[Insert, Callable[[Batch], Sequence[Row]]], ...] = (
    (sql.EVENT, _events),
    (sql.TRIGGER, _triggers),
    (sql.POSTING, _postings),
    (sql.POSTING_LINE, _lines),
    (sql.JOURNAL, lambda batch: batch.journal),
    (sql.CHECKPOINT, _checkpoints),
    (sql.WATERMARK, lambda batch: [(*key, watermark_text(one)) for key, one in batch.watermarks.items()]),
    (sql.LOT, _lots),
    (sql.STAGING, _stagings),
    (
        sql.REQUIREMENT,
        lambda batch: [
            (*key, str(one.numerator), str(one.denominator), text(one.committed))
            for key, one in batch.requirements.items()
        ],
    ),
    (
        sql.PROGRESS,
        lambda batch: [
            (*key, text(one.good), text(one.scrap), text(one.rework)) for key, one in batch.progress.items()
        ],
    ),
    (sql.EXCEPTION, _exceptions),
    (sql.TALLY, lambda batch: [(*key, one.uom, *map(text, one[1:])) for key, one in batch.tallies.items()]),
    (sql.DEAD_LETTER, lambda batch: [(*one[:4], stamp(one.at)) for one in batch.dead_letters]),
    (
        sql.CONSUMER,
        lambda batch: [
            (key.kind.value, key.name, mark.through, 0, stamp(mark.at)) for key, mark in batch.consumers.items()
        ],
    ),
    (sql.REJECTION, lambda batch: [(*one[:3], stamp(one.at)) for one in batch.rejections]),
    (sql.META, _head),
)

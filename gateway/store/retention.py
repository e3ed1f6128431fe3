"""Deletes the oldest part of the chain: what every required consumer has and nobody needs to look up any more."""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from gateway.errors import StoreError
from gateway.formats import chain
from gateway.store.statements import META, RETAINED_TOTAL
from gateway.store.store import Store
from gateway.store.totals import of_event, of_posting, of_trigger, retained

_CHUNK = 500  # postings a transaction: batches go on between two of them

# A posting that a required sink refused is not booked there: what follows it waits until a person has settled it.
_THROUGH = """
SELECT min(through) FROM (
    SELECT through FROM consumer WHERE required
    UNION ALL
    SELECT r.seq - 1 FROM sink_rejection AS r JOIN consumer AS c ON c.kind = 'sink' AND c.name = r.sink AND c.required
)
"""
_OLDEST = "SELECT seq, posted_at, body FROM posting WHERE seq <= ? ORDER BY seq LIMIT ?"
_TRIGGERS = """
SELECT t.id, e.id, e.device, e.signal, e.kind, e.quantity FROM json_each(?) AS wanted
CROSS JOIN trigger_log AS t ON t.id = wanted.value CROSS JOIN event AS e ON e.id = t.event_id
"""
_DELETE_BY_SEQ = ("DELETE FROM posting WHERE seq <= ?", "DELETE FROM posting_line WHERE seq <= ?")
_DELETE_JOURNAL = "DELETE FROM journal WHERE position <= ?"
_DELETE_TRIGGERS = "DELETE FROM trigger_log WHERE id IN (SELECT value FROM json_each(?))"
_DELETE_EVENTS = "DELETE FROM event WHERE id IN (SELECT value FROM json_each(?))"

Posting = tuple[int, str, bytes]


async def prune(store: Store, keep: timedelta, now: datetime) -> int:
    """Delete postings older than `keep` that every required consumer has acknowledged; return how many.

    Their lines, triggers, events and the journal beside them go too. Nothing goes while no consumer is required.
    """
    deleted = 0
    while count := await store.transact(lambda raw: _prune(raw, now - keep)):
        deleted += count
    return deleted


def _prune(connection: sqlite3.Connection, limit: datetime) -> int:
    old = _old(connection, limit)
    if old:
        bodies = [_content(seq, body) for seq, _, body in old]
        triggers = _triggers(connection, bodies)
        _keep_totals(connection, bodies, triggers)
        _keep_head(connection, bodies[-1], old[-1][2], triggers)
        _delete(connection, bodies[-1], triggers)
    return len(old)


def _old(connection: sqlite3.Connection, limit: datetime) -> list[Posting]:
    """Return the next postings to delete: a prefix, however the clock may have jumped in it."""
    through = connection.execute(_THROUGH).fetchone()[0]
    if through is None:
        return []
    found: list[Posting] = []
    for row in connection.execute(_OLDEST, (through, _CHUNK)):
        if datetime.fromisoformat(row[1]) >= limit:
            break
        found.append(row)
    return found


def _content(seq: int, body: bytes) -> dict[str, Any]:
    try:
        content: dict[str, Any] = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise StoreError(f"posting {seq} can't be read, so it is not deleted", "run `gateway verify`") from error
    return content


def _triggers(connection: sqlite3.Connection, bodies: Iterable[dict[str, Any]]) -> list[tuple[Any, ...]]:
    wanted = [one["id"] for body in bodies for one in body["triggers"]]
    return connection.execute(_TRIGGERS, (_json(wanted),)).fetchall()


def _keep_totals(
    connection: sqlite3.Connection, bodies: Iterable[dict[str, Any]], triggers: Iterable[tuple[Any, ...]]
) -> None:
    totals = retained(connection)
    for body in bodies:
        totals.add(of_posting(body))
    for _, _, device, signal, kind, quantity in triggers:
        totals.add((of_event(device, signal, quantity), of_trigger(device, signal, kind, quantity)))
    RETAINED_TOTAL.run(connection, [(*key, format(quantity, "f")) for key, quantity in totals.items()])


def _keep_head(
    connection: sqlite3.Connection, last: dict[str, Any], body: bytes, triggers: Sequence[tuple[Any, ...]]
) -> None:
    _, _, sealed = chain.unseal(body)
    rows = [
        ("retained_seq", last["seq"]),
        ("retained_position", last["position"]),
        ("retained_hash", sealed.hex()),
    ]
    META.run(connection, rows)
    # The greatest ids that are gone: they stand in documents and are never given again.
    for key, column in (("retained_trigger_log", 0), ("retained_event", 1)):
        greatest = max((row[column] for row in triggers), default=0)
        before = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        META.run(connection, [(key, max(greatest, int(before[0]) if before else 0))])


def _delete(connection: sqlite3.Connection, last: dict[str, Any], triggers: Iterable[tuple[Any, ...]]) -> None:
    for statement in _DELETE_BY_SEQ:
        connection.execute(statement, (last["seq"],))
    connection.execute(_DELETE_JOURNAL, (last["position"],))
    connection.execute(_DELETE_TRIGGERS, (_json([row[0] for row in triggers]),))
    connection.execute(_DELETE_EVENTS, (_json([row[1] for row in triggers]),))


def _json(values: Sequence[Any]) -> str:
    return orjson.dumps(values).decode()

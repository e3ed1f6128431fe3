"""What a batch asks the store for while it is planned: one statement a question, whatever the number of keys.

The keys travel as one JSON parameter. CROSS JOIN fixes the order: walk the keys, find each by its index.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from gateway.domain.event import Event, EventKind, SignalId, Trigger
from gateway.domain.lot import LotBalance, LotKey
from gateway.store import codec
from gateway.store.load import LOT_COLUMNS, lot

EventKey = tuple[str, str, str]

KNOWN_EVENTS = """
SELECT event.device, event.signal, event.key, event.content_hash FROM json_each(?) AS wanted CROSS JOIN event
ON event.device = wanted.value ->> 0 AND event.signal = wanted.value ->> 1 AND event.key = wanted.value ->> 2
"""
TRIGGER_COLUMNS = """
t.id, t.rule, t.rule_version, t.line, t.order_no, t.operation, e.device, e.signal, e.key, e.kind, e.quantity, e.uom,
e.source_time, e.received_time, e.since, e.order_no, e.sscc, e.units, e.flag, e.detail
"""
# Constants put together; no value from outside gets in.
HELD_TRIGGERS = f"""
SELECT {TRIGGER_COLUMNS} FROM trigger_log AS t CROSS JOIN event AS e ON e.id = t.event_id
WHERE t.exception_id = ? AND t.closed = 0 AND t.id > ? ORDER BY t.id LIMIT ?
"""  # noqa: S608
TRIGGERS = f"""
SELECT {TRIGGER_COLUMNS} FROM json_each(?) AS wanted CROSS JOIN trigger_log AS t ON t.id = wanted.value
CROSS JOIN event AS e ON e.id = t.event_id ORDER BY wanted.key
"""  # noqa: S608
DOCUMENT_OF_EVENT = """
SELECT t.document_id FROM event AS e CROSS JOIN trigger_log AS t ON t.event_id = e.id
WHERE e.device = ? AND e.signal = ? AND e.key = ?
"""
STAGED = "SELECT staging.id, content_hash FROM json_each(?) AS wanted CROSS JOIN staging ON staging.id = wanted.value"
TRANSFERS = (
    "SELECT transfer.id, content_hash FROM json_each(?) AS wanted CROSS JOIN transfer ON transfer.id = wanted.value"
)
ENTERED = "SELECT content_hash FROM entry WHERE line = ? AND id = ?"
BALANCES = f"""
SELECT {LOT_COLUMNS} FROM json_each(?) AS wanted CROSS JOIN lot_balance
ON owner_kind = wanted.value ->> 0 AND owner = wanted.value ->> 1 AND item = wanted.value ->> 2
    AND lot = wanted.value ->> 3 AND location = wanted.value ->> 4
"""  # noqa: S608  # a constant list of columns
BALANCES_OF_LOTS = f"""
SELECT {LOT_COLUMNS} FROM json_each(?) AS wanted CROSS JOIN lot_balance
ON item = wanted.value ->> 0 AND lot = wanted.value ->> 1
"""  # noqa: S608  # a constant list of columns


def known_events(connection: sqlite3.Connection, keys: Sequence[EventKey]) -> dict[EventKey, str | None]:
    """Return the content hash of those events that are stored."""
    rows = connection.execute(KNOWN_EVENTS, (as_json(keys),))
    return {(device, signal, key): content for device, signal, key, content in rows}


def held_triggers(connection: sqlite3.Connection, exception_id: int, limit: int, after: int) -> list[Trigger]:
    """Return the exception's triggers behind trigger `after`, oldest first."""
    return [_trigger(row) for row in connection.execute(HELD_TRIGGERS, (exception_id, after, limit))]


def triggers(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Trigger]:
    """Return these triggers in the order they are asked for."""
    return [_trigger(row) for row in connection.execute(TRIGGERS, (as_json(ids),))]


def staged(connection: sqlite3.Connection, staging_ids: Sequence[str]) -> dict[str, str]:
    """Return the content hash of those transfers that are stored."""
    return dict(connection.execute(STAGED, (as_json(staging_ids),)))


def document_of_event(connection: sqlite3.Connection, device: str, signal: str, key: str) -> int | None:
    """Return the main document of the event's trigger."""
    row: tuple[int | None] | None = connection.execute(DOCUMENT_OF_EVENT, (device, signal, key)).fetchone()
    return row[0] if row else None


def transfers(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, str]:
    """Return the content hash of those returns and counts that are stored."""
    return dict(connection.execute(TRANSFERS, (as_json(ids),)))


def entered(connection: sqlite3.Connection, line: str, number: str) -> str | None:
    """Return the content hash of an operator's entry that was booked."""
    row: tuple[str] | None = connection.execute(ENTERED, (line, number)).fetchone()
    return row[0] if row else None


def balances(connection: sqlite3.Connection, keys: Sequence[LotKey]) -> dict[LotKey, LotBalance]:
    """Return the balances that are stored."""
    wanted = as_json([(*key.owner, *key[1:]) for key in keys])
    return {one.key: one for one in map(lot, connection.execute(BALANCES, (wanted,)))}


def balances_of_lots(connection: sqlite3.Connection, lots: Sequence[tuple[str, str]]) -> dict[LotKey, LotBalance]:
    """Return the balances of these (item, lot), whosever they are."""
    return {one.key: one for one in map(lot, connection.execute(BALANCES_OF_LOTS, (as_json(lots),)))}


def as_json(keys: Sequence[Any]) -> str:
    """Return the keys as the one parameter they travel in."""
    return orjson.dumps(list(keys)).decode()


def _trigger(row: tuple[Any, ...]) -> Trigger:
    number, rule, version, line, order, operation, *event = row
    return Trigger(number, _event(event), rule, version, line, order, operation)


def _event(row: list[Any]) -> Event:
    device, signal, key, kind, quantity, uom, source_time, received_time, since, order, sscc, units, flag, stored = row
    detail = codec.event_detail(stored)
    return Event(
        signal=SignalId(device, signal),
        key=key,
        kind=EventKind(kind),
        quantity=Decimal(quantity),
        uom=uom,
        source_time=datetime.fromisoformat(source_time),
        received_time=datetime.fromisoformat(received_time),
        since=codec.when(since),
        order=order,
        sscc=sscc,
        units=codec.number(units),
        flag=flag,
        temperature=detail.temperature,
        lot=detail.lot,
        edited=detail.edited,
        person=detail.person,
    )

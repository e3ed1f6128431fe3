"""What goes with a posting that retention deletes: its triggers, with all that is known of them.

A trigger that a later or open document still speaks of, or that is owed something, is kept until the last of these
goes; `trigger_log.retained` says that one of its documents is no more.
"""

import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import orjson

from gateway.domain.event import NO_UNITS, SETTLED, EventKind
from gateway.store import codec
from gateway.store.reversed import reversals_of
from gateway.store.statements import GREATEST
from gateway.store.totals import (
    COUNTED_NOT,
    TotalKey,
    Totals,
    of_draws,
    of_event,
    of_reversal,
    of_settled,
    of_tried,
    of_trigger,
)

# What stays: triggers of the documents that go (first parameter, JSON) that are in a document behind `seq`.
_KEPT = """
SELECT DISTINCT l.trigger_id FROM json_each(?) AS going CROSS JOIN link AS l ON l.document_id = going.value
WHERE EXISTS (
    SELECT 1 FROM link AS other LEFT JOIN posting AS p ON p.document_id = other.document_id
    WHERE other.trigger_id = l.trigger_id AND (p.seq > ? OR EXISTS (
        SELECT 1 FROM open_document AS o WHERE o.id = other.document_id
    ))
) OR l.trigger_id IN (SELECT trigger_id FROM backlog)
"""
_LINKED = "SELECT DISTINCT l.trigger_id FROM json_each(?) AS going CROSS JOIN link AS l ON l.document_id = going.value"
_TRIGGERS = """
SELECT e.id, e.device, e.signal, e.kind, e.quantity, e.flag FROM json_each(?) AS wanted
CROSS JOIN trigger_log AS t ON t.id = wanted.value CROSS JOIN event AS e ON e.id = t.event_id
"""
_LINKS = """
SELECT l.trigger_id, l.document_id, l.units, l.body FROM json_each(?) AS wanted
CROSS JOIN link AS l ON l.trigger_id = wanted.value
"""
_SPANS = """
SELECT s.order_no, s.operation, s.span_end - s.span_start FROM json_each(?) AS wanted
CROSS JOIN span AS s ON s.trigger_id = wanted.value WHERE NOT s.reversed
"""
_KEEP = "UPDATE trigger_log SET retained = 1 WHERE id IN (SELECT value FROM json_each(?))"
_DELETE_BY_TRIGGER = (
    "DELETE FROM link WHERE trigger_id IN (SELECT value FROM json_each(?))",
    "DELETE FROM span WHERE trigger_id IN (SELECT value FROM json_each(?))",
    "DELETE FROM trigger_log WHERE id IN (SELECT value FROM json_each(?))",
)
_DELETE_EVENTS = "DELETE FROM event WHERE id IN (SELECT value FROM json_each(?))"
# What happened before a deleted event and has no trigger: occurrences, units on trial, what else the engine was told.
_TRIED = "SELECT device, signal, quantity FROM event WHERE id < ? AND kind = ?"
_DELETE_WITHOUT_TRIGGER = "DELETE FROM event WHERE id < ? AND kind IN (SELECT value FROM json_each(?))"
_LAST_INPUT = "SELECT id FROM input WHERE after_event < ? ORDER BY after_event DESC, id DESC LIMIT 1"
_DELETE_INPUTS = "DELETE FROM input WHERE id <= ?"


class _Event(NamedTuple):
    id: int
    device: str
    signal: str
    kind: str
    quantity: str
    flag: str


def forget(connection: sqlite3.Connection, seq: int, documents: Sequence[int], totals: Totals) -> None:
    """Delete what belongs to these documents, the last of which is posting `seq`, alone; add it to the totals."""
    going = _json(documents)
    kept = {number for (number,) in connection.execute(_KEPT, (going, seq))}
    gone = [number for (number,) in connection.execute(_LINKED, (going,)) if number not in kept]
    connection.execute(_KEEP, (_json(sorted(kept)),))
    triggers = _json(gone)
    events = [_Event(*row) for row in connection.execute(_TRIGGERS, (triggers,))]
    _add(connection, triggers, events, totals)
    for statement in _DELETE_BY_TRIGGER:
        connection.execute(statement, (triggers,))
    connection.execute(_DELETE_EVENTS, (_json([one.id for one in events]),))
    last = max((one.id for one in events), default=0)
    totals.add(of_tried(*row) for row in connection.execute(_TRIED, (last, EventKind.TRIED)))
    _forget_inputs(connection, last)
    # The greatest ids that are gone: they stand in documents and are never given again.
    greatest = (("retained_trigger_log", gone), ("retained_event", [one.id for one in events]))
    GREATEST.run(connection, [(key, max(ids, default=0)) for key, ids in greatest])


def _add(connection: sqlite3.Connection, triggers: str, events: Sequence[_Event], totals: Totals) -> None:
    for one in events:
        totals.add(of_trigger(*one[1:5]))
        if one.kind not in COUNTED_NOT:
            totals.add([of_event(one.device, one.signal, one.quantity)])
        if one.flag == SETTLED:
            totals.add([of_settled(one.device, one.signal, one.quantity)])
    for back in reversals_of(connection, triggers):
        totals.add(of_reversal(back.device, back.signal, back.kind, back.quantity))
    for row in connection.execute(_LINKS, (triggers,)):
        totals.add(of_draws(codec.link(*row).draws))
    for order, operation, length in connection.execute(_SPANS, (triggers,)):
        totals.add([(TotalKey("spanned", order, operation), Decimal(length))])


def _forget_inputs(connection: sqlite3.Connection, event: int) -> None:
    connection.execute(_DELETE_WITHOUT_TRIGGER, (event, _json(sorted({*NO_UNITS, EventKind.TRIED}))))
    last = connection.execute(_LAST_INPUT, (event,)).fetchone()
    if last is not None:
        connection.execute(_DELETE_INPUTS, last)
        GREATEST.run(connection, [("retained_input", *last)])


def _json(values: Sequence[object]) -> str:
    return orjson.dumps(list(values)).decode()

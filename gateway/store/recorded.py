"""The recording of a store: everything that came in, event by event and input by input, in the order it happened.

A file of JSON lines. The first names the format, gateway and store; the last one says how much there is, so that a
cut-off file shows. Between them each line has its `kind`: `event`, an input's (`tick`, `command`, `activation`,
`gap`, `notice`, `baseline`, `entry`), or `snapshot`, the master data that the activation behind it names by hash.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
from pydantic import TypeAdapter

from gateway.domain.event import Event, EventKind, SignalId
from gateway.domain.quantity import text
from gateway.store import codec
from gateway.store.batch import EventRow
from gateway.store.load import read_meta

FORMAT = "backflush.events/1"

Json = dict[str, Any]

_EVENTS = """
SELECT id, device, signal, key, kind, quantity, uom, source_time, received_time, since, order_no, sscc, units, flag,
    verdict, content_hash, detail
FROM event ORDER BY id
"""
_INPUTS = "SELECT id, after_event, kind, body FROM input ORDER BY id"
_FIRST = "SELECT (SELECT min(id) FROM event), (SELECT after_event FROM input ORDER BY id LIMIT 1)"
_SNAPSHOT = "SELECT body FROM snapshot WHERE hash = ?"
_EXCEPTION = "SELECT kind, scope_1, scope_2, code FROM exception WHERE id = ?"
_FIRST_EVENT = """
SELECT e.device, e.signal, e.key FROM link AS l JOIN trigger_log AS t ON t.id = l.trigger_id
JOIN event AS e ON e.id = t.event_id
WHERE l.document_id = {} ORDER BY l.trigger_id LIMIT 1
"""
# What a command names by a number of this store's: under another configuration it may bear another one.
_NUMBERED = {
    "Reverse": ("seq", "event", _FIRST_EVENT.format("(SELECT document_id FROM posting WHERE seq = ?)")),
    "CloseWindow": ("document", "event", _FIRST_EVENT.format("?")),
    "Retry": ("exception", "exception", _EXCEPTION),
    "AcceptDeviation": ("exception", "exception", _EXCEPTION),
    "CloseException": ("exception", "exception", _EXCEPTION),
    "SettleHold": ("exception", "exception", _EXCEPTION),
}


class Missing(NamedTuple):
    """What of the beginning is not there: retention has deleted it, or it is older than recordings are."""

    postings: int  # the last seq that was deleted, 0: none was
    events: int  # the last event whose moment isn't known, 0: each has one

    def __bool__(self) -> bool:
        return bool(self.postings or self.events)


def recording(connection: sqlite3.Connection) -> Iterator[Json]:
    """Yield the lines; read in one transaction, or the end may not fit the beginning."""
    meta = read_meta(connection)
    yield {
        "format": FORMAT,
        "gateway": meta["gateway"],
        "store": meta["store"],
        "missing": missing(connection)._asdict(),
    }
    written: set[str] = set()
    count = 0
    for kind, content in _in_order(connection):
        if kind == "activation" and (snapshot := _snapshot(connection, content["master_data"], written)):
            yield snapshot
        about = _about(connection, content) if kind == "command" else {}
        yield {"kind": kind, **content, **about}
        count += 1
    yield {"kind": "end", "events_and_inputs": count}


def missing(connection: sqlite3.Connection) -> Missing:
    """Return what of the beginning is not there any more."""
    meta = read_meta(connection)
    event, after = connection.execute(_FIRST).fetchone()
    deleted = int(meta.get("retained_event", 0))
    untold = (after or 0) if after is not None else (event or 0)  # events before the first tick
    return Missing(int(meta.get("retained_seq", 0)), max(deleted, untold))


def read_event(content: Mapping[str, Any]) -> EventRow:
    """Return the event of its line; ValueError, KeyError or TypeError where it is none."""
    detail = _DETAIL.validate_python(content.get("detail") or ())
    event = Event(
        signal=SignalId(content["device"], content["signal"]),
        key=content["key"],
        kind=EventKind(content["event"]),
        quantity=Decimal(content["quantity"]),
        uom=content["uom"],
        source_time=datetime.fromisoformat(content["source_time"]),
        received_time=datetime.fromisoformat(content["received_time"]),
        since=codec.when(content["since"]),
        order=content["order"],
        sscc=content["sscc"],
        units=codec.number(content["units"]),
        flag=content["flag"],
        temperature=detail.temperature,
        lot=detail.lot,
        edited=detail.edited,
        person=detail.person,
    )
    return EventRow(content["id"], event, content["verdict"], content["content_hash"], detail.hold)


_DETAIL = TypeAdapter(codec.EventDetail)


def _in_order(connection: sqlite3.Connection) -> Iterator[tuple[str, Json]]:
    """Yield events and inputs with their kind; an input comes after the event it is said to have come after."""
    events = iter(connection.execute(_EVENTS))
    event = next(events, None)
    for _, after, kind, body in connection.execute(_INPUTS):
        while event is not None and event[0] <= after:
            yield "event", _event(event)
            event = next(events, None)
        yield kind, orjson.loads(body)
    while event is not None:
        yield "event", _event(event)
        event = next(events, None)


def _event(row: tuple[Any, ...]) -> Json:
    *columns, detail = row
    names = (
        *("id", "device", "signal", "key", "event", "quantity", "uom", "source_time", "received_time", "since"),
        *("order", "sscc", "units", "flag", "verdict", "content_hash"),
    )
    content = dict(zip(names, columns, strict=True))
    return content if detail is None else {**content, "detail": _said(codec.event_detail(detail))}


def _said(detail: codec.EventDetail) -> Json:
    """Return what an event has beside its columns, with the names of its members."""
    said: Json = orjson.loads(orjson.dumps(detail._asdict(), default=_plain))
    return {name: value for name, value in said.items() if value}


def _plain(value: Any) -> Any:
    return text(value) if isinstance(value, Decimal) else value._asdict()


def _snapshot(connection: sqlite3.Connection, name: str, written: set[str]) -> Json | None:
    row = None if name in written else connection.execute(_SNAPSHOT, (name,)).fetchone()
    written.add(name)
    return row and {"kind": "snapshot", "hash": name, "content": orjson.loads(row[0])}


def _about(connection: sqlite3.Connection, content: Mapping[str, Any]) -> Json:
    """Return what a command is about that names a number: the first event of a document, the scope of an entry."""
    if content["command"] == "SettleHolds":
        rows = [connection.execute(_EXCEPTION, (one["exception"],)).fetchone() for one in content["body"]["holds"]]
        return {"about": {"exceptions": [row and list(row) for row in rows]}}
    member, what, statement = _NUMBERED.get(content["command"], ("", "", ""))
    number = content["body"].get(member)
    row = None if number is None else connection.execute(statement, (number,)).fetchone()
    return {"about": {what: list(row)}} if row else {}

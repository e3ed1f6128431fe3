"""What memory needs to go on where the last commit stood. Never counts, never reads what is finished."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from gateway.counting.counter import Baseline, Checkpoint
from gateway.counting.messages import Watermark
from gateway.domain.document import Backlog, Document
from gateway.domain.event import SignalId
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.line import LineState
from gateway.domain.lot import LotBalance, LotKey, LotStatus, Owner
from gateway.domain.order import OrderState, Progress
from gateway.domain.requirement import Requirement, RequirementKey
from gateway.store import codec
from gateway.store.batch import Head, ShadowKey, ShadowTotal, SpanHead, Tally
from gateway.store.lineage import Restored, read_restored

CHECKPOINTS = """
SELECT device, signal, value, epoch, seen_wall, seen_boot, seen_boottime, source_time, order_no, counted, suspect,
    slack, doubt FROM checkpoint
"""
BASELINES = "SELECT device, signal, value, epoch, at, signed_by, signed_at FROM baseline ORDER BY device, signal"
LOT_COLUMNS = """
owner_kind, owner, item, lot, location, uom, received_at, expires_at, status, staged, consumed, returned, facts
"""
EXCEPTION_COLUMNS = """
id, kind, code, reason, scope_1, scope_2, quantity, uom, count, first_event, last_event, opened_at, detail,
closed_at, close_reason, closed_by, owner
"""
# Constants put together; no value from outside gets in.
LOTS_LEFT = f"SELECT {LOT_COLUMNS} FROM lot_balance WHERE has_left"  # noqa: S608
OPEN_EXCEPTIONS = f"SELECT {EXCEPTION_COLUMNS} FROM exception WHERE closed_at IS NULL ORDER BY id"  # noqa: S608
TALLIES = "SELECT device, signal, uom, counted, posted, scrapped, held, reversed FROM tally ORDER BY device, signal"
REQUIREMENTS = "SELECT order_no, operation, bom_line, uom, numerator, denominator, committed, once FROM requirement"
PROGRESS = "SELECT order_no, operation, good, scrap, rework FROM order_progress"
OPEN_DOCUMENTS = "SELECT id, body FROM open_document ORDER BY id"
HEADS = "SELECT order_no, operation, next, free FROM span_head"
BACKLOG_COLUMNS = """
b.id, b.trigger_id, b.document_id, b.order_no, b.operation, b.bom_line, b.uom, b.quantity, b.calculated
"""
SETTLED = "SELECT device, settled FROM restored_source"
WATERMARKS = "SELECT device, signal, body FROM message_watermark"
ORDER_STATES = "SELECT order_no, body FROM order_state"
LINE_STATES = "SELECT line, body FROM line_state"
BACKLOGS = f"SELECT {BACKLOG_COLUMNS} FROM backlog AS b ORDER BY b.id"  # noqa: S608
SHADOWS = """
SELECT order_no, operation, bom_line, uom, source, item, numerator, denominator, would_be, once FROM shadow
"""
# Nothing posts to a closed order any more: what only its postings need stays on the disk.
_ORDER_OPEN = " WHERE order_no NOT IN (SELECT order_no FROM order_state WHERE body ->> '$[0]' IS NOT NULL)"


@dataclass(slots=True)
class NextIds:
    """The next free row ids; assigned in memory, so that a batch needs no round trip."""

    event: int = 1
    trigger: int = 1
    exception: int = 1
    document: int = 1
    backlog: int = 1
    input: int = 1


@dataclass(frozen=True, slots=True)
class Recovered:
    """The committed state.

    `lots` are those with something left; `exceptions` the open ones, oldest first; requirements, progress, span heads
    and shadows those of orders that aren't closed.
    """

    head: Head
    ids: NextIds
    checkpoints: dict[SignalId, Checkpoint]
    watermarks: dict[SignalId, Watermark]
    baselines: dict[SignalId, Baseline]
    lots: dict[LotKey, LotBalance]
    requirements: dict[RequirementKey, Requirement]
    progress: dict[tuple[str, str], Progress]
    exceptions: tuple[ExceptionRecord, ...]
    tallies: dict[SignalId, Tally]
    documents: dict[int, Document]
    span_heads: dict[tuple[str, str], SpanHead]
    backlogs: dict[int, Backlog]
    order_states: dict[str, OrderState]
    line_states: dict[str, LineState]
    shadows: dict[ShadowKey, ShadowTotal]
    activated: str = ""
    restored: Restored | None = None
    settled: dict[str, datetime] = field(default_factory=dict)  # by device: until when its messages are in doubt


def load(connection: sqlite3.Connection) -> Recovered:
    """Return the state as the last commit left it."""
    execute = connection.execute
    meta = read_meta(connection)
    documents = {number: codec.document(body) for number, body in execute(OPEN_DOCUMENTS)}
    return Recovered(
        head=head(meta),
        ids=_next_ids(connection, meta, documents),
        checkpoints={SignalId(row[0], row[1]): codec.checkpoint(row[2:]) for row in execute(CHECKPOINTS)},
        watermarks={SignalId(*signal): codec.watermark(body) for *signal, body in execute(WATERMARKS)},
        baselines=dict(map(baseline, execute(BASELINES))),
        lots={one.key: one for one in map(lot, execute(LOTS_LEFT))},
        requirements={RequirementKey(*row[:4]): requirement(row[4:]) for row in execute(REQUIREMENTS + _ORDER_OPEN)},
        progress=dict(map(_progress, execute(PROGRESS + _ORDER_OPEN))),
        exceptions=tuple(map(exception, execute(OPEN_EXCEPTIONS))),
        tallies={SignalId(row[0], row[1]): tally(row[2:]) for row in execute(TALLIES)},
        documents=documents,
        span_heads=dict(map(_span_head, execute(HEADS + _ORDER_OPEN))),
        backlogs={row[0]: backlog(row) for row in execute(BACKLOGS)},
        order_states={order: codec.order_state(body) for order, body in execute(ORDER_STATES)},
        line_states={line: codec.line_state(body) for line, body in execute(LINE_STATES)},
        shadows=dict(map(_shadow, execute(SHADOWS + _ORDER_OPEN))),
        activated=meta.get("activated", ""),
        restored=read_restored(meta),
        settled={device: datetime.fromisoformat(at) for device, at in execute(SETTLED)},
    )


def _next_ids(connection: sqlite3.Connection, meta: dict[str, str], documents: Iterable[int]) -> NextIds:
    return NextIds(
        event=next_id(connection, "event", meta),
        trigger=next_id(connection, "trigger_log", meta),
        exception=next_id(connection, "exception", meta),
        document=max(next_id(connection, "posting", meta, "document_id"), max(documents, default=0) + 1),
        backlog=next_id(connection, "backlog", meta),
        input=next_id(connection, "input", meta),
    )


def _progress(row: tuple[Any, ...]) -> tuple[tuple[str, str], Progress]:
    order, operation, *made = row
    return (order, operation), Progress(*map(Decimal, made))


def _span_head(row: tuple[Any, ...]) -> tuple[tuple[str, str], SpanHead]:
    order, operation, end, free = row
    return (order, operation), SpanHead(end, codec.ranges(free))


def _shadow(row: tuple[Any, ...]) -> tuple[ShadowKey, ShadowTotal]:
    return ShadowKey(RequirementKey(*row[:4]), row[4]), ShadowTotal(row[5], requirement(row[6:]))


def read_meta(connection: sqlite3.Connection) -> dict[str, str]:
    """Return who the store is and where it ends."""
    return dict(connection.execute("SELECT key, value FROM meta"))


def head(meta: dict[str, str]) -> Head:
    """Return the end of the chain."""
    return Head(int(meta["position"]), bytes.fromhex(meta["hash"]), int(meta["seq"]))


def lot(row: tuple[Any, ...]) -> LotBalance:
    """Return the balance of a row of LOT_COLUMNS."""
    kind, owner, item, name, location, uom, received, expires, status, staged, consumed, returned, facts = row
    return LotBalance(
        LotKey(Owner(kind, owner), item, name, location),
        uom,
        datetime.fromisoformat(received),
        codec.when(expires),
        LotStatus(status),
        Decimal(staged),
        Decimal(consumed),
        Decimal(returned),
        codec.facts(facts),
    )


def exception(row: tuple[Any, ...]) -> ExceptionRecord:
    """Return the work-list entry of a row of EXCEPTION_COLUMNS."""
    number, kind, code, reason, scope_1, scope_2, quantity, uom, count, *rest = row
    first, last, opened, detail, closed_at, close_reason, closed_by, owner = rest
    return ExceptionRecord(
        id=number,
        kind=ExceptionKind(kind),
        code=code,
        reason=reason,
        scope=(scope_1, scope_2),
        quantity=Decimal(quantity),
        uom=uom,
        count=count,
        first_event=datetime.fromisoformat(first),
        last_event=datetime.fromisoformat(last),
        opened_at=datetime.fromisoformat(opened),
        detail=detail,
        closed_at=codec.when(closed_at),
        close_reason=close_reason,
        closed_by=closed_by,
        owner=owner,
    )


def baseline(row: tuple[Any, ...]) -> tuple[SignalId, Baseline]:
    """Return where a counter began, with its signal, of a row of BASELINES."""
    device, signal, value, epoch, at, signed_by, signed_at = row
    began = Baseline(int(value), epoch, datetime.fromisoformat(at), signed_by, codec.when(signed_at))
    return SignalId(device, signal), began


def tally(row: tuple[Any, ...]) -> Tally:
    """Return the totals of (uom, counted, posted, scrapped, held, reversed)."""
    uom, *quantities = row
    return Tally(uom, *map(Decimal, quantities))


def requirement(row: tuple[Any, ...]) -> Requirement:
    """Return the requirement of (numerator, denominator, committed, once)."""
    numerator, denominator, committed, once = row
    return Requirement(int(numerator), int(denominator), Decimal(committed), bool(once))


def backlog(row: tuple[Any, ...]) -> Backlog:
    """Return what is owed, of a row of BACKLOG_COLUMNS."""
    number, trigger, document, *key, quantity, calculated = row
    return Backlog(number, trigger, document, RequirementKey(*key), Decimal(quantity), bool(calculated))


def next_id(connection: sqlite3.Connection, table: str, meta: dict[str, str], column: str = "id") -> int:
    """Return the id that the table's next row gets."""
    # Retention may have taken the greatest id away, and an id stands in documents: it never comes again.
    greatest = connection.execute(f"SELECT max({column}) FROM main.{table}").fetchone()[0] or 0  # noqa: S608  # our own names
    return max(int(greatest), int(meta.get(f"retained_{table}", 0))) + 1

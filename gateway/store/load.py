"""What memory needs to go on where the last commit stood. Never counts, never reads what is finished."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from gateway.counting.counter import Checkpoint
from gateway.counting.messages import Watermark
from gateway.domain.event import SignalId
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.lot import LotBalance, LotKey, LotStatus, Owner
from gateway.domain.order import Progress
from gateway.domain.requirement import Requirement, RequirementKey
from gateway.store import codec
from gateway.store.batch import Head, Tally

CHECKPOINTS = """
SELECT device, signal, value, epoch, seen_wall, seen_boot, seen_boottime, source_time, order_no, counted, suspect,
    slack FROM checkpoint
"""
LOT_COLUMNS = """
owner_kind, owner, item, lot, location, uom, received_at, expires_at, status, staged, consumed, returned
"""
EXCEPTION_COLUMNS = """
id, kind, code, reason, scope_1, scope_2, quantity, uom, count, first_event, last_event, opened_at, detail,
closed_at, close_reason, closed_by
"""
# Constants put together; no value from outside gets in.
LOTS_LEFT = f"SELECT {LOT_COLUMNS} FROM lot_balance WHERE has_left"  # noqa: S608
OPEN_EXCEPTIONS = f"SELECT {EXCEPTION_COLUMNS} FROM exception WHERE closed_at IS NULL ORDER BY id"  # noqa: S608
TALLIES = "SELECT device, signal, uom, counted, posted, scrapped, held FROM tally ORDER BY device, signal"


@dataclass(frozen=True, slots=True)
class Recovered:
    """The committed state. `lots` are those with something left; `exceptions` the open ones, oldest first."""

    head: Head
    next_event: int
    next_trigger: int
    next_exception: int
    checkpoints: dict[SignalId, Checkpoint]
    watermarks: dict[SignalId, Watermark]
    lots: dict[LotKey, LotBalance]
    requirements: dict[RequirementKey, Requirement]
    progress: dict[tuple[str, str], Progress]
    exceptions: tuple[ExceptionRecord, ...]
    tallies: dict[SignalId, Tally]


def load(connection: sqlite3.Connection) -> Recovered:
    """Return the state as the last commit left it."""
    execute = connection.execute
    meta = read_meta(connection)
    return Recovered(
        head=head(meta),
        next_event=_next(connection, "event", meta),
        next_trigger=_next(connection, "trigger_log", meta),
        next_exception=_next(connection, "exception", meta),
        checkpoints={SignalId(row[0], row[1]): codec.checkpoint(row[2:]) for row in execute(CHECKPOINTS)},
        watermarks={
            SignalId(device, signal): codec.watermark(body)
            for device, signal, body in execute("SELECT device, signal, body FROM message_watermark")
        },
        lots={one.key: one for one in map(lot, execute(LOTS_LEFT))},
        requirements=_requirements(connection),
        progress={
            (order, operation): Progress(*map(Decimal, quantities))
            for order, operation, *quantities in execute(
                "SELECT order_no, operation, good, scrap, rework FROM order_progress"
            )
        },
        exceptions=tuple(map(exception, execute(OPEN_EXCEPTIONS))),
        tallies={SignalId(row[0], row[1]): tally(row[2:]) for row in execute(TALLIES)},
    )


def read_meta(connection: sqlite3.Connection) -> dict[str, str]:
    """Return who the store is and where it ends."""
    return dict(connection.execute("SELECT key, value FROM meta"))


def head(meta: dict[str, str]) -> Head:
    """Return the end of the chain."""
    return Head(int(meta["position"]), bytes.fromhex(meta["hash"]), int(meta["seq"]))


def lot(row: tuple[Any, ...]) -> LotBalance:
    """Return the balance of a row of LOT_COLUMNS."""
    kind, owner, item, name, location, uom, received, expires, status, staged, consumed, returned = row
    return LotBalance(
        LotKey(Owner(kind, owner), item, name, location),
        uom,
        datetime.fromisoformat(received),
        codec.when(expires),
        LotStatus(status),
        Decimal(staged),
        Decimal(consumed),
        Decimal(returned),
    )


def exception(row: tuple[Any, ...]) -> ExceptionRecord:
    """Return the work-list entry of a row of EXCEPTION_COLUMNS."""
    number, kind, code, reason, scope_1, scope_2, quantity, uom, count, *rest = row
    first, last, opened, detail, closed_at, close_reason, closed_by = rest
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
    )


def tally(row: tuple[Any, ...]) -> Tally:
    """Return the totals of (uom, counted, posted, scrapped, held)."""
    uom, *quantities = row
    return Tally(uom, *map(Decimal, quantities))


def _requirements(connection: sqlite3.Connection) -> dict[RequirementKey, Requirement]:
    rows = connection.execute(
        "SELECT order_no, operation, bom_line, uom, numerator, denominator, committed FROM requirement"
    )
    return {
        RequirementKey(*key): Requirement(int(top), int(bottom), Decimal(committed))
        for *key, top, bottom, committed in rows
    }


def _next(connection: sqlite3.Connection, table: str, meta: dict[str, str]) -> int:
    # Retention may have taken the greatest id away, and an id stands in documents: it never comes again.
    greatest = connection.execute(f"SELECT max(id) FROM {table}").fetchone()[0] or 0  # noqa: S608  # our own names
    return max(int(greatest), int(meta.get(f"retained_{table}", 0))) + 1

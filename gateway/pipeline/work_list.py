"""The work list of a batch: exceptions are opened, joined, shortened and closed, never deleted."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.quantity import EXACT, ZERO
from gateway.pipeline.state import JOINED
from gateway.pipeline.working_copy import WorkingCopy


def open_for(work: WorkingCopy, kind: ExceptionKind, scope: tuple[str, str]) -> ExceptionRecord | None:
    """Return the open exception about that scope, as the batch sees it."""
    number = work.waiting.get((kind, *scope))
    record = work.exceptions.get(number) if number is not None else None
    return record if record is not None and record.closed_at is None else None


def enter(  # what an entry says, named at the call
    work: WorkingCopy,
    kind: ExceptionKind,
    scope: tuple[str, str],
    *,
    code: str,
    reason: str,
    quantity: Decimal,
    uom: str,
    at: datetime,
    count: int = 1,
    detail: str = "",
) -> ExceptionRecord:
    """Open an exception, or join the open one of the same scope; return it as it is then."""
    before = open_for(work, kind, scope) if kind in JOINED else None
    if before is not None:
        joined = EXACT.add(before.quantity, quantity)
        record = replace(before, quantity=joined, count=before.count + count, last_event=at)
        work.exceptions[record.id] = record
        return record
    number = work.ids.exception
    work.ids.exception += 1
    record = work.exceptions[number] = ExceptionRecord(
        id=number,
        kind=kind,
        code=code,
        reason=reason,
        scope=scope,
        quantity=quantity,
        uom=uom,
        count=count,
        first_event=at,
        last_event=at,
        opened_at=work.now,
        detail=detail,
    )
    if kind in JOINED:
        work.waiting[kind, *scope] = number
    work.must_commit = True
    return record


def shorten(work: WorkingCopy, record: ExceptionRecord, quantity: Decimal, *, closed: str) -> ExceptionRecord:
    """Take one trigger or message out of the exception; close it with the reason `closed` when that was the last."""
    rest = max(ZERO, EXACT.subtract(record.quantity, quantity))
    left = replace(record, quantity=rest, count=record.count - 1)
    if left.count <= 0:
        left = replace(left, quantity=ZERO, count=0, closed_at=work.now, close_reason=closed, closed_by="gateway")
    work.exceptions[record.id] = left
    work.must_commit = True
    return left

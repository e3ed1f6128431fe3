"""The work list of a batch: exceptions are opened, joined, shortened and closed, never deleted."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.quantity import EXACT, ZERO
from gateway.pipeline.state import JOINED, Scope, joined_by
from gateway.pipeline.working_copy import WorkingCopy


def open_for(work: WorkingCopy, kind: ExceptionKind, scope: tuple[str, str]) -> ExceptionRecord | None:
    """Return the open exception about that scope, as the batch sees it."""
    return _open(work, (kind, *scope))


def _open(work: WorkingCopy, joined: Scope) -> ExceptionRecord | None:
    number = work.waiting.get(joined)
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
    owner: str = "",
) -> ExceptionRecord:
    """Open an exception, or join the open one of the same scope; return it as it is then."""
    place = joined_by(kind, scope, code, owner)
    before = _open(work, place) if kind in JOINED else None
    if before is not None:
        return _join(work, before, quantity, uom, count=count, at=at)
    record = ExceptionRecord(
        id=work.ids.exception,
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
        owner=owner,
    )
    work.ids.exception += 1
    work.exceptions[record.id] = record
    if kind in JOINED:
        work.waiting[place] = record.id
    work.must_commit = True
    return record


def _join(
    work: WorkingCopy, before: ExceptionRecord, quantity: Decimal, uom: str, *, count: int, at: datetime
) -> ExceptionRecord:
    joined = EXACT.add(before.quantity, quantity)
    held = before.uom if before.quantity else uom  # the entry may have begun with what counts no units
    record = replace(before, quantity=joined, uom=held, count=before.count + count, last_event=at)
    work.exceptions[record.id] = record
    return record


def shorten(work: WorkingCopy, record: ExceptionRecord, quantity: Decimal, *, closed: str) -> ExceptionRecord:
    """Take one trigger or message out of the exception; close it with the reason `closed` when that was the last."""
    rest = max(ZERO, EXACT.subtract(record.quantity, quantity))
    left = replace(record, quantity=rest, count=record.count - 1)
    if left.count <= 0:
        return close(work, left, closed, "gateway")
    work.exceptions[record.id] = left
    work.must_commit = True
    return left


def close(work: WorkingCopy, record: ExceptionRecord, reason: str, person: str) -> ExceptionRecord:
    """Close the entry: nothing waits in it any more."""
    return dismiss(work, replace(record, quantity=ZERO, count=0), reason, person)


def dismiss(work: WorkingCopy, record: ExceptionRecord, reason: str, person: str) -> ExceptionRecord:
    """Close the entry without posting what it holds: its record keeps saying how much that is."""
    closed = replace(record, closed_at=work.now, close_reason=reason, closed_by=person)
    work.exceptions[record.id] = closed
    work.must_commit = True
    return closed

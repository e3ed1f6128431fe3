"""What posted triggers are still owed: components that split on a shortage, settled when stock comes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import orjson

from gateway.backflush.outcome import Blocked, Booked
from gateway.backflush.settle import settle as take_what_is_there
from gateway.backflush.span import Stretch, union
from gateway.domain.document import Backlog, Span
from gateway.domain.event import Trigger
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.quantity import EXACT, ZERO, text
from gateway.domain.requirement import RequirementKey
from gateway.pipeline import documents, run_rules, work_list
from gateway.pipeline.working_copy import WorkingCopy

_SETTLED = "settled"


def owe(work: WorkingCopy, booked: Booked, document: int) -> None:
    """Keep what a trigger was short of in `document`, in the exception of its order and operation."""
    if not booked.backlogs:
        return
    trigger, short = booked.bookings[-1].trigger, {one.key: one for one in booked.bookings[-1].draws if one.backlog}
    record = work_list.enter(
        work,
        ExceptionKind.BACKLOG,
        (trigger.order, trigger.operation),
        code="backlog",
        reason="",  # told by _tell, from everything that is owed by now
        quantity=ZERO,
        uom="",
        at=trigger.event.source_time,
        count=len(booked.backlogs),
    )
    documents.will_be_followed(work, document)
    totals = _totals(record)
    for key, quantity in booked.backlogs:
        number = work.ids.backlog
        work.ids.backlog += 1
        draw = short[key]
        work.backlogs[number] = Backlog(number, trigger.id, document, key, quantity, draw.calculated)
        item, before = totals.get(_name(key), (draw.item, ZERO))
        totals[_name(key)] = item, EXACT.add(before, quantity)
    _tell(work, record, totals)


def owed(work: WorkingCopy, record: ExceptionRecord) -> list[Backlog]:
    """Return what the exception is about, oldest first."""
    return [one for _, one in work.backlogs.items() if (one.key.order, one.key.operation) == record.scope]


def settle(
    work: WorkingCopy, open_ones: Iterable[Backlog], triggers: Mapping[int, Trigger], spans: Sequence[Span]
) -> None:
    """Take what is there now, oldest first; what is settled of one document posts as one that follows it."""
    reach: dict[int, Stretch | None] = {}
    for span in spans:
        reach[span.trigger] = union(reach.get(span.trigger), (span.start, span.end))
    entered: dict[int, None] = {}
    for backlog in open_ones:
        trigger = triggers[backlog.trigger]
        if run_rules.broken(work, trigger):
            continue
        outcome = take_what_is_there(work, work.model.master, trigger, backlog)
        if isinstance(outcome, Blocked):
            continue
        work.take_over(outcome.changes)
        for booking in outcome.bookings:
            entered[documents.enter(work, booking, None, backlog.document, reach.get(trigger.id))] = None
        rest = sum((quantity for _, quantity in outcome.backlogs), ZERO)
        _reduce(work, backlog, EXACT.subtract(backlog.quantity, rest), _SETTLED)
    for document in entered:
        documents.close(work, document, _SETTLED)


def cancel(work: WorkingCopy, backlog: Backlog, quantity: Decimal) -> None:
    """Owe so much less: it was reversed, or the order was closed."""
    _reduce(work, backlog, quantity, "nothing is owed any more")


def _reduce(work: WorkingCopy, backlog: Backlog, quantity: Decimal, closed: str) -> None:
    rest = EXACT.subtract(backlog.quantity, quantity)
    if rest > ZERO:
        work.backlogs[backlog.id] = backlog._replace(quantity=rest)
    else:
        work.backlogs.drop(backlog.id)
    work.must_commit = True
    key = backlog.key
    record = work_list.open_for(work, ExceptionKind.BACKLOG, (key.order, key.operation))
    if record is None:
        return
    totals = _totals(record)
    item, before = totals.get(_name(key), ("", ZERO))
    totals[_name(key)] = item, EXACT.subtract(before, quantity)
    left = record if rest > ZERO else work_list.shorten(work, record, ZERO, closed=closed)
    if left.closed_at is None:
        _tell(work, left, totals)


def _name(key: RequirementKey) -> str:
    return f"{key.bom_line} {key.uom}"


def _totals(record: ExceptionRecord) -> dict[str, tuple[str, Decimal]]:
    stored: dict[str, list[str]] = orjson.loads(record.detail or "{}")
    return {name: (item, Decimal(quantity)) for name, (item, quantity) in stored.items()}


def _tell(work: WorkingCopy, record: ExceptionRecord, totals: Mapping[str, tuple[str, Decimal]]) -> None:
    """Say in one sentence what the order's operation is owed; the entry's quantity where that is one component."""
    left = {name: (item, quantity) for name, (item, quantity) in totals.items() if quantity}
    order, operation = record.scope
    said = []
    for name, (item, quantity) in left.items():
        bom_line, _, uom = name.rpartition(" ")
        said.append(f"{text(quantity)} {uom} of {item} (BOM line {bom_line})")
    reason = f"order {order} is owed at operation {operation}: {', '.join(said)}"
    detail = orjson.dumps({name: (item, text(quantity)) for name, (item, quantity) in left.items()}).decode()
    single = list(left.items()) if len(left) == 1 else []
    quantity, uom = (single[0][1][1], single[0][0].rpartition(" ")[2]) if single else (ZERO, "")
    work.exceptions[record.id] = replace(record, reason=reason, detail=detail, quantity=quantity, uom=uom)

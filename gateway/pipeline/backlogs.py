"""What posted triggers are still owed: components that split on a shortage, settled when stock comes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

import orjson

from gateway.backflush.gather import together
from gateway.backflush.outcome import LATE, Blocked, Booked
from gateway.backflush.settle import settle as take_what_is_there
from gateway.backflush.span import Stretch, union
from gateway.domain.document import Backlog, Booking, Span
from gateway.domain.event import Trigger
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.quantity import EXACT, ZERO, text
from gateway.domain.requirement import NOTHING, RequirementKey
from gateway.pipeline import documents, run_rules, work_list
from gateway.pipeline.working_copy import WorkingCopy

_SETTLED = "settled"
_OWED = "backlog"


class _Known(NamedTuple):
    """What an entry says: what is owed by component, and why it could not be settled, empty where nobody tried."""

    owed: dict[str, tuple[str, Decimal]]
    waits: str = ""


def owe(work: WorkingCopy, booked: Booked, document: int) -> None:
    """Keep what a trigger was short of in `document`, in the exception of the component's order and operation."""
    trigger, short = booked.bookings[-1].trigger, {one.key: one for one in booked.bookings[-1].draws if one.backlog}
    documents.will_be_followed(work, document)
    for key, quantity in booked.backlogs:
        record = work_list.enter(
            work,
            ExceptionKind.BACKLOG,
            (key.order, key.operation),
            code=_OWED,
            reason="",  # told from everything that is owed by now
            quantity=ZERO,
            uom="",
            at=trigger.event.source_time,
        )
        number = work.ids.backlog
        work.ids.backlog += 1
        draw, known = short[key], _known(record)
        work.backlogs[number] = Backlog(number, trigger.id, document, key, quantity, draw.calculated)
        item, before = known.owed.get(_name(key), (draw.item, ZERO))
        known.owed[_name(key)] = item, EXACT.add(before, quantity)
        work.exceptions[record.id] = _told(record, known)


def owed(work: WorkingCopy, record: ExceptionRecord) -> list[Backlog]:
    """Return what the exception is about, oldest first."""
    return work.owed(*record.scope)


def settle(work: WorkingCopy, record: ExceptionRecord, triggers: Mapping[int, Trigger], spans: Sequence[Span]) -> None:
    """Take what is there now of what the entry is owed, oldest first; the entry says what the rest waits for.

    What is settled of one document posts as one that follows it.
    """
    waits: dict[str, Blocked] = {}  # the first of each code
    reach: dict[int, Stretch | None] = {}
    for span in spans:
        reach[span.trigger] = union(reach.get(span.trigger), (span.start, span.end))
    settled: dict[tuple[int, int], Booking] = {}  # by document and trigger
    for backlog in owed(work, record):
        trigger = triggers[backlog.trigger]
        outcome = run_rules.broken(work, trigger) or take_what_is_there(work, work.model.master, trigger, backlog)
        if isinstance(outcome, Blocked):
            waits.setdefault(outcome.code, outcome)
            continue
        work.take_over(outcome.changes)
        for booking in outcome.bookings:
            place = backlog.document, trigger.id
            settled[place] = together(settled[place], booking) if place in settled else booking
        rest = sum((quantity for _, quantity in outcome.backlogs), ZERO)
        _reduce(work, backlog, EXACT.subtract(backlog.quantity, rest), _SETTLED)
    entered = {
        documents.enter(work, booking, None, document, reach.get(trigger)): None
        for (document, trigger), booking in settled.items()
    }
    for number in entered:
        documents.close(work, number, _SETTLED)
    _renew(work, record, waits)


def write_off(work: WorkingCopy, record: ExceptionRecord) -> None:
    """Owe nothing of the entry any more, which its caller closes. What was calculated isn't committed then.

    The requirement stays: these units needed it, and a later trigger of the operation draws it from what is there.
    """
    for backlog in owed(work, record):
        if backlog.calculated:
            before = work.requirement(backlog.key)
            work.requirements[backlog.key] = before.give_back(NOTHING, backlog.quantity, once=False)
        work.backlogs.drop(backlog.id)


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
    known = _known(record)
    item, before = known.owed.get(_name(key), ("", ZERO))
    known.owed[_name(key)] = item, EXACT.subtract(before, quantity)
    left = record if rest > ZERO else work_list.shorten(work, record, ZERO, closed=closed)
    if left.closed_at is None:
        work.exceptions[left.id] = _told(left, known)


def _renew(work: WorkingCopy, record: ExceptionRecord, waits: Mapping[str, Blocked]) -> None:
    """Say what the rest waits for; the code is that of what a person can accept, if there is such a thing."""
    left = work_list.open_for(work, record.kind, record.scope)
    if left is None:
        return
    code = LATE if LATE in waits else next(iter(waits), _OWED)
    reasons = "; ".join(one.reason for one in waits.values())
    renewed = _told(replace(left, code=code), _known(left)._replace(waits=reasons))
    if renewed != left:
        work.exceptions[left.id] = renewed
        work.must_commit = True


def _name(key: RequirementKey) -> str:
    return f"{key.bom_line} {key.uom}"


def _known(record: ExceptionRecord) -> _Known:
    if not record.detail:
        return _Known({})
    stored = orjson.loads(record.detail)
    owed_now = {name: (item, Decimal(quantity)) for name, (item, quantity) in stored["owed"].items()}
    return _Known(owed_now, stored["waits"])


def _told(record: ExceptionRecord, known: _Known) -> ExceptionRecord:
    """Say what the order's operation is owed, and why still; the entry's quantity where that is one component."""
    left = {name: (item, quantity) for name, (item, quantity) in known.owed.items() if quantity}
    order, operation = record.scope
    said = []
    for name, (item, quantity) in left.items():
        bom_line, _, uom = name.rpartition(" ")
        said.append(f"{text(quantity)} {uom} of {item} (BOM line {bom_line})")
    reason = f"order {order} is owed at operation {operation}: {', '.join(said)}"
    stored = {"owed": {name: (item, text(quantity)) for name, (item, quantity) in left.items()}, "waits": known.waits}
    single = list(left.items()) if len(left) == 1 else []
    quantity, uom = (single[0][1][1], single[0][0].rpartition(" ")[2]) if single else (ZERO, "")
    return replace(
        record,
        reason="; ".join(filter(None, (reason, known.waits))),
        detail=orjson.dumps(stored).decode(),
        quantity=quantity,
        uom=uom,
    )

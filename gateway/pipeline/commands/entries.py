"""Operators' entries: output that no machine counts, and lots issued by scan. Booked like what machines report."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from gateway.backflush.explode import PlannedOperation
from gateway.backflush.plan import plan_at
from gateway.domain.clock import rfc3339
from gateway.domain.command import EnterOutput, IssueLot
from gateway.domain.event import Event, EventKind, LotMention, SignalId
from gateway.domain.order import Order
from gateway.domain.quantity import ZERO, text
from gateway.domain.rule import TriggerRule
from gateway.domain.signature import Author
from gateway.errors import CommandRefused
from gateway.formats import signed
from gateway.pipeline import line_orders
from gateway.pipeline.commands.desk import Desk, Handlers
from gateway.pipeline.model import Point
from gateway.pipeline.posting import book
from gateway.pipeline.working_copy import WorkingCopy
from gateway.store.batch import EntryRow

OPERATOR = "operator"  # the device of what people enter; its signals are the lines
_VERDICT = "ENTERED"
Edited = dict[EventKind, list[tuple[str, Decimal]]]  # (BOM line, quantity) by the kind of unit that draws them
_KINDS = (EventKind.GOOD_UNITS, EventKind.SCRAP_UNITS, EventKind.REWORK_UNITS)


async def enter_output(desk: Desk, command: EnterOutput, author: Author) -> bool:
    """Book an entry of good, scrap and rework units once; False where it was entered before."""
    work = desk.begin(command, author)
    order = line_orders.known_order(work, command.order)
    _has_operation(work, order, command.operation)
    at = command.at or work.now
    edited = _edited(work, command, at)
    signal = SignalId(OPERATOR, order.line)
    events = list(_events(command, edited, signal, at=at, now=work.now, person=author.person))
    if await _entered_before(desk, work, EntryRow(order.line, f"entry {command.entry}", signed.record(command))):
        return False
    _book(work, order, command.operation, events, signed.record(command))
    await desk.finish(work)
    return True


async def issue_lot(desk: Desk, command: IssueLot, author: Author) -> bool:
    """Issue a scanned lot once; False where it was issued before."""
    work = desk.begin(command, author)
    order = line_orders.known_order(work, command.order)
    _has_operation(work, order, command.operation)
    if command.item not in work.model.master.items:
        raise CommandRefused(f"issue {command.issue}: item {command.item} is not in the master data")
    if command.quantity <= ZERO:
        raise CommandRefused(f"issue {command.issue}: quantity {text(command.quantity)} is not above zero")
    _check_scanned(work, command)
    if await _entered_before(desk, work, EntryRow(order.line, f"issue {command.issue}", signed.record(command))):
        return False
    event = Event(
        signal=SignalId(OPERATOR, order.line),
        key=command.issue,
        kind=EventKind.LOT_ISSUED,
        quantity=command.quantity,
        uom=command.uom,
        source_time=work.now,
        received_time=work.now,
        order=command.order,
        temperature=command.temperature,
        lot=LotMention(command.item, command.lot, command.location, command.bom_line),
        person=author.person,
    )
    _book(work, order, command.operation, [event], signed.record(command))
    await desk.finish(work)
    return True


def _events(
    command: EnterOutput, edited: Edited, signal: SignalId, *, at: datetime, now: datetime, person: str
) -> Iterator[Event]:
    """Yield an event for each kind of unit, with the edited lines that this kind draws."""
    for kind, quantity in _made(command):
        yield Event(
            signal=signal,
            key=f"{command.entry}:{kind}",
            kind=kind,
            quantity=quantity,
            uom="",
            source_time=at,
            received_time=now,
            order=command.order,
            edited=tuple(edited.get(kind, ())),
            person=person,
        )


def _made(command: EnterOutput) -> list[tuple[EventKind, Decimal]]:
    made = zip(_KINDS, (command.good, command.scrap, command.rework), strict=True)
    return [(kind, quantity) for kind, quantity in made if quantity > ZERO]


def _edited(work: WorkingCopy, command: EnterOutput, at: datetime) -> Edited:
    """Return the edited lines by the kind of unit that draws them; CommandRefused where the entry can never post."""
    made = (command.good, command.scrap, command.rework)
    if min(made) < ZERO or not any(made):
        raise CommandRefused(f"entry {command.entry}: {' + '.join(map(text, made))} is no output")
    if at > work.now:
        raise CommandRefused(f"entry {command.entry}: {rfc3339(at)} is yet to come")
    if any(one.quantity < ZERO for one in command.lines):
        raise CommandRefused(f"entry {command.entry}: nobody consumes less than nothing")
    planned = _planned(work, command.order, command.operation, at)
    if planned is None:  # it waits, and says why
        first, _ = _made(command)[0]
        return {first: [(one.bom_line, one.quantity) for one in command.lines]}
    if not planned.operation.reporting_point:
        raise CommandRefused(
            f"entry {command.entry}: operation {command.operation} is no reporting point",
            "enter the output where the next reporting point is",
        )
    edited: Edited = {}
    for one in command.lines:
        edited.setdefault(_drawn_by(planned, command, one.bom_line), []).append((one.bom_line, one.quantity))
    return edited


def _drawn_by(planned: PlannedOperation, command: EnterOutput, bom_line: str) -> EventKind:
    drawn = dict(zip(_KINDS, (planned.good, planned.scrap, planned.rework), strict=True))
    known: set[str] = set()
    for kind, _ in _made(command):
        lines = {one.key.bom_line for one in drawn[kind]}
        if bom_line in lines:
            return kind
        known |= lines
    raise CommandRefused(
        f"entry {command.entry}: operation {command.operation} draws no BOM line {bom_line} for these units",
        f"it draws {', '.join(sorted(known)) or 'none'}",
    )


def _check_scanned(work: WorkingCopy, command: IssueLot) -> None:
    """Refuse at once what can never post: an item that the operation doesn't issue by scan."""
    planned = _planned(work, command.order, command.operation, work.now)
    if planned is None:
        return  # it waits, and says why
    by_scan = {one.key.bom_line: {item.item for item in one.supplies} for one in planned.scanned}
    if not any(command.item in items for line, items in by_scan.items() if command.bom_line in ("", line)):
        known = ", ".join(f"{line} ({' or '.join(sorted(items))})" for line, items in sorted(by_scan.items()))
        line = f" in BOM line {command.bom_line}" if command.bom_line else ""
        raise CommandRefused(
            f"issue {command.issue}: operation {command.operation} issues no {command.item} by scan{line}",
            f"by scan it issues {known or 'nothing'}",
        )


def _planned(work: WorkingCopy, order: str, operation: str, at: datetime) -> PlannedOperation | None:
    planned = plan_at(work.model.master, order, work.order_state(order), operation, at)
    return planned if isinstance(planned, PlannedOperation) else None


def _has_operation(work: WorkingCopy, order: Order, operation: str) -> None:
    versions = [one for one in work.model.master.boms.values() if one.bom == order.bom]
    if not any(one.operation(operation) for one in versions):
        known = sorted({one.operation for bom in versions for one in bom.operations})
        raise CommandRefused(
            f"BOM {order.bom} of order {order.order} has no operation {operation}", f"it has {', '.join(known)}"
        )


async def _entered_before(desk: Desk, work: WorkingCopy, entry: EntryRow) -> bool:
    """Tell whether that was booked before; where it wasn't, it will have been with the batch."""
    known = await desk.writer.store.entered(entry.line, entry.id)
    if known is None:
        work.rows.entries.append(entry)
    elif known != entry.content_hash:
        raise CommandRefused(f"{entry.id} was made before with other content", "give the correction an id of its own")
    return known is not None


def _book(work: WorkingCopy, order: Order, operation: str, events: Iterable[Event], content: str) -> None:
    for event in events:
        rule = TriggerRule(OPERATOR, 1, event.signal, event.kind, operation, order_from_event=True)
        book(work, Point(event.signal, order.line, rule=rule, is_event=True), event, _VERDICT, content)


HANDLERS: Handlers = {EnterOutput: enter_output, IssueLot: issue_lot}

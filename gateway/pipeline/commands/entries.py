"""Operators' entries: output that no machine counts, and lots issued by scan. Booked like what machines report."""

from collections.abc import Iterable, Iterator
from datetime import datetime

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
_KINDS = (EventKind.GOOD_UNITS, EventKind.SCRAP_UNITS, EventKind.REWORK_UNITS)


async def enter_output(desk: Desk, command: EnterOutput, author: Author) -> bool:
    """Book an entry of good, scrap and rework units once; False where it was entered before."""
    work = desk.begin(command, author)
    order = line_orders.known_order(work, command.order)
    _has_operation(work, order, command.operation)
    at = command.at or work.now
    _check_output(work, command, at)
    events = list(_events(command, SignalId(OPERATOR, order.line), at, work.now, author.person))
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


def _events(command: EnterOutput, signal: SignalId, at: datetime, now: datetime, person: str) -> Iterator[Event]:
    """Yield an event for each kind of unit; the first one carries the edited lines."""
    edited = tuple((one.bom_line, one.quantity) for one in command.lines)
    for kind, quantity in zip(_KINDS, (command.good, command.scrap, command.rework), strict=True):
        if quantity > ZERO:
            yield Event(
                signal=signal,
                key=f"{command.entry}:{kind}",
                kind=kind,
                quantity=quantity,
                uom="",
                source_time=at,
                received_time=now,
                order=command.order,
                edited=edited,
                person=person,
            )
            edited = ()


def _check_output(work: WorkingCopy, command: EnterOutput, at: datetime) -> None:
    made = (command.good, command.scrap, command.rework)
    if min(made) < ZERO or not any(made):
        raise CommandRefused(f"entry {command.entry}: {' + '.join(map(text, made))} is no output")
    if at > work.now:
        raise CommandRefused(f"entry {command.entry}: {rfc3339(at)} is yet to come")
    if any(one.quantity < ZERO for one in command.lines):
        raise CommandRefused(f"entry {command.entry}: nobody consumes less than nothing")
    state = work.order_state(command.order)
    planned = plan_at(work.model.master, command.order, state, command.operation, at)
    if not isinstance(planned, PlannedOperation):
        return  # it waits, and says why
    known = {one.key.bom_line for one in planned.components}
    for one in command.lines:
        if one.bom_line not in known:
            raise CommandRefused(
                f"entry {command.entry}: operation {command.operation} has no BOM line {one.bom_line}",
                f"it has {', '.join(sorted(known)) or 'none'}",
            )


def _has_operation(work: WorkingCopy, order: Order, operation: str) -> None:
    versions = [one for one in work.model.master.boms.values() if one.bom == order.bom]
    if not any(one.operation(operation) for one in versions):
        raise CommandRefused(f"BOM {order.bom} of order {order.order} has no operation {operation}")


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

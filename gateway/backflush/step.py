"""The engine: one trigger becomes a posting with its changes, or the exact reason why it waits."""

from decimal import Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from gateway.backflush.explode import PlannedOperation, explode
from gateway.backflush.issue import Blocked, Changes, Issues, State
from gateway.domain.bom import BillOfMaterial
from gateway.domain.clock import rfc3339
from gateway.domain.event import EventKind, Trigger
from gateway.domain.masterdata import MasterData
from gateway.domain.order import OrderStatus, Progress
from gateway.domain.posting import Output, Posting, PostingLine, PostingType, Use
from gateway.domain.quantity import EXACT, ZERO, exact
from gateway.errors import DataError

_NOT_RECEIVED = (EventKind.SCRAP_UNITS, EventKind.REWORK_UNITS)  # made, and so consumed, but no good product (yet)


class Posted(NamedTuple):
    """The trigger posts."""

    posting: Posting
    changes: Changes


def step(state: State, master: MasterData, trigger: Trigger) -> Posted | Blocked:
    """Return what becomes of the trigger. Nothing is changed here: all or nothing is the caller's one write."""
    with localcontext(EXACT):
        try:
            plan = _plan(master, trigger.order, trigger.operation) if trigger.order else _no_order(trigger)
            return plan if isinstance(plan, Blocked) else _post(state, master, trigger, plan)
        except DataError as error:
            return Blocked("data", str(error))


def _no_order(trigger: Trigger) -> Blocked:
    return Blocked("no-order", f"no order: neither {trigger.event.signal} nor line {trigger.line} names one")


@lru_cache(maxsize=1024)  # once for each snapshot of the master data, which is never changed
def _plan(master: MasterData, order_number: str, operation_number: str) -> PlannedOperation | Blocked:
    order = master.orders.get(order_number)
    if order is None:
        return Blocked("unknown-order", f"order {order_number} is not in the master data")
    if order.status is not OrderStatus.RELEASED:
        return Blocked("order-status", f"order {order.order} is {order.status.value}, not released")
    bom = master.boms.get((order.bom, order.bom_version))
    if bom is None or not bom.approved:
        state = "not approved" if bom else "missing"
        return Blocked("bom", f"BOM {order.bom} version {order.bom_version} of order {order.order} is {state}")
    operation = bom.operation(operation_number)
    if operation is None:
        return Blocked("operation", f"BOM {bom.bom} version {bom.version} has no operation {operation_number}")
    return explode(master, order, operation)


def _not_effective(bom: BillOfMaterial, trigger: Trigger) -> Blocked:
    at = rfc3339(trigger.event.source_time)
    return Blocked("bom", f"BOM {bom.bom} version {bom.version} is not effective at {at}, the event's time")


def _post(state: State, master: MasterData, trigger: Trigger, plan: PlannedOperation) -> Posted | Blocked:
    if not plan.bom.effective(trigger.event.source_time):
        return _not_effective(plan.bom, trigger)
    quantity = _counted(master, trigger, plan)
    issues = Issues(state, master.units, trigger, quantity, plan.operation.unit)
    for component in plan.components:
        if blocked := issues.issue(component):
            return blocked
    output = _output(trigger.event.kind, quantity, plan.operation.unit)
    key = (plan.order.order, plan.operation.operation)
    issues.changes.progress[key] = _progressed(state.progress(*key), output)
    lines = (*_receipt(trigger, plan, quantity), *issues.lines)
    return Posted(_posting(master, trigger, plan, output, lines), issues.changes)


def _counted(master: MasterData, trigger: Trigger, plan: PlannedOperation) -> Decimal:
    """Return the trigger's quantity in the operation's unit."""
    event = trigger.event
    if not event.uom or event.uom == plan.operation.unit:
        return event.quantity
    factor = master.units.factor(plan.order.item, event.uom, plan.operation.unit)
    return exact(Fraction(event.quantity) * factor)


def _receipt(trigger: Trigger, plan: PlannedOperation, counted: Decimal) -> list[PostingLine]:
    if not (plan.operation.receipt and counted) or trigger.event.kind in _NOT_RECEIVED:
        return []
    order = plan.order
    quantity = counted if plan.order_unit == 1 else exact(Fraction(counted) * plan.order_unit)
    return [
        PostingLine(Use.PRODUCED, order.item, quantity, order.uom, order.finished_lot, order.receipt_location),
    ]


def _output(kind: EventKind, quantity: Decimal, uom: str) -> Output:
    if kind is EventKind.SCRAP_UNITS:
        return Output(ZERO, quantity, ZERO, uom)
    if kind is EventKind.REWORK_UNITS:
        return Output(ZERO, ZERO, quantity, uom)
    return Output(quantity, ZERO, ZERO, uom)


def _progressed(before: Progress, output: Output) -> Progress:
    return Progress(before.good + output.good, before.scrap + output.scrap, before.rework + output.rework)


def _posting(
    master: MasterData, trigger: Trigger, plan: PlannedOperation, output: Output, lines: tuple[PostingLine, ...]
) -> Posting:
    return Posting(
        type=PostingType.ASSEMBLY if plan.operation.receipt else PostingType.COMPONENT,
        order=trigger.order,
        operation=trigger.operation,
        item=plan.order.item,
        finished_lot=plan.order.finished_lot,
        output=output,
        lines=lines,
        triggers=(trigger,),
        bom=plan.bom.bom,
        bom_version=plan.bom.version,
        master_data=master.hash,
    )

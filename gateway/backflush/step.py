"""The engine: one trigger becomes a posting with its changes, or the exact reason why it waits."""

from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Protocol

from gateway.backflush.allocate import Stock, allocate
from gateway.backflush.explode import PlannedComponent, PlannedOperation, explode
from gateway.domain.event import EventKind, Trigger
from gateway.domain.lot import LotBalance, LotKey, Owner
from gateway.domain.masterdata import MasterData
from gateway.domain.order import OrderStatus, Progress
from gateway.domain.posting import Output, Posting, PostingLine, PostingType, Use
from gateway.domain.quantity import EXACT, ZERO, exact, text
from gateway.domain.requirement import Requirement, RequirementKey
from gateway.errors import DataError


class State(Stock, Protocol):
    """What the engine reads: staged lots, cumulative requirements, progress of orders."""

    def requirement(self, key: RequirementKey) -> Requirement:
        """Return what the component required and committed so far."""
        ...

    def progress(self, order: str, operation: str) -> Progress:
        """Return what the operation has made so far."""
        ...


@dataclass(slots=True)
class Changes:
    """What a posted trigger changes; whoever keeps the state writes it with the posting, or not at all."""

    lots: dict[LotKey, LotBalance] = field(default_factory=dict)
    requirements: dict[RequirementKey, Requirement] = field(default_factory=dict)
    progress: dict[tuple[str, str], Progress] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Posted:
    """The trigger posts."""

    posting: Posting
    changes: Changes


@dataclass(frozen=True, slots=True)
class Blocked:
    """The trigger waits as a whole; `code` is the stable word, `reason` the sentence."""

    code: str
    reason: str


def step(state: State, master: MasterData, trigger: Trigger) -> Posted | Blocked:
    """Return what becomes of the trigger. Nothing is changed here: all or nothing is the caller's one write."""
    with localcontext(EXACT):
        try:
            plan = _plan(master, trigger)
            return plan if isinstance(plan, Blocked) else _post(state, master, trigger, plan)
        except DataError as error:
            return Blocked("data", str(error))


def _plan(master: MasterData, trigger: Trigger) -> PlannedOperation | Blocked:
    if not trigger.order:
        return Blocked("no-order", f"no order: neither {trigger.event.signal} nor line {trigger.line} names one")
    order = master.orders.get(trigger.order)
    if order is None:
        return Blocked("unknown-order", f"order {trigger.order} is not in the master data")
    if order.status is not OrderStatus.RELEASED:
        return Blocked("order-status", f"order {order.order} is {order.status.value}, not released")
    bom = master.boms.get((order.bom, order.bom_version))
    if bom is None or not bom.approved:
        state = "not approved" if bom else "missing"
        return Blocked("bom", f"BOM {order.bom} version {order.bom_version} of order {order.order} is {state}")
    operation = bom.operation(trigger.operation)
    if operation is None:
        return Blocked("operation", f"BOM {bom.bom} version {bom.version} has no operation {trigger.operation}")
    return explode(master, order, operation)


def _post(state: State, master: MasterData, trigger: Trigger, plan: PlannedOperation) -> Posted | Blocked:
    quantity = _counted(master, trigger, plan)
    changes = Changes()
    lines = _receipt(trigger, plan, quantity)
    for component in plan.components:
        issued = _issue(state, master, trigger, component, counted=quantity, changes=changes)
        if isinstance(issued, Blocked):
            return issued
        lines += issued
    output = _output(trigger.event.kind, quantity, plan.operation.unit)
    key = (plan.order.order, plan.operation.operation)
    changes.progress[key] = _progressed(state.progress(*key), output)
    return Posted(_posting(master, trigger, plan, output, lines), changes)


def _counted(master: MasterData, trigger: Trigger, plan: PlannedOperation) -> Decimal:
    """Return the trigger's quantity in the operation's unit."""
    event = trigger.event
    if not event.uom or event.uom == plan.operation.unit:
        return event.quantity
    factor = master.units.factor(plan.order.item, event.uom, plan.operation.unit)
    return exact(Fraction(event.quantity) * factor)


def _issue(
    state: State,
    master: MasterData,
    trigger: Trigger,
    planned: PlannedComponent,
    *,
    counted: Decimal,
    changes: Changes,
) -> list[PostingLine] | Blocked:
    component = planned.component
    if planned.measured:
        factor = master.units.factor(component.item, trigger.event.uom or component.uom, component.uom)
        due = exact(Fraction(trigger.event.quantity) * factor)
    else:
        # Where rejects are counted they consume like good units: the counter says so, not a percentage.
        top, bottom = counted.as_integer_ratio()
        required = state.requirement(planned.key).grown(top * planned.numerator, bottom * planned.denominator)
        due = required.due(component.rounding)
        changes.requirements[planned.key] = required.commit(due)
    return _take(state, trigger, planned, due, changes)


def _take(
    state: State, trigger: Trigger, planned: PlannedComponent, due: Decimal, changes: Changes
) -> list[PostingLine] | Blocked:
    if not due:
        return []
    component = planned.component
    need = due if planned.to_stock == 1 else exact(Fraction(due) * planned.to_stock)
    owners = (Owner("order", trigger.order), Owner("line", trigger.line))
    at = trigger.event.source_time
    found = allocate(state, owners, component.item, need, at=at, taken=changes.lots)
    if found.missing > ZERO:
        return _shortage(trigger, planned, need, found.missing, found.refused)
    lines = []
    for lot, quantity in found.picks:
        changes.lots[lot.key] = lot.consume(quantity)
        lines.append(_issued(planned, lot, quantity))
    return lines


def _issued(planned: PlannedComponent, lot: LotBalance, quantity: Decimal) -> PostingLine:
    component = planned.component
    key = lot.key
    return PostingLine(
        Use.CONSUMED,
        key.item,
        quantity,
        planned.stock_uom,
        key.lot,
        key.location,
        component.line,
        component.method.value,
    )


def _shortage(
    trigger: Trigger, planned: PlannedComponent, need: Decimal, missing: Decimal, refused: tuple[str, ...]
) -> Blocked:
    component = planned.component
    reason = (
        f"{component.item} (BOM line {component.line}) needs {text(need)} {planned.stock_uom}, "
        f"{text(need - missing)} available for order {trigger.order} on line {trigger.line}"
    )
    return Blocked("shortage", "; ".join((reason, *refused)))


def _receipt(trigger: Trigger, plan: PlannedOperation, counted: Decimal) -> list[PostingLine]:
    good = trigger.event.kind is not EventKind.SCRAP_UNITS
    if not (plan.operation.receipt and good and counted):
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
    master: MasterData, trigger: Trigger, plan: PlannedOperation, output: Output, lines: list[PostingLine]
) -> Posting:
    return Posting(
        type=PostingType.ASSEMBLY if plan.operation.receipt else PostingType.COMPONENT,
        order=trigger.order,
        operation=trigger.operation,
        item=plan.order.item,
        finished_lot=plan.order.finished_lot,
        output=output,
        lines=tuple(lines),
        triggers=(trigger,),
        bom=plan.bom.bom,
        bom_version=plan.bom.version,
        master_data=master.hash,
    )

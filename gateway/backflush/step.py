"""The engine: one trigger becomes bookings with their changes, or the exact reason why it waits."""

from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction

from gateway.backflush.book import bookings
from gateway.backflush.draft import Draft
from gateway.backflush.explode import PlannedComponent, PlannedOperation
from gateway.backflush.issue import issue, issue_plain
from gateway.backflush.outcome import Blocked, Booked, Waits
from gateway.backflush.outputs import book_activity, receive, receive_product
from gateway.backflush.plan import plan_at
from gateway.backflush.scan import issue_scanned
from gateway.backflush.state import State
from gateway.domain.event import EventKind, Trigger
from gateway.domain.masterdata import MasterData
from gateway.domain.order import OrderState, Progress
from gateway.domain.posting import Output
from gateway.domain.quantity import EXACT, ZERO, exact, nearest, text
from gateway.domain.use import Use
from gateway.errors import DataError

_CONSUMED = Use.CONSUMED
_SCRAP, _REWORK, _LOT_ISSUED = EventKind.SCRAP_UNITS, EventKind.REWORK_UNITS, EventKind.LOT_ISSUED


def step(state: State, master: MasterData, trigger: Trigger) -> Booked | Blocked:
    """Return what becomes of the trigger. Nothing is changed here: all or nothing is the caller's one write."""
    return guarded(lambda: _booked(state, master, trigger))


def guarded(book: Callable[[], Booked]) -> Booked | Blocked:
    """Return what `book` books with exact numbers, or why it has to wait."""
    with localcontext(EXACT):
        try:
            return book()
        except Waits as waits:
            return waits.blocked
        except DataError as error:
            return Blocked("data", str(error))


def planned_for(master: MasterData, past: OrderState, trigger: Trigger) -> PlannedOperation:
    """Return the trigger's operation as it was planned at the event's time; Waits where it may not post."""
    found = plan_at(master, trigger.order, past, trigger.operation, trigger.event.source_time)
    if isinstance(found, Blocked):
        raise Waits(found.code, found.reason)
    return found


def _booked(state: State, master: MasterData, trigger: Trigger) -> Booked:
    if not trigger.order:
        reason = f"no order: neither {trigger.event.signal} nor line {trigger.line} names one"
        raise Waits("no-order", reason)
    past = state.order_state(trigger.order)
    plan = planned_for(master, past, trigger)
    if trigger.event.kind is _LOT_ISSUED:
        draft = Draft(state, master, trigger, plan, ZERO)
        issue_scanned(draft)
        return bookings(draft, Output(ZERO, ZERO, ZERO, plan.operation.unit), receipt=False)
    if not plan.operation.reporting_point:
        reason = f"operation {trigger.operation} is no reporting point: the next one consumes what belongs to it"
        raise Waits("operation", reason)
    draft = Draft(state, master, trigger, plan, _counted(master, trigger, plan))
    return _made(draft, past)


def _made(draft: Draft, past: OrderState) -> Booked:
    """Book the units that were counted: what they consumed, what they are, and how far the operation is then."""
    output = _output(draft.event.kind, draft.counted, draft.plan.operation.unit)
    before = draft.state.progress(draft.trigger.order, draft.trigger.operation)
    receipt = draft.plan.operation.receipt and bool(output.good)
    if receipt:
        _check_quantity(draft, past, before.good + output.good)
        receive_product(draft)
    _draw(draft, _components(draft.plan, draft.event.kind))
    for activity in draft.plan.activities:
        book_activity(draft, activity)
    after = Progress(before.good + output.good, before.scrap + output.scrap, before.rework + output.rework)
    draft.changes.progress[draft.trigger.order, draft.trigger.operation] = after
    return bookings(draft, output, receipt=draft.plan.operation.receipt)


def _counted(master: MasterData, trigger: Trigger, plan: PlannedOperation) -> Decimal:
    """Return the trigger's quantity in the operation's unit."""
    event = trigger.event
    if not event.uom or event.uom == plan.operation.unit:
        return event.quantity
    factor = master.units.factor(plan.order.item, event.uom, plan.operation.unit)
    return exact(Fraction(event.quantity) * factor)


def _output(kind: EventKind, quantity: Decimal, uom: str) -> Output:
    if kind is _SCRAP:
        return Output(ZERO, quantity, ZERO, uom)
    if kind is _REWORK:
        return Output(ZERO, ZERO, quantity, uom)
    return Output(quantity, ZERO, ZERO, uom)


def _components(plan: PlannedOperation, kind: EventKind) -> tuple[PlannedComponent, ...]:
    if kind is _SCRAP:
        return plan.scrap
    return plan.rework if kind is _REWORK else plan.good


def _check_quantity(draft: Draft, past: OrderState, good: Decimal) -> None:
    """Hold the whole event when the order would get more good units than its tolerance allows."""
    order, operation = draft.plan.order, draft.plan.operation
    if order.over_tolerance is None:
        return
    planned = Fraction(order.quantity) * (1 + order.over_tolerance) if past.overrun is None else Fraction(past.overrun)
    if Fraction(good) * draft.plan.order_unit > planned:
        allowed = f"{text(nearest(planned))} {order.uom} allowed"
        raise Waits("over-production", f"{text(good)} {operation.unit} would be more than the {allowed}")


def _draw(draft: Draft, components: tuple[PlannedComponent, ...]) -> None:
    if draft.edited:
        _check_edited(draft, components)
    plain = not (draft.edited or draft.lot_scan)
    for planned in components:
        if plain and planned.plain:
            issue_plain(draft, planned)
        elif planned.component.use is _CONSUMED:
            issue(draft, planned)
        else:
            receive(draft, planned)


def _check_edited(draft: Draft, components: tuple[PlannedComponent, ...]) -> None:
    if unknown := sorted(draft.edited.keys() - {one.key.bom_line for one in components}):
        reason = f"BOM lines {', '.join(unknown)} were entered, operation {draft.trigger.operation} doesn't draw them"
        raise Waits("no-component", reason)

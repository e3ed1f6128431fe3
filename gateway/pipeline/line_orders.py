"""What happens to orders and at lines: started, finished, cleared, label approved. By command or by a machine's event.

Each returns whether it changed anything: what was told twice is done once. CommandRefused before anything changed.
"""

from dataclasses import replace
from datetime import UTC, datetime

from gateway.domain.clock import rfc3339
from gateway.domain.exception import ExceptionKind
from gateway.domain.line import LineOrder
from gateway.domain.order import Order
from gateway.domain.quantity import ZERO
from gateway.errors import CommandRefused
from gateway.pipeline import work_list
from gateway.pipeline.working_copy import WorkingCopy

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_REMEMBERED = 500  # starts and clearances at a line; an event older than these finds the oldest


def start(work: WorkingCopy, line: str, order: str, at: datetime, person: str) -> bool:
    """The line works on the order from `at` on; a change of order asks for clearance where the line wants it."""
    _order_of_line(work, line, order)
    if work.order_state(order).closed_at:
        raise CommandRefused(f"order {order} was closed", "start another one")
    if work.active_order(line, at) == order:
        return False
    _begin(work, line, order, at, person)
    return True


def _begin(work: WorkingCopy, line: str, order: str, at: datetime, person: str) -> None:
    former = _former(work, line, at)
    _enter(work, line, LineOrder(at, order))
    work.add_journal("order-started", {"line": line, "order": order, "at": rfc3339(at), "person": person})
    wants = work.model.master.lines.get(line)
    if wants and wants.line_clearance and former and former != order:
        ask_for_clearance(work, line, order, at, former)


def finish(work: WorkingCopy, line: str, order: str, at: datetime, person: str) -> bool:
    """The line has no order from `at` on, if it worked on this one."""
    _order_of_line(work, line, order)
    if work.active_order(line, at) != order:
        return False
    _enter(work, line, LineOrder(at, ""))
    work.add_journal("order-finished", {"line": line, "order": order, "at": rfc3339(at), "person": person})
    return True


def configured(work: WorkingCopy) -> None:
    """Take another active order in the configuration as a start; the first one was there from the beginning."""
    for line, active in work.model.active_orders.items():
        state, order = work.line_state(line), active or ""
        if order == state.configured:
            continue
        if state.configured and not state.orders:
            state = state._replace(orders=(LineOrder(_ALWAYS, state.configured),))
        work.line_states[line] = state._replace(configured=order)
        work.must_commit = True
        if state.orders and order:
            _begin(work, line, order, work.now, "configuration")
        elif state.orders:
            _enter(work, line, LineOrder(work.now, ""))


def clear(work: WorkingCopy, line: str, order: str, person: str) -> bool:
    """Somebody cleared the line of the former order's material, for this order; it holds from the change on."""
    _order_of_line(work, line, order)
    asked = work_list.open_for(work, ExceptionKind.CLEARANCE, (line, order))
    state, at = work.line_state(line), asked.first_event if asked else work.now
    if asked is None and state.cleared_at(at) == order:
        return False
    if asked is not None:
        work_list.close(work, asked, "cleared", person)
    work.line_states[line] = state._replace(cleared=_with(state.cleared, LineOrder(at, order)))
    work.add_journal("line-cleared", {"line": line, "order": order, "person": person})
    return True


def approve_label(work: WorkingCopy, order: str, person: str) -> bool:
    """Somebody approved the label of the order's packages."""
    known_order(work, order)
    state = work.order_state(order)
    if state.label_approved:
        return False
    work.order_states[order] = state._replace(label_approved=True)
    work.add_journal("label-approved", {"order": order, "person": person})
    return True


def known_order(work: WorkingCopy, order: str) -> Order:
    """Return the order; CommandRefused where the master data don't have it."""
    found = work.model.master.orders.get(order)
    if found is None:
        raise CommandRefused(f"order {order} is not in the master data", "`gateway orders` lists those that are")
    return found


def open_order(work: WorkingCopy, line: str, order: str) -> None:
    """Refuse what is said of an order that isn't this line's, or was closed."""
    _order_of_line(work, line, order)
    if closed_at := work.order_state(order).closed_at:
        raise CommandRefused(f"order {order} was closed, {rfc3339(closed_at)}", "name another one")


def _order_of_line(work: WorkingCopy, line: str, order: str) -> None:
    if line not in work.model.active_orders:
        raise CommandRefused(f"there is no line {line}", f"the lines are {', '.join(sorted(work.model.active_orders))}")
    planned = known_order(work, order).line
    if planned != line:
        raise CommandRefused(f"order {order} is planned for line {planned}, not for {line}")


def _former(work: WorkingCopy, line: str, at: datetime) -> str | None:
    """Return the order whose material is still at the line, be it finished or not."""
    started = (one.order for one in reversed(work.line_state(line).orders) if one.since <= at and one.order)
    return next(started, None) or work.model.active_orders.get(line)


def _enter(work: WorkingCopy, line: str, new: LineOrder) -> None:
    state = work.line_state(line)
    work.line_states[line] = state._replace(orders=_with(state.orders, new))


def _with(history: tuple[LineOrder, ...], new: LineOrder) -> tuple[LineOrder, ...]:
    before = [one for one in history if one.since <= new.since]
    after = [one for one in history if one.since > new.since]
    if after and after[0].order == new.order:
        del after[0]  # the same change, told again with an earlier time
    return (*before, new, *after)[-_REMEMBERED:]


def ask_for_clearance(work: WorkingCopy, line: str, order: str, at: datetime, former: str | None = None) -> None:
    """Open the entry that somebody closes by clearing the line for the order; one, from the earliest change on."""
    asked = work_list.open_for(work, ExceptionKind.CLEARANCE, (line, order))
    if asked is not None:
        if at < asked.first_event:
            work.exceptions[asked.id] = replace(asked, first_event=at)
            work.must_commit = True
        return
    former = former or work.line_state(line).cleared_at(at) or _former(work, line, at)
    changed = f"line {line} changed from order {former} to {order}: it has to be cleared of what {former} left"
    work_list.enter(
        work,
        ExceptionKind.CLEARANCE,
        (line, order),
        code="line-clearance",
        reason=changed if former else f"line {line} has to be cleared for order {order}",
        quantity=ZERO,
        uom="",
        at=at,
    )

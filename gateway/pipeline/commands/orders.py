"""Orders and lines: started, cleared, label approved, made by another BOM version, overrun; and trust in the clock."""

from gateway.domain.clock import ASSUMED, rfc3339
from gateway.domain.command import AllowOverrun, ApproveLabel, ClearLine, PinBom, StartOrder, TrustClock
from gateway.domain.order import Pin
from gateway.domain.quantity import ZERO, text
from gateway.domain.signature import Author
from gateway.errors import CommandRefused
from gateway.pipeline import line_orders
from gateway.pipeline.commands.desk import Desk, Handlers
from gateway.pipeline.commands.signing import signed


async def start_order(desk: Desk, command: StartOrder, author: Author) -> bool:
    """Let the line work on the order; False where it does already."""
    work = desk.begin(command, author)
    at = command.at or work.now
    if at > work.now:
        raise CommandRefused(
            f"order {command.order}: {rfc3339(at)} is yet to come", "tell it when the line begins; without a time: now"
        )
    changed = line_orders.start(work, command.line, command.order, at, author.person)
    await desk.finish(work)
    return changed


async def clear_line(desk: Desk, command: ClearLine, author: Author) -> bool:
    """Confirm that the line was cleared for the order; False where that is known."""
    work = desk.begin(command, author)
    changed = line_orders.clear(work, command.line, command.order, author.person)
    await desk.finish(work)
    return changed


async def approve_label(desk: Desk, command: ApproveLabel, author: Author) -> bool:
    """Approve the label of the order's packages; False where it is approved."""
    work = desk.begin(command, author)
    changed = line_orders.approve_label(work, command.order, author.person)
    await desk.finish(work)
    return changed


async def pin_bom(desk: Desk, command: PinBom, author: Author) -> bool:
    """Make the order by another approved BOM version from an event time on; False where it is pinned so."""
    work = desk.begin(command, author)
    order = line_orders.known_order(work, command.order)
    bom = work.model.master.boms.get((order.bom, command.bom_version))
    if bom is None or not bom.approved or bom.shadow:
        state = "missing" if bom is None else "a shadow" if bom.approved else "not approved"
        raise CommandRefused(f"BOM {order.bom} version {command.bom_version} is {state}")
    if not bom.effective(command.since):
        raise CommandRefused(
            f"BOM {order.bom} version {command.bom_version} is not effective at {rfc3339(command.since)}"
        )
    state_before, pin = work.order_state(command.order), Pin(command.since, command.bom_version)
    if pin in state_before.pins:
        return False
    others = tuple(one for one in state_before.pins if one.since != command.since)  # of one moment the last counts
    work.order_states[command.order] = state_before._replace(pins=tuple(sorted((*others, pin))))
    what = {"order": command.order, "bom_version": command.bom_version, "since": rfc3339(command.since)}
    work.add_journal("bom-pinned", {**what, **signed(author)})
    await desk.finish(work)
    return True


async def allow_overrun(desk: Desk, command: AllowOverrun, author: Author) -> bool:
    """Let the order produce up to that quantity in all; False where that is allowed."""
    work = desk.begin(command, author)
    order, before = line_orders.known_order(work, command.order), work.order_state(command.order)
    if command.quantity <= ZERO:
        raise CommandRefused(f"order {order.order}: {text(command.quantity)} {order.uom} is no quantity to produce")
    if before.overrun == command.quantity:
        return False
    work.order_states[command.order] = before._replace(overrun=command.quantity)
    what = {"order": command.order, "quantity": text(command.quantity), "uom": order.uom}
    work.add_journal("overrun", {**what, **signed(author)})
    await desk.finish(work)
    return True


async def trust_clock(desk: Desk, command: TrustClock, author: Author) -> bool:
    """Believe the wall clock until the next boot; what waits for it is tried again when the clock says so.

    False where the configuration assumes that the clock is right: nothing depends on it.
    """
    work = desk.begin(command, author)
    clock = work.place.clock
    if clock.trust == ASSUMED:
        return False
    work.add_journal("clock-trusted", {"before": clock.trust, "reason": clock.reason, **signed(author)})
    await desk.finish(work)
    desk.writer.clock.believe()  # only now: what isn't written down was not signed
    return True


HANDLERS: Handlers = {
    StartOrder: start_order,
    ClearLine: clear_line,
    ApproveLabel: approve_label,
    PinBom: pin_bom,
    AllowOverrun: allow_overrun,
    TrustClock: trust_clock,
}

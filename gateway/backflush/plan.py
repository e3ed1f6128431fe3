"""Which operation of which BOM version a trigger draws, exploded once for each snapshot of the master data."""

from datetime import datetime
from functools import lru_cache

from gateway.backflush.explode import PlannedOperation, explode
from gateway.backflush.outcome import Blocked
from gateway.domain.clock import rfc3339
from gateway.domain.masterdata import MasterData
from gateway.domain.order import OrderState, OrderStatus
from gateway.domain.versions import bom_version, since
from gateway.errors import DataError


def plan_at(
    master: MasterData, order_number: str, past: OrderState, operation: str, at: datetime
) -> PlannedOperation | Blocked:
    """Return what the operation's triggers of that time (event time) draw, or why none may."""
    order = master.orders.get(order_number)
    if order is None:
        return Blocked("unknown-order", f"order {order_number} is not in the master data")
    if past.closed_at:
        return Blocked("order-closed", f"order {order.order} was closed {rfc3339(past.closed_at)}")
    version = bom_version(master, order, past, at)
    if version is None:
        return Blocked("bom", f"no approved version of BOM {order.bom} is effective at {rfc3339(at)}, the event's time")
    try:
        found = plan(master, order.order, version, operation, since(master, at))
    except DataError as error:  # a phantom that isn't effective yet, a unit that can't be converted
        return Blocked("data", str(error))
    if isinstance(found, PlannedOperation) and not found.bom.effective(at):
        text = f"BOM {found.bom.bom} version {version} is not effective at {rfc3339(at)}, the event's time"
        return Blocked("bom", text)
    return found


@lru_cache(maxsize=256)  # master data is swapped as a whole, never changed; a former one stays while it is cached
def plan(
    master: MasterData, order_number: str, version: str, operation_number: str, at: datetime | None = None
) -> PlannedOperation | Blocked:
    """Return the operation of a known order exploded by that BOM version; `at` chooses the BOMs of phantoms."""
    order = master.orders[order_number]
    if order.status is not OrderStatus.RELEASED:
        return Blocked("order-status", f"order {order.order} is {order.status.value}, not released")
    bom = master.boms.get((order.bom, version))
    if bom is None or not bom.approved or bom.shadow:
        state = "missing" if bom is None else "a shadow" if bom.approved else "not approved"
        return Blocked("bom", f"BOM {order.bom} version {version} of order {order.order} is {state}")
    operation = bom.operation(operation_number)
    if operation is None:
        return Blocked("operation", f"BOM {bom.bom} version {bom.version} has no operation {operation_number}")
    return explode(master, order, bom, operation, at)

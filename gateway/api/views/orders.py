"""How each order stands: what its master data want, and what has happened to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from fastapi import HTTPException

from gateway.api.services import FromServices
from gateway.api.views.stock import lot
from gateway.domain.bom import BillOfMaterial
from gateway.domain.clock import rfc3339
from gateway.domain.lot import LotBalance, Owner
from gateway.domain.masterdata import MasterData
from gateway.domain.order import Order, OrderState, OrderStatus, Progress
from gateway.domain.quantity import ZERO, Rounding, rounded, text
from gateway.store.views import Views

_SHOWN = Rounding(decimals=6)  # of a quantity that never ends in the order's unit; nothing is computed with it
_FIRST = datetime.min.replace(tzinfo=UTC)


async def list_orders(services: FromServices) -> dict[str, list[dict[str, Any]]]:
    """Return every order of the master data or with any progress, by number."""
    return {"orders": await overviews(services.views, services.master())}


async def read_order(order: str, services: FromServices) -> dict[str, Any]:
    """Return an order with the lots that are left of what was staged to it."""
    found = [one for one in await overviews(services.views, services.master()) if one["order"] == order]
    if not found:
        raise HTTPException(404, f"there is no order {order}")
    return {**found[0], "residual_lots": _residuals(order, await services.views.lots())}


async def overviews(views: Views, master: MasterData) -> list[dict[str, Any]]:
    """Return how all orders stand, as JSON."""
    happened = _Happened(await views.order_states(), await views.progress())
    numbers = {*master.orders, *happened.states, *(order for order, _ in happened.progress)}
    return [_overview(number, master, happened) for number in sorted(numbers)]


@dataclass(frozen=True, slots=True)
class _Happened:
    """What the store says of all orders."""

    states: Mapping[str, OrderState]
    progress: Mapping[tuple[str, str], Progress]

    def of(self, order: str) -> dict[str, Progress]:
        """Return the progress of its operations."""
        return {operation: made for (number, operation), made in self.progress.items() if number == order}


def _overview(number: str, master: MasterData, happened: _Happened) -> dict[str, Any]:
    order, state = master.orders.get(number), happened.states.get(number, OrderState())
    bom = _bom(master, order, state) if order else None
    made = happened.of(number)
    return {
        "order": number,
        **(_wanted(order) if order else {"status": None}),
        **({"status": str(OrderStatus.CLOSED)} if state.closed_at else {}),
        "closed_at": rfc3339(state.closed_at) if state.closed_at else None,
        "label_approved": state.label_approved,
        "overrun": None if state.overrun is None else text(state.overrun),
        "bom": bom and {"bom": bom.bom, "version": bom.version},
        "pins": [{"since": rfc3339(pin.since), "bom_version": pin.bom_version} for pin in state.pins],
        "operations": [_operation(name, made[name], bom) for name in sorted(made)],
        **(_received(order, bom, made) if order and bom else {}),
    }


def _wanted(order: Order) -> dict[str, Any]:
    return {
        "item": order.item,
        "line": order.line,
        "kind": str(order.kind),
        "status": str(order.status),
        "active": order.active,
        "quantity": text(order.quantity),
        "uom": order.uom,
        "finished_lot": order.finished_lot,
    }


def _operation(name: str, made: Progress, bom: BillOfMaterial | None) -> dict[str, Any]:
    known = bom.operation(name) if bom else None
    quantities = {what: text(getattr(made, what)) for what in ("good", "scrap", "rework")}
    return {"operation": name, "uom": known.unit if known else None, **quantities}


def _received(order: Order, bom: BillOfMaterial, made: Mapping[str, Progress]) -> dict[str, str]:
    """Return what came in at the receipt operation and what is still open, in the order's unit."""
    receipt = next((one for one in bom.operations if one.receipt), None)
    if receipt is None:
        return {}
    units = Fraction(made.get(receipt.operation, Progress()).good) / receipt.per_order_unit
    received = rounded(units.numerator, units.denominator, _SHOWN).normalize()
    return {"received": text(received), "open_quantity": text(max(ZERO, order.quantity - received))}


def _bom(master: MasterData, order: Order, state: OrderState) -> BillOfMaterial | None:
    """Return the version it is made by now: pinned last, pinned at release, or the newest approved one."""
    pinned = state.pins[-1].bom_version if state.pins else order.bom_version
    versions = [one for one in master.boms.values() if one.bom == order.bom and _makes(one, pinned)]
    return max(versions, key=lambda one: (one.effective_from or _FIRST, one.version), default=None)


def _makes(bom: BillOfMaterial, pinned: str) -> bool:
    return bom.version == pinned if pinned else bom.approved and not bom.shadow


def _residuals(order: str, lots: list[LotBalance]) -> list[dict[str, Any]]:
    return [lot(one) for one in lots if one.key.owner == Owner("order", order)]

"""How each order stands: what its master data want, and what has happened to it."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any, NamedTuple

import orjson
from fastapi import HTTPException, Response

from gateway.api.services import FromServices
from gateway.api.views.stock import lot
from gateway.domain.bom import BillOfMaterial
from gateway.domain.clock import rfc3339
from gateway.domain.line import LineState
from gateway.domain.lot import LotBalance, Owner
from gateway.domain.masterdata import MasterData
from gateway.domain.order import Order, OrderState, OrderStatus, Progress
from gateway.domain.quantity import ZERO, Rounding, rounded, text
from gateway.domain.versions import bom_version
from gateway.store.views import Views

_SHOWN = Rounding(decimals=6)  # of a quantity that never ends in the order's unit; nothing is computed with it


async def list_orders(services: FromServices) -> Response:
    """Return every order of the master data or with any progress, by number."""
    found = await overviews(services.views, services.master(), services.clock.now().wall)
    return Response(await asyncio.to_thread(orjson.dumps, {"orders": found}), media_type="application/json")


async def read_order(order: str, services: FromServices) -> dict[str, Any]:
    """Return an order with the lots that are left of what was staged to it."""
    found = await overviews(services.views, services.master(), services.clock.now().wall, order)
    if not found:
        raise HTTPException(404, f"there is no order {order}")
    return {**found[0], "residual_lots": _residuals(order, await services.views.lots())}


async def overviews(views: Views, master: MasterData, at: datetime, order: str | None = None) -> list[dict[str, Any]]:
    """Return how all orders stand at that time, or only this one, as JSON."""
    stored = _Stored(await views.order_states(order), await views.progress(order), await views.line_states())
    return await asyncio.to_thread(_overviews, master, stored, at, order)  # thousands take a while


class _Stored(NamedTuple):
    """What the store says of orders and lines."""

    states: Mapping[str, OrderState]
    progress: Mapping[tuple[str, str], Progress]
    lines: Mapping[str, LineState]


def _overviews(master: MasterData, stored: _Stored, at: datetime, order: str | None) -> list[dict[str, Any]]:
    made: defaultdict[str, dict[str, Progress]] = defaultdict(dict)
    for (number, operation), one in stored.progress.items():
        made[number][operation] = one
    known = {*master.orders, *stored.states, *made}
    wanted = sorted(known) if order is None else known & {order}
    return [_overview(one, master, stored, made[one], at) for one in wanted]


def _overview(
    number: str, master: MasterData, stored: _Stored, made: Mapping[str, Progress], at: datetime
) -> dict[str, Any]:
    order, state = master.orders.get(number), stored.states.get(number, OrderState())
    version = bom_version(master, order, state, at) if order else None
    bom = master.boms.get((order.bom, version)) if order and version else None
    return {
        "order": number,
        **({**_wanted(order), "active": _is_active(order, stored.lines, at)} if order else {"status": None}),
        **({"status": str(OrderStatus.CLOSED)} if state.closed_at else {}),
        "closed_at": rfc3339(state.closed_at) if state.closed_at else None,
        "label_approved": state.label_approved,
        "overrun": None if state.overrun is None else text(state.overrun),
        "bom": bom and {"bom": bom.bom, "version": bom.version},
        "pins": [{"since": rfc3339(pin.since), "bom_version": pin.bom_version} for pin in state.pins],
        "operations": [_operation(name, made[name], bom) for name in sorted(made)],
        **(_received(order, bom, made) if order and bom else {}),
    }


def _is_active(order: Order, lines: Mapping[str, LineState], at: datetime) -> bool:
    """Tell whether its line works on the order: what was started there counts, before that the configuration."""
    started = lines.get(order.line, LineState()).order_at(at)
    return order.active if started is None else started == order.order


def _wanted(order: Order) -> dict[str, Any]:
    return {
        "item": order.item,
        "line": order.line,
        "kind": str(order.kind),
        "status": str(order.status),
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


def _residuals(order: str, lots: list[LotBalance]) -> list[dict[str, Any]]:
    return [lot(one) for one in lots if one.key.owner == Owner("order", order)]

"""From valid settings to what the core works with: the immutable, hashed snapshot of master data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from typing import Any

from gateway.domain.bom import BillOfMaterial, BomOperation, Component, Method, ScrapBasis
from gateway.domain.clock import rfc3339
from gateway.domain.lot import LotKey, LotStatus, Owner, Staging
from gateway.domain.masterdata import MasterData
from gateway.domain.material import Item, Units
from gateway.domain.order import Order, OrderStatus
from gateway.domain.quantity import Rounding
from gateway.settings.masterdata import BomSettings, ComponentSettings, OrderSettings, StagingSettings
from gateway.settings.parsed import Parsed, valid


def master_data(parsed: Parsed) -> MasterData:
    """Return the snapshot; its hash says the same for the same content in whatever files and order."""
    items = {one.item: Item(one.item, one.uom, one.description) for _, one in valid(parsed.items)}
    units = units_of(parsed)
    boms = {(one.bom, one.version): _bom(one) for _, one in valid(parsed.boms)}
    orders = {one.order: _order(one) for _, one in valid(parsed.orders)}
    factors = [(*key, factor) for key, factor in units.factors.items()]
    content = (tuple(items.values()), factors, tuple(boms.values()), tuple(orders.values()))
    stagings = tuple(_staging(one) for _, one in valid(parsed.stagings))
    return MasterData(_hash(content), items, units, boms, orders, stagings)


def units_of(parsed: Parsed) -> Units:
    """Return the conversions of the units that are valid."""
    return Units({(one.item, one.source, one.target): one.factor for _, one in valid(parsed.units)})


def _hash(content: Sequence[Sequence[object]]) -> str:
    kinds = [sorted(json.dumps(_plain(one), sort_keys=True, ensure_ascii=False) for one in kind) for kind in content]
    return f"sha256:{sha256(json.dumps(kinds).encode()).hexdigest()}"


def _plain(value: Any) -> Any:
    """Return `value` as JSON that doesn't tell 1000 from 1000.0."""
    if isinstance(value, Decimal | Fraction):
        return str(Fraction(value))
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return _plain(asdict(value)) if hasattr(value, "__dataclass_fields__") else value


def _bom(bom: BomSettings) -> BillOfMaterial:
    return BillOfMaterial(
        bom=bom.bom,
        version=bom.version,
        item=bom.item,
        base_quantity=bom.base_quantity,
        uom=bom.uom,
        operations=tuple(
            BomOperation(one.operation, one.unit or bom.uom, one.per_order_unit, one.receipt) for one in bom.operations
        ),
        components=tuple(_component(one) for one in bom.components),
        approved=bom.status == "approved",
        effective_from=bom.effective_from,
        effective_to=bom.effective_to,
    )


def _component(component: ComponentSettings) -> Component:
    return Component(
        line=component.line,
        item=component.item,
        quantity=component.quantity,
        uom=component.uom,
        operation=component.operation,
        method=Method(component.method),
        component_scrap=component.component_scrap,
        scrap_basis=ScrapBasis(component.scrap_basis),
        rounding=component.rounding.rounding() if component.rounding else Rounding(),
    )


def _order(order: OrderSettings) -> Order:
    return Order(
        order=order.order,
        item=order.item,
        quantity=order.quantity,
        uom=order.uom,
        line=order.line,
        bom=order.bom,
        bom_version=order.bom_version,
        status=OrderStatus(order.status),
        active=order.active,
        finished_lot=order.finished_lot,
        receipt_location=order.receipt_location,
    )


def _staging(staging: StagingSettings) -> Staging:
    owner = Owner("order", staging.order) if staging.order is not None else Owner("line", str(staging.line))
    return Staging(
        staging=staging.staging,
        key=LotKey(owner, staging.item, staging.lot, staging.location),
        quantity=staging.quantity,
        uom=staging.uom,
        received_at=staging.received_at,
        expires_at=staging.expires_at,
        status=LotStatus(staging.status),
    )

"""From valid settings to what the core works with."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from gateway.domain.bom import (
    Activity,
    Alternate,
    BillOfMaterial,
    BomOperation,
    Component,
    ControlLimits,
    LateStage,
    Method,
    ScrapBasis,
    Shortage,
    Strategy,
)
from gateway.domain.event import EventKind
from gateway.domain.line import Line
from gateway.domain.lot import LotFacts, LotKey, LotStatus, Owner, Staging
from gateway.domain.material import Item, Units
from gateway.domain.order import Order, OrderKind, OrderStatus
from gateway.domain.quantity import Rounding
from gateway.domain.use import Use
from gateway.settings.bom import (
    ActivitySettings,
    AlternateSettings,
    BomSettings,
    ComponentSettings,
    ControlLimitSettings,
    OperationSettings,
    RoundingSettings,
)
from gateway.settings.gateway_file import LineSettings
from gateway.settings.masterdata import ItemSettings, OrderSettings, StagingSettings
from gateway.settings.parsed import Parsed, named, valid
from gateway.settings.snapshot import Content, Conversion


def content(parsed: Parsed) -> Content:
    """Return the master data; the same for the same content in whatever files and order."""
    uoms = phantom_uoms(parsed)
    return Content(
        items=tuple(_item(one) for _, one in valid(parsed.items)),
        units=tuple(Conversion(one.item, one.source, one.target, one.factor) for _, one in valid(parsed.units)),
        boms=tuple(_bom(one, uoms) for _, one in valid(parsed.boms)),
        orders=tuple(_order(one) for _, one in valid(parsed.orders)),
        lines=tuple(_line(one) for _, gateway in valid(parsed.gateway) for one in gateway.lines),
        rejects_counted=tuple(sorted(set(_rejects(parsed)))),
        reasons={one.reason: one.text for _, one in valid(parsed.reasons)},
    )


def stagings(parsed: Parsed) -> tuple[Staging, ...]:
    """Return the transfers."""
    return tuple(_staging(one) for _, one in valid(parsed.stagings))


def units_of(parsed: Parsed) -> Units:
    """Return the conversions of the units that are valid."""
    return Units({(one.item, one.source, one.target): one.factor for _, one in valid(parsed.units)})


def phantom_uoms(parsed: Parsed) -> Mapping[str, str]:
    """Return the unit of each item's approved BOM: that of phantom lines which name none."""
    return {one.item: one.uom for _, one in valid(parsed.boms) if one.status == "approved"}


def _rejects(parsed: Parsed) -> Iterator[tuple[str, str]]:
    """Yield the (line, operation) whose rejects a live rule counts."""
    devices = named(parsed.devices)
    for _, rule in valid(parsed.rules):
        device = devices[rule.signal.device].model if rule.signal.device in devices else None
        if device and EventKind(rule.event) is EventKind.SCRAP_UNITS and not rule.shadow:
            yield device.line, rule.operation


def _item(item: ItemSettings) -> Item:
    return Item(
        item=item.item,
        uom=item.uom,
        description=item.description,
        order_bound=item.order_bound,
        serial_tracked=item.serial_tracked,
        potency_variable=item.potency_variable,
        min_remaining_life=_span(item.min_remaining_life),
        crumb=item.crumb,
        reorder_point=item.reorder_point,
        reorder_quantity=item.reorder_quantity,
    )


def _bom(bom: BomSettings, uoms: Mapping[str, str]) -> BillOfMaterial:
    return BillOfMaterial(
        bom=bom.bom,
        version=bom.version,
        item=bom.item,
        base_quantity=bom.base_quantity,
        uom=bom.uom,
        operations=tuple(_operation(one, bom.uom) for one in bom.operations),
        components=tuple(_component(one, one.uom or uoms.get(one.item, "")) for one in bom.components),
        approved=bom.status == "approved",
        effective_from=bom.effective_from,
        effective_to=bom.effective_to,
        assembly_scrap=bom.assembly_scrap,
        approved_by=bom.approved_by,
        shadow=bom.status == "shadow",
    )


def _operation(operation: OperationSettings, uom: str) -> BomOperation:
    return BomOperation(
        operation=operation.operation,
        unit=operation.unit or uom,
        per_order_unit=operation.per_order_unit,
        receipt=operation.receipt,
        reporting_point=operation.reporting_point,
        activities=tuple(_activity(one) for one in operation.activities),
        defer=_span(operation.defer),
        label_approval=operation.label_approval,
    )


def _activity(activity: ActivitySettings) -> Activity:
    return Activity(activity.activity, activity.quantity, activity.uom, _rounding(activity.rounding))


def _component(component: ComponentSettings, uom: str) -> Component:
    return Component(
        line=component.line,
        item=component.item,
        quantity=component.quantity,
        uom=uom,
        operation=component.operation,
        method=Method(component.method),
        component_scrap=component.component_scrap,
        scrap_basis=ScrapBasis(component.scrap_basis),
        rounding=_rounding(component.rounding),
        use=Use(component.use),
        fixed=component.fixed,
        setup_scrap=component.setup_scrap,
        operation_scrap=component.operation_scrap,
        component_yield=component.component_yield,
        alternates=tuple(_alternate(one) for one in component.alternates),
        allocation=Strategy(component.allocation),
        on_shortage=Shortage(component.on_shortage),
        late_stage=LateStage(component.late_stage),
        location=component.location,
        phantom=component.phantom,
        rework=component.rework,
        mixing_units=component.mixing_units,
        limits=_limits(component.control_limits),
    )


def _alternate(alternate: AlternateSettings) -> Alternate:
    return Alternate(alternate.item, alternate.priority, alternate.share)


def _limits(limits: ControlLimitSettings | None) -> ControlLimits | None:
    return ControlLimits(limits.low, limits.high, limits.owner) if limits else None


def _rounding(rounding: RoundingSettings | None) -> Rounding:
    return rounding.rounding() if rounding else Rounding()


def _span(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _order(order: OrderSettings) -> Order:
    return Order(
        order=order.order,
        item=order.item,
        quantity=order.quantity,
        uom=order.uom,
        line=order.line,
        bom=order.bom,
        bom_version=order.bom_version or "",
        status=OrderStatus(order.status),
        active=order.active,
        finished_lot=order.finished_lot,
        receipt_location=order.receipt_location,
        over_tolerance=order.over_tolerance,
        under_tolerance=order.under_tolerance,
        kind=OrderKind(order.kind),
    )


def _line(line: LineSettings) -> Line:
    return Line(line.line, line.timezone, tuple(line.shifts), line.lot_scan, line.line_clearance)


def _staging(staging: StagingSettings) -> Staging:
    owner = Owner("order", staging.order) if staging.order is not None else Owner("line", str(staging.line))
    facts = LotFacts(
        supplier=staging.supplier,
        priority=staging.priority,
        density=staging.density,
        temperature_coefficient=staging.temperature_coefficient,
        reference_temperature=staging.reference_temperature,
        potency=staging.potency,
    )
    return Staging(
        staging=staging.staging,
        key=LotKey(owner, staging.item, staging.lot, staging.location),
        quantity=staging.quantity,
        uom=staging.uom,
        received_at=staging.received_at,
        expires_at=staging.expires_at,
        status=LotStatus(staging.status),
        facts=facts,
        scanned=staging.scanned,
    )

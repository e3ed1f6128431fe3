"""What one unit counted at an operation takes of each component, as exact integer ratios.

The engine keeps it for each master-data snapshot, order and operation, because a trigger then costs a few
integer multiplications instead of a walk through fractions.
"""

from dataclasses import dataclass
from fractions import Fraction

from gateway.domain.bom import BillOfMaterial, BomOperation, Component, Method, ScrapBasis
from gateway.domain.masterdata import MasterData
from gateway.domain.order import Order
from gateway.domain.requirement import RequirementKey


@dataclass(frozen=True, slots=True)
class PlannedComponent:
    """A component at its operation: `numerator / denominator` in its own unit for each unit counted there."""

    component: Component
    key: RequirementKey
    numerator: int
    denominator: int
    source: tuple[str, str]  # its BOM line and method, as each posting line names them
    measured: bool  # the trigger's own quantity is what was consumed
    stock_uom: str
    to_stock: Fraction | None  # stock units to one unit of the component, None where both are the same


@dataclass(frozen=True, slots=True)
class PlannedOperation:
    """An order's operation, exploded; `order_unit` is how much of the order one counted unit is."""

    order: Order
    bom: BillOfMaterial
    operation: BomOperation
    components: tuple[PlannedComponent, ...]
    order_unit: Fraction


def explode(master: MasterData, order: Order, operation: BomOperation) -> PlannedOperation:
    """Return the components that the operation's triggers consume; DataError where a unit has no conversion."""
    bom = master.boms[order.bom, order.bom_version]
    order_unit = 1 / operation.per_order_unit
    bases = order_unit * master.units.factor(order.item, order.uom, bom.uom) / Fraction(bom.base_quantity)
    components = tuple(
        _planned(master, order, one, bases) for one in bom.components if one.operation == operation.operation
    )
    return PlannedOperation(order, bom, operation, components, order_unit)


def _planned(master: MasterData, order: Order, component: Component, bases: Fraction) -> PlannedComponent:
    ratio = bases * Fraction(component.quantity) * scrap_factor(component)
    stock_uom = master.items[component.item].uom
    to_stock = master.units.factor(component.item, component.uom, stock_uom)
    return PlannedComponent(
        component=component,
        key=RequirementKey(order.order, component.operation, component.line, component.uom),
        numerator=ratio.numerator,
        denominator=ratio.denominator,
        source=(component.line, component.method),
        measured=component.method is Method.MEASURED,
        stock_uom=stock_uom,
        to_stock=None if to_stock == 1 else to_stock,
    )


def scrap_factor(component: Component) -> Fraction:
    """Return what the component's running scrap multiplies its quantity by."""
    if component.scrap_basis is ScrapBasis.DIVIDE:
        return 1 / (1 - component.component_scrap)
    return 1 + component.component_scrap

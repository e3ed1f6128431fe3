"""What one unit counted at an operation takes of each component, as exact integer ratios.

The engine keeps it for each master-data snapshot, order, BOM version and operation, because a trigger then costs a
few integer multiplications instead of a walk through fractions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import takewhile

from gateway.backflush.phantom import Amount, Demand, Explosion
from gateway.domain.bom import Activity, BillOfMaterial, BomOperation, Component, Method, Strategy
from gateway.domain.masterdata import MasterData
from gateway.domain.material import Item
from gateway.domain.order import Order
from gateway.domain.requirement import NOTHING, Ratio, RequirementKey
from gateway.domain.use import Use


@dataclass(frozen=True, slots=True)
class PlannedComponent:
    """A component at its operation: `numerator / denominator` in its own unit for each unit counted there.

    `supplies` are the items that serve it, in their order: its own (or the alternate whose share this is), then the
    others. `plain`: one item in the component's own unit, first expiry first and nothing special: the fast way.
    """

    component: Component
    key: RequirementKey
    item: str
    numerator: int
    denominator: int
    once: Ratio  # drawn with the order's first unit: fixed quantity, setup scrap
    source: tuple[str, str]  # its BOM line and method, as each posting line names them
    supplies: tuple[Item, ...]
    plain: bool


@dataclass(frozen=True, slots=True)
class PlannedActivity:
    """An activity: `numerator / denominator` of it for each unit counted."""

    activity: Activity
    key: RequirementKey
    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class PlannedOperation:
    """An order's operation, exploded, with what belongs to it since the last reporting point.

    `components` are all of them, whatever their method; `good`, `scrap` and `rework` are what a unit of that kind
    draws at its trigger; `scanned` waits for its own events. `order_unit` is how much of the order one counted
    unit is.
    """

    order: Order
    bom: BillOfMaterial
    operation: BomOperation
    components: tuple[PlannedComponent, ...]
    good: tuple[PlannedComponent, ...]
    scrap: tuple[PlannedComponent, ...]
    rework: tuple[PlannedComponent, ...]
    scanned: tuple[PlannedComponent, ...]
    activities: tuple[PlannedActivity, ...]
    order_unit: Fraction


def explode(
    master: MasterData, order: Order, bom: BillOfMaterial, operation: BomOperation, at: datetime | None = None
) -> PlannedOperation:
    """Return what the operation's triggers draw; `at` chooses the BOMs of phantoms (None: the latest).

    Raises DataError where a unit has no conversion or a phantom can't be exploded.
    """
    order_unit = 1 / operation.per_order_unit
    bases = order_unit * master.units.factor(order.item, order.uom, bom.uom) / Fraction(bom.base_quantity)
    own = gathered(bom, operation)
    explosion = Explosion(master, at, (order.line, operation.operation) in master.rejects_counted)
    planned = tuple(
        part
        for line in bom.components
        if line.operation in own
        for demand in explosion.demands(line, bom, Amount(bases, Fraction(0)))
        for part in _planned(master, order, demand)
    )
    activities = tuple(
        _activity(order, name, activity, bases) for name, one in own.items() for activity in one.activities
    )
    good, scrap, rework = _drawn(planned)
    scanned = tuple(one for one in planned if one.component.method is Method.SCAN)
    return PlannedOperation(order, bom, operation, planned, good, scrap, rework, scanned, activities, order_unit)


def gathered(bom: BillOfMaterial, operation: BomOperation) -> dict[str, BomOperation]:
    """Return the operations whose components it consumes: its own, and those since the last reporting point."""
    own: dict[str, BomOperation] = {}
    for one in takewhile(lambda one: one.operation != operation.operation, bom.operations):
        own = {} if one.reporting_point else {**own, one.operation: one}
    return {**own, operation.operation: operation}


def _drawn(planned: tuple[PlannedComponent, ...]) -> Iterator[tuple[PlannedComponent, ...]]:
    """Yield what a good, a rejected and a reworked unit draws."""
    drawn = [one for one in planned if one.component.method in (Method.BACKFLUSH, Method.MEASURED)]
    good = tuple(one for one in drawn if not one.component.rework)
    # A reject consumes what a good unit does and leaves the same by-products; a co-product it doesn't make.
    scrap = tuple(one for one in good if one.component.use is not Use.CO_PRODUCT)
    yield good
    yield scrap
    yield tuple(one for one in drawn if one.component.rework) or scrap


def _activity(order: Order, operation: str, activity: Activity, bases: Fraction) -> PlannedActivity:
    ratio = bases * Fraction(activity.quantity)
    key = RequirementKey(order.order, operation, f"activity:{activity.activity}", activity.uom)
    return PlannedActivity(activity, key, ratio.numerator, ratio.denominator)


def _planned(master: MasterData, order: Order, demand: Demand) -> Iterator[PlannedComponent]:
    component, amount = demand
    items = {component.item: 1 - sum((one.share or Fraction(0) for one in component.alternates), Fraction(0))}
    items |= {one.item: one.share or Fraction(0) for one in sorted(component.alternates, key=lambda one: one.priority)}
    for item, share in items.items():
        if share:
            supplies = tuple(master.items[name] for name in (item, *(other for other in items if other != item)))
            yield _shared(order, component, supplies, amount.times(share))


def _shared(order: Order, component: Component, supplies: tuple[Item, ...], amount: Amount) -> PlannedComponent:
    item = supplies[0].item
    line = component.line if item == component.item else f"{component.line}:{item}"
    return PlannedComponent(
        component=component,
        key=RequirementKey(order.order, component.operation, line, component.uom),
        item=item,
        numerator=amount.running.numerator,
        denominator=amount.running.denominator,
        once=Ratio(*amount.once.as_integer_ratio()) if amount.once else NOTHING,
        source=(component.line, component.method),
        supplies=supplies,
        plain=not amount.once and len(supplies) == 1 and _plain(component, supplies[0]),
    )


def _plain(component: Component, item: Item) -> bool:
    own = component.use is Use.CONSUMED and component.method is Method.BACKFLUSH and component.uom == item.uom
    ordered = component.allocation is Strategy.FEFO and not component.location
    return own and ordered and not (item.order_bound or item.min_remaining_life or item.crumb)

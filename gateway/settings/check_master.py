"""What has to agree within the master data. Each check is one function, listed at the end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from gateway.domain.material import Units
from gateway.domain.quantity import exact
from gateway.errors import DataError
from gateway.settings.build import units_of
from gateway.settings.fault import Fault
from gateway.settings.masterdata import (
    BomSettings,
    ComponentSettings,
    ItemSettings,
    OrderSettings,
    StagingSettings,
    UnitSettings,
)
from gateway.settings.parsed import Entry, Parsed, named, twice, unknown, valid


@dataclass(frozen=True, slots=True)
class Conversions:
    """The units; not `complete` when one of them is wrong itself and may be the one that is looked for."""

    units: Units
    complete: bool

    @classmethod
    def of(cls, parsed: Parsed) -> "Conversions":
        """Return the conversions of everything valid."""
        return cls(units_of(parsed), all(entry.model for entry in parsed.units))

    def problems(self, item: str, source: str, target: str) -> Iterator[str]:
        """Yield why nothing converts `source` to `target` exactly."""
        try:
            factor = self.units.factor(item, source, target)
        except DataError as error:
            if self.complete:
                yield str(error)
            return
        for problem in _endless(factor):
            never = problem.partition(" (")[0]
            yield f"one {source} of {item} is {never} {target}; stock the item in a unit that divides it"


def _duplicates(parsed: Parsed) -> Iterator[Fault]:
    yield from twice("item", parsed.items, "item")
    yield from twice("BOM", parsed.boms, "bom")
    yield from twice("order", parsed.orders, "order")
    yield from twice("staging", parsed.stagings, "staging")


def _units(parsed: Parsed) -> Iterator[Fault]:
    items = named(parsed.items)
    first: dict[tuple[str | None, frozenset[str]], Entry[UnitSettings]] = {}
    for entry, unit in valid(parsed.units):
        if unit.item is not None and unit.item not in items:
            yield entry.fault("item", message=unknown("item", unit.item, items))
        other = first.setdefault((unit.item, frozenset((unit.source, unit.target))), entry)
        if other is not entry or unit.source == unit.target:
            yield entry.fault("from", message=f"{entry.name} says again what {other.place} says")


def _orders(parsed: Parsed) -> Iterator[Fault]:
    items, boms, units = named(parsed.items), named(parsed.boms), Conversions.of(parsed)
    for entry, order in valid(parsed.orders):
        if order.item not in items:
            yield entry.fault("item", message=unknown("item", order.item, items))
        if order.bill not in boms:
            yield entry.fault("bom", message=unknown("BOM", order.bill, boms))
        elif bom := boms[order.bill].model:
            if bom.item != order.item:
                message = f"BOM {order.bill} makes {bom.item}, the order wants {order.item}"
                yield entry.fault("bom", message=message)
            if bom.status != "approved":
                message = f"BOM {order.bill} is {bom.status} at {boms[order.bill].place}; only an approved one posts"
                yield entry.fault("bom_version", message=message)
            for problem in units.problems(order.item, order.uom, bom.uom):
                yield entry.fault("uom", message=problem)


def _order_lines(parsed: Parsed) -> Iterator[Fault]:
    active: dict[str, Entry[OrderSettings]] = {}
    for entry, order in valid(parsed.orders):
        if order.line not in parsed.lines:
            yield entry.fault("line", message=unknown("line", order.line, parsed.lines))
        other = active.setdefault(order.line, entry) if order.active else entry
        if other is not entry:
            message = f"line {order.line} works on {other.name} already, at {other.place}; one order a line is active"
            yield entry.fault("active", message=message)


def _operations(parsed: Parsed) -> Iterator[Fault]:
    for entry, bom in valid(parsed.boms):
        numbers = [one.operation for one in bom.operations]
        for index, number in enumerate(numbers):
            if number in numbers[:index]:
                yield entry.fault("operations", index, "operation", message=f"operation {number} stands twice")
        receipts = [one.operation for one in bom.operations if one.receipt]
        if len(receipts) != 1:
            found = f"{len(receipts)} do: {', '.join(receipts)}" if receipts else "none does"
            message = f"exactly one operation receives the product, {found}; write receipt: true at the last one"
            yield entry.fault("operations", message=message)


def _components(parsed: Parsed) -> Iterator[Fault]:
    items, units = named(parsed.items), Conversions.of(parsed)
    for entry, bom in valid(parsed.boms):
        if bom.item not in items:
            yield entry.fault("item", message=unknown("item", bom.item, items))
        lines = [one.line for one in bom.components]
        for index, component in enumerate(bom.components):
            if component.line in lines[:index]:
                message = f"BOM line {component.line} stands twice"
                yield entry.fault("components", index, "line", message=message)
            for key, message in _component(bom, component, items, units):
                yield entry.fault("components", index, key, message=message)


def _component(
    bom: BomSettings, component: ComponentSettings, items: Mapping[str, Entry[ItemSettings]], units: Conversions
) -> Iterator[tuple[str, str]]:
    """Yield (key, message) for what is wrong with one BOM line."""
    yield from _stocked(component, items, units)
    operation = next((one for one in bom.operations if one.operation == component.operation), None)
    if operation is None:
        known = [one.operation for one in bom.operations]
        yield "operation", f"operation {component.operation!r} is not in this BOM; it has {', '.join(known)}"
    elif component.method == "measured":
        measured = operation.unit or bom.uom
        for problem in units.problems(component.item, measured, component.uom):
            yield "uom", f"measured at operation {operation.operation}: {problem}"
    elif component.rounding is None:
        for problem in _endless(component.share(bom.base_quantity) / operation.per_order_unit):
            yield "quantity", f"for one unit of operation {operation.operation}: {problem}"


def _stagings(parsed: Parsed) -> Iterator[Fault]:
    items, orders, units = named(parsed.items), named(parsed.orders), Conversions.of(parsed)
    for entry, staging in valid(parsed.stagings):
        for key, message in _stocked(staging, items, units):
            yield entry.fault(key, message=message)
        if staging.order is not None and staging.order not in orders:
            yield entry.fault("order", message=unknown("order", staging.order, orders))
        if staging.line is not None and staging.line not in parsed.lines:
            yield entry.fault("line", message=unknown("line", staging.line, parsed.lines))


def _stocked(
    needed: ComponentSettings | StagingSettings, items: Mapping[str, Entry[ItemSettings]], units: Conversions
) -> Iterator[tuple[str, str]]:
    """Yield (key, message) where the item is unknown, or its stock can't be counted in the unit written."""
    if needed.item not in items:
        yield "item", unknown("item", needed.item, items)
    elif item := items[needed.item].model:
        for problem in units.problems(item.item, needed.uom, item.uom):
            yield "uom", problem


def _endless(fraction: Fraction) -> Iterator[str]:
    try:
        exact(fraction)
    except DataError as error:
        yield str(error)


_MASTER = frozenset({"masterdata"})
_LINES = frozenset({"masterdata", "gateway"})

# Each check with the files that have to be there for it.
CHECKS = (
    (_duplicates, _MASTER),
    (_units, _MASTER),
    (_orders, _MASTER),
    (_order_lines, _LINES),
    (_operations, _MASTER),
    (_components, _MASTER),
    (_stagings, _LINES),
)

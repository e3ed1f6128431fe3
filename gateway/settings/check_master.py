"""What has to agree between items, units, orders and staged lots. Each check is one function, listed at the end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from gateway.domain.material import Units
from gateway.domain.quantity import exact
from gateway.errors import DataError
from gateway.settings.bom import BomSettings
from gateway.settings.build import units_of
from gateway.settings.fault import Fault
from gateway.settings.masterdata import ItemSettings, OrderSettings, UnitSettings
from gateway.settings.parsed import Entry, Parsed, bills, named, twice, unknown, valid


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
        for problem in endless(factor):
            never = problem.partition(" (")[0]
            yield f"one {source} of {item} is {never} {target}; stock the item in a unit that divides it"


def _duplicates(parsed: Parsed) -> Iterator[Fault]:
    yield from twice("item", parsed.items, "item")
    yield from twice("BOM", parsed.boms, "bom")
    yield from twice("order", parsed.orders, "order")
    yield from twice("staging", parsed.stagings, "staging")
    yield from twice("reason", parsed.reasons, "reason")


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
    items, units = named(parsed.items), Conversions.of(parsed)
    for entry, order in valid(parsed.orders):
        if order.item not in items:
            yield entry.fault("item", message=unknown("item", order.item, items))
        found = bills(parsed, order)
        for bill in found:
            yield from _bill(entry, order, bill, units)
        if order.bom_version is None:
            yield from _unpinned(entry, order, found, parsed)
        elif not found:
            yield entry.fault(
                "bom", message=unknown("BOM", f"{order.bom} version {order.bom_version}", named(parsed.boms))
            )


def _bill(
    entry: Entry[OrderSettings], order: OrderSettings, bill: Entry[BomSettings], units: Conversions
) -> Iterator[Fault]:
    bom = bill.model
    if bom is None or (order.bom_version is None and bom.status != "approved"):
        return
    if bom.item != order.item:
        yield entry.fault("bom", message=f"BOM {bom.title} makes {bom.item}, the order wants {order.item}")
    if bom.status != "approved":
        message = f"BOM {bom.title} is {bom.status} at {bill.place}; only an approved one posts"
        yield entry.fault("bom_version", message=message)
    if not bom.operations:
        yield entry.fault("bom", message=f"BOM {bom.title} has no operations; it can only be a phantom's")
    for problem in units.problems(order.item, order.uom, bom.uom):
        yield entry.fault("uom", message=problem)


def _unpinned(
    entry: Entry[OrderSettings], order: OrderSettings, found: list[Entry[BomSettings]], parsed: Parsed
) -> Iterator[Fault]:
    if not found:
        yield entry.fault("bom", message=unknown("BOM", order.bom, {one.bom for _, one in valid(parsed.boms)}))
    elif all(bill.model and bill.model.status != "approved" for bill in found):
        message = f"no version of BOM {order.bom} is approved, and the order pins none"
        yield entry.fault("bom", message=message)


def _order_lines(parsed: Parsed) -> Iterator[Fault]:
    active: dict[str, Entry[OrderSettings]] = {}
    for entry, order in valid(parsed.orders):
        if order.line not in parsed.lines:
            yield entry.fault("line", message=unknown("line", order.line, parsed.lines))
        other = active.setdefault(order.line, entry) if order.active else entry
        if other is not entry:
            message = f"line {order.line} works on {other.name} already, at {other.place}; one order a line is active"
            yield entry.fault("active", message=message)


def _stagings(parsed: Parsed) -> Iterator[Fault]:
    items, orders, units = named(parsed.items), named(parsed.orders), Conversions.of(parsed)
    for entry, staging in valid(parsed.stagings):
        for key, message in stocked(staging.item, staging.uom, items, units):
            yield entry.fault(key, message=message)
        if staging.order is not None and staging.order not in orders:
            yield entry.fault("order", message=unknown("order", staging.order, orders))
        if staging.line is not None and staging.line not in parsed.lines:
            yield entry.fault("line", message=unknown("line", staging.line, parsed.lines))


def stocked(
    name: str, uom: str, items: Mapping[str, Entry[ItemSettings]], units: Conversions
) -> Iterator[tuple[str, str]]:
    """Yield (key, message) where the item is unknown, or its stock can't be counted in the unit written."""
    if name not in items:
        yield "item", unknown("item", name, items)
    elif item := items[name].model:
        for problem in units.problems(item.item, uom, item.uom):
            yield "uom", problem


def endless(fraction: Fraction) -> Iterator[str]:
    """Yield why a quantity can't be written as a decimal."""
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
    (_stagings, _LINES),
)

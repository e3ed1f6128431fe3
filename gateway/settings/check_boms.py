"""What has to agree within the bills of material. Each check is one function, listed at the end."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from itertools import combinations

from gateway.settings.bom import BomSettings, ComponentSettings
from gateway.settings.check_master import Conversions, stocked
from gateway.settings.fault import Fault
from gateway.settings.masterdata import ItemSettings
from gateway.settings.parsed import Entry, Parsed, named, unknown, valid

_ALWAYS, _NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def phantom_boms(parsed: Parsed) -> dict[str, list[Entry[BomSettings]]]:
    """Return the approved BOMs of each item: what its phantom lines explode to."""
    found: dict[str, list[Entry[BomSettings]]] = {}
    for entry, bom in valid(parsed.boms):
        if bom.status == "approved":
            found.setdefault(bom.item, []).append(entry)
    return found


def _phantom_items(parsed: Parsed) -> set[str]:
    return {one.item for _, bom in valid(parsed.boms) for one in bom.components if one.phantom}


def _operations(parsed: Parsed) -> Iterator[Fault]:
    phantoms = _phantom_items(parsed)
    for entry, bom in valid(parsed.boms):
        numbers = [one.operation for one in bom.operations]
        for index, operation in enumerate(bom.operations):
            if operation.operation in numbers[:index]:
                message = f"operation {operation.operation} stands twice"
                yield entry.fault("operations", index, "operation", message=message)
            names = [one.activity for one in operation.activities]
            for twice in {name for name in names if names.count(name) > 1}:
                message = f"activity {twice} stands twice"
                yield entry.fault("operations", index, "activities", names.index(twice), "activity", message=message)
        if bom.operations or bom.item not in phantoms:
            yield from _points(entry, bom)


def _points(entry: Entry[BomSettings], bom: BomSettings) -> Iterator[Fault]:
    receipts = [one.operation for one in bom.operations if one.receipt]
    if len(receipts) != 1:
        found = f"{len(receipts)} do: {', '.join(receipts)}" if receipts else "none does"
        message = f"exactly one operation receives the product, {found}; write receipt: true at the last one"
        yield entry.fault("operations", message=message)
    points = [index for index, one in enumerate(bom.operations) if one.reporting_point]
    for index in range(points[-1] + 1 if points else 0, len(bom.operations)):
        message = "no reporting point follows, so its components would never be consumed; make it one itself"
        yield entry.fault("operations", index, "reporting_point", message=message)


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
            for place, alternate in enumerate(component.alternates):
                for _, message in stocked(alternate.item, component.uom or "", items, units):
                    yield entry.fault("components", index, "alternates", place, "item", message=message)


def _component(
    bom: BomSettings, component: ComponentSettings, items: Mapping[str, Entry[ItemSettings]], units: Conversions
) -> Iterator[tuple[str, str]]:
    """Yield (key, message) for what is wrong with one BOM line."""
    if not component.phantom:
        yield from stocked(component.item, component.uom or "", items, units)
    elif component.item not in items:
        yield "item", unknown("item", component.item, items)
    operation = next((one for one in bom.operations if one.operation == component.operation), None)
    if operation is None and (bom.operations or component.operation):
        known = ", ".join(one.operation for one in bom.operations) or "none"
        yield "operation", f"operation {component.operation!r} is not in this BOM; it has {known}"
    elif operation and component.method == "measured":
        for problem in units.problems(component.item, operation.unit or bom.uom, component.uom or ""):
            yield "uom", f"measured at operation {operation.operation}: {problem}"


def _methods(parsed: Parsed) -> Iterator[Fault]:
    items = {one.item: one for _, one in valid(parsed.items)}
    for entry, bom in valid(parsed.boms):
        for index, component in enumerate(bom.components):
            used = (component.item, *(one.item for one in component.alternates))
            for item in (items[name] for name in used if name in items and component.method == "backflush"):
                why = "serial-tracked" if item.serial_tracked else "potency-variable" if item.potency_variable else ""
                if why:
                    message = f"{item.item} is {why} and can't be backflushed; write method: scan, measured or pick"
                    yield entry.fault("components", index, "method", message=message)


def _alternates(parsed: Parsed) -> Iterator[Fault]:
    for entry, bom in valid(parsed.boms):
        for index, component in enumerate(bom.components):
            items = [component.item, *(one.item for one in component.alternates)]
            for place, name in enumerate(items[1:]):
                if name in items[: place + 1]:
                    message = f"{name} stands twice among the items of BOM line {component.line}"
                    yield entry.fault("components", index, "alternates", place, "item", message=message)
            shared = sum((one.share or Fraction(0) for one in component.alternates), Fraction(0))
            if shared >= 1:
                message = f"the alternates' shares take {shared * 100} %, which leaves {component.item} nothing"
                yield entry.fault("components", index, "alternates", message=message)


def _phantoms(parsed: Parsed) -> Iterator[Fault]:
    boms, units = phantom_boms(parsed), Conversions.of(parsed)
    broken = {str(entry.raw("item")) for entry in parsed.boms if entry.model is None}
    for entry, bom in valid(parsed.boms):
        for index, component in enumerate(bom.components):
            known = component.item in boms or component.item in broken
            if component.phantom and not known and bom.status in ("approved", "shadow"):
                message = f"phantom {component.item} has no approved BOM, so nothing says what it takes"
                yield entry.fault("components", index, "phantom", message=message)
            for exploded in boms.get(component.item, ()) if component.phantom and component.uom else ():
                uom = exploded.model.uom if exploded.model else ""
                for problem in units.problems(component.item, component.uom or "", uom):
                    yield entry.fault("components", index, "uom", message=problem)


def _own_item(parsed: Parsed) -> Iterator[Fault]:
    boms = phantom_boms(parsed)
    for entry, bom in valid(parsed.boms):
        for index, component in enumerate(bom.components):
            loop = next(_loops(boms, component, (bom.item,)), None)
            if loop:
                way = f" ({' → '.join(loop)})" if len(loop) > 2 else ""  # noqa: PLR2004 - itself, by way of another
                message = f"the BOM of {bom.item} takes {bom.item} itself{way}"
                yield entry.fault("components", index, "item", message=message)


def _loops(
    boms: Mapping[str, Sequence[Entry[BomSettings]]], component: ComponentSettings, path: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    """Yield each way from the item path[0] back to it."""
    taken = component.use == "consumed" and not component.rework  # salvage may be the product itself
    items = (component.item, *(one.item for one in component.alternates))
    if path[0] in items and (component.phantom or taken):
        yield (*path, path[0])
    elif component.phantom and component.item not in path:
        exploded = (one for entry in boms.get(component.item, ()) if entry.model for one in entry.model.components)
        for one in exploded:
            yield from _loops(boms, one, (*path, component.item))


def _versions(parsed: Parsed) -> Iterator[Fault]:
    """Versions that the event's time chooses between must leave it no choice."""
    unpinned = {one.bom: f"order {one.order} pins none" for _, one in valid(parsed.orders) if one.bom_version is None}
    phantoms = _phantom_items(parsed)
    approved = [(entry, bom) for entry, bom in valid(parsed.boms) if bom.status == "approved"]
    for (first, one), (second, other) in combinations(approved, 2):
        chosen = unpinned.get(one.bom) if one.bom == other.bom else None
        if one.item == other.item and one.item in phantoms:
            chosen = "it is a phantom's"
        if chosen and _begin(one) < _end(other) and _begin(other) < _end(one):
            (_, earlier), (entry, later) = sorted(((first, one), (second, other)), key=lambda pair: _begin(pair[1]))
            message = f"BOM {later.title} and {earlier.title} are effective together, and {chosen}"
            yield entry.fault("effective_from", message=f"{message}; give the earlier one an effective_to")


def _begin(bom: BomSettings) -> datetime:
    return bom.effective_from or _ALWAYS


def _end(bom: BomSettings) -> datetime:
    return bom.effective_to or _NEVER


_MASTER = frozenset({"masterdata"})

# Each check with the files that have to be there for it.
CHECKS = (
    (_operations, _MASTER),
    (_components, _MASTER),
    (_methods, _MASTER),
    (_alternates, _MASTER),
    (_phantoms, _MASTER),
    (_own_item, _MASTER),
    (_versions, _MASTER),
)

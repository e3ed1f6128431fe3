"""Whether every quantity can be written: decimals that end, and no more of them than a sink holds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from gateway.domain.material import Units
from gateway.errors import DataError
from gateway.settings.bom import BomSettings, ComponentSettings, OperationSettings, RoundingSettings
from gateway.settings.build import units_of
from gateway.settings.check_boms import phantom_boms
from gateway.settings.check_master import endless
from gateway.settings.fault import Fault
from gateway.settings.parsed import Entry, Parsed, valid


@dataclass(frozen=True, slots=True)
class Drawn:
    """A component where it is drawn: at `entry`'s line `index`, `ratios` of it for one unit counted at `operation`.

    Two ratios where a scrap percentage holds only while no reject is counted.
    """

    entry: Entry[BomSettings]
    index: int
    component: ComponentSettings
    operation: str
    ratios: frozenset[Fraction]


def _drawn(parsed: Parsed) -> Iterator[Drawn]:
    boms, units = phantom_boms(parsed), units_of(parsed)
    for entry, bom in valid(parsed.boms):
        for index, component in enumerate(bom.components):
            if counting := counting_point(bom, component.operation):
                top = Drawn(entry, index, component, counting.operation, frozenset({1 / counting.per_order_unit}))
                yield from _exploded(boms, units, top, bom.assembly_scrap, ())


def _exploded(
    boms: Mapping[str, Sequence[Entry[BomSettings]]],
    units: Units,
    drawn: Drawn,
    scrap: Fraction,
    above: tuple[str, ...],
) -> Iterator[Drawn]:
    """Yield `drawn` itself, or what its phantom explodes to; its ratios are those of the BOM's unit until here."""
    component, bom = drawn.component, drawn.entry.model
    if bom is None or component.item in above:
        return
    per_unit = [one / Fraction(bom.base_quantity) for one in _needs(component, scrap)]
    ratios = frozenset(scale * need for scale in drawn.ratios for need in per_unit)
    if not component.phantom:
        yield Drawn(drawn.entry, drawn.index, component, drawn.operation, ratios)
        return
    for entry in boms.get(component.item, ()):
        if entry.model is None or (factor := _factor(units, component.item, component.uom, entry.model.uom)) is None:
            continue
        scaled = frozenset(ratio * factor for ratio in ratios)
        for index, one in enumerate(entry.model.components):
            inner = Drawn(entry, index, one, drawn.operation, scaled)
            yield from _exploded(boms, units, inner, entry.model.assembly_scrap, (*above, component.item))


def counting_point(bom: BomSettings, operation: str) -> OperationSettings | None:
    """Return the reporting point that consumes what belongs to the operation: itself, or the next one."""
    numbers = [one.operation for one in bom.operations]
    if operation not in numbers:
        return None
    return next((one for one in bom.operations[numbers.index(operation) :] if one.reporting_point), None)


def _needs(component: ComponentSettings, assembly_scrap: Fraction) -> tuple[Fraction, Fraction]:
    """Return what a base quantity takes, with and without the percentages that counted rejects replace."""
    quantity = Fraction(component.quantity)
    if component.use != "consumed" or component.fixed:
        return quantity, quantity
    replaced = assembly_scrap if component.operation_scrap is None else component.operation_scrap
    own = quantity * _factor_of(component, component.component_scrap) / component.component_yield
    return own * _factor_of(component, replaced), own


def _factor_of(component: ComponentSettings, scrap: Fraction) -> Fraction:
    return 1 + scrap if component.scrap_basis == "multiply" else 1 / (1 - scrap)


def _factor(units: Units, item: str, source: str | None, target: str) -> Fraction | None:
    try:
        return units.factor(item, source or target, target)
    except DataError:
        return None  # said at the unit already


def _endless_components(parsed: Parsed) -> Iterator[Fault]:
    for one in _drawn(parsed):
        component = one.component
        if component.method != "backflush" or component.rounding or component.fixed:
            continue
        for problem in {problem for amount in _shared(one) for problem in endless(amount)}:
            message = f"for one unit of operation {one.operation}: {problem}"
            yield one.entry.fault("components", one.index, "quantity", message=message)


def _shared(drawn: Drawn) -> Iterator[Fraction]:
    """Yield what one unit takes of the component's item and of each alternate that has a share."""
    shares = [one.share for one in drawn.component.alternates if one.share]
    return (ratio * share for ratio in sorted(drawn.ratios) for share in (1 - sum(shares, Fraction(0)), *shares))


def _endless_operations(parsed: Parsed) -> Iterator[Fault]:
    for entry, bom in valid(parsed.boms):
        for index, operation in enumerate(bom.operations):
            for problem in endless(1 / operation.per_order_unit) if operation.receipt else ():
                part = problem.replace(" never", " of the order, which never").partition(" (")[0]
                message = f"one {operation.unit or bom.uom} is {part}; receive where whole ones are counted"
                yield entry.fault("operations", index, "per_order_unit", message=message)
            counting = counting_point(bom, operation.operation) or operation
            for place, activity in enumerate(operation.activities):
                ratio = Fraction(activity.quantity) / Fraction(bom.base_quantity) / counting.per_order_unit
                for problem in () if activity.rounding else endless(ratio):
                    message = problem.replace("the component", "the activity")
                    yield entry.fault("operations", index, "activities", place, "quantity", message=message)


def _sink_decimals(parsed: Parsed) -> Iterator[Fault]:
    limits = [(one.decimals, one.sink) for _, gateway in valid(parsed.gateway) for one in gateway.sinks]
    tightest = min(((decimals, sink) for decimals, sink in limits if decimals is not None), default=None)
    if tightest is None:
        return
    items, units = {one.item: one.uom for _, one in valid(parsed.items)}, units_of(parsed)
    for one in _drawn(parsed):
        component = one.component
        names = [component.item, *(alternate.item for alternate in component.alternates)]
        for name in (name for name in names if name in items and component.method == "backflush"):
            for message in _too_fine(one, name, items[name], units, tightest):
                yield one.entry.fault("components", one.index, "quantity", message=message)


def _too_fine(drawn: Drawn, item: str, stock_uom: str, units: Units, tightest: tuple[int, str]) -> Iterator[str]:
    limit, sink = tightest
    needed = _decimals(drawn, item, stock_uom, units)
    if needed is None or needed <= limit:
        return
    known = sorted({unit for owner, *pair in units.factors if owner in (None, item) for unit in pair})
    finer = [
        unit
        for unit in (drawn.component.uom or "", *known)
        if (found := _decimals(drawn, item, unit, units)) is not None and found <= limit
    ]
    remedy = f"stock it in {finer[0]}" if finer else "give the component a coarser rounding"
    yield f"{item} needs {needed} decimals in {stock_uom}, sink {sink} holds {limit}; {remedy}"


def _decimals(drawn: Drawn, item: str, uom: str, units: Units) -> int | None:
    """Return how many decimals the component's quantities have in `uom`; None where they can't be converted or end."""
    component = drawn.component
    factor = _factor(units, item, component.uom, uom)
    if factor is None:
        return None
    found = [decimals_of(amount * factor) for amount in _amounts(drawn, component.rounding)]
    return None if None in found else max(one for one in found if one is not None)


def _amounts(drawn: Drawn, rounding: RoundingSettings | None) -> list[Fraction]:
    component = drawn.component
    if rounding:
        step = Fraction(rounding.multiple) if rounding.multiple else Fraction(1, 10 ** (rounding.decimals or 0))
        return [step]
    setup = Fraction(component.setup_scrap)
    return [Fraction(component.quantity) if component.fixed else one for one in _shared(drawn)] + [setup]


def decimals_of(fraction: Fraction) -> int | None:
    """Return how many decimals write it exactly, None where no number of them does."""
    rest, twos, fives = fraction.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    return max(twos, fives) if rest == 1 else None


# Each check with the files that have to be there for it.
CHECKS = (
    (_endless_components, frozenset({"masterdata"})),
    (_endless_operations, frozenset({"masterdata"})),
    (_sink_decimals, frozenset({"masterdata", "gateway"})),
)

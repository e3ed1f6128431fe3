"""How much of a component one counted unit takes, written out factor by factor, from the stored snapshot.

Worked out anew and apart from the engine: an explanation that disagreed with what was posted would show it.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from fractions import Fraction
from functools import reduce
from operator import mul
from typing import NamedTuple

from gateway.domain.bom import BillOfMaterial, Component, ScrapBasis
from gateway.domain.order import Order
from gateway.domain.quantity import Rounding, nearest, text
from gateway.domain.requirement import RequirementKey
from gateway.domain.use import Use
from gateway.errors import DataError
from gateway.store.recipe import Part, Recipe


class Factor(NamedTuple):
    """One factor of a formula; `text` writes it as a person would."""

    name: str
    value: Fraction
    text: str


class Formula(NamedTuple):
    """A component's requirement: `factors` multiply to what a unit takes, `once` is drawn with the order's first."""

    factors: tuple[Factor, ...]
    once: Fraction
    once_text: str
    rounding: Rounding

    @property
    def per_unit(self) -> Fraction:
        """The product of the factors."""
        return reduce(mul, (one.value for one in self.factors), Fraction(1))


def formula(recipe: Recipe, order: Order, key: RequirementKey, counted_at: str, at: datetime) -> Formula | None:
    """Return how a unit counted at operation `counted_at` takes the component; None where the bill has no such line."""
    if key.bom_line.startswith("activity:"):
        return _activity(recipe, order, key, counted_at)
    path, _, item = key.bom_line.partition(":")
    part = next((one for one in recipe.parts(at) if one.path == path), None)
    if part is None:
        return None
    share = _share(part.component, item)
    try:
        head = tuple(_head(recipe, order, counted_at))
        factors = (*head, *_levels(recipe, order, part, counted_at), *share)
        once, written = _once(recipe, part, share)
    except DataError:
        return None
    if any(one.fixed for _, one in part.chain):
        factors = (Factor("fixed", Fraction(0), "0 (fixed: once an order)"),)
    return Formula(factors, once, written, part.component.rounding)


def _head(recipe: Recipe, order: Order, operation: str) -> Iterator[Factor]:
    """Yield what a counted unit is of the bill's base quantity."""
    bill = recipe.bill
    counted = bill.operation(operation)
    if counted is not None and counted.per_order_unit != 1:
        name = f"{order.uom} for each {counted.unit}"
        yield Factor(name, 1 / counted.per_order_unit, f"1/{_written(counted.per_order_unit)} {name}")
    if order.uom != bill.uom:
        factor = recipe.master.units.factor(order.item, order.uom, bill.uom)
        yield Factor("unit", factor, f"{_written(factor)} {bill.uom} for each {order.uom}")
    yield Factor("base quantity", 1 / Fraction(bill.base_quantity), f"1/{text(bill.base_quantity)} (base quantity)")


def _levels(recipe: Recipe, order: Order, part: Part, operation: str) -> Iterator[Factor]:
    """Yield each line's own quantity and percentages, from the outermost phantom to the component."""
    counted = (order.line, operation) in recipe.master.rejects_counted
    for level, (bill, line) in enumerate(part.chain):
        name = f"{line.item} (line {line.line})"
        yield Factor("quantity", Fraction(line.quantity), f"{text(line.quantity)} {line.uom} {name}")
        if _effective_use(part, level) is Use.CONSUMED:
            yield from _percentages(bill, line, rejects_counted=counted)
        if level + 1 < len(part.chain):
            below = part.chain[level + 1][0]
            factor = _into(recipe, line, below)
            yield Factor("phantom", factor, f"{_written(factor)} (phantom {line.item}: {below.bom} {below.version})")


def _percentages(bill: BillOfMaterial, line: Component, *, rejects_counted: bool) -> Iterator[Factor]:
    outer = bill.assembly_scrap if line.operation_scrap is None else line.operation_scrap
    name = "assembly scrap" if line.operation_scrap is None else "operation scrap"
    if outer and not rejects_counted:
        yield _scrap(name, outer, line.scrap_basis)
    if line.component_scrap:
        yield _scrap("component scrap", line.component_scrap, line.scrap_basis)
    if line.component_yield != 1:
        yield Factor("yield", 1 / line.component_yield, f"1/{_written(line.component_yield)} (yield)")


def _scrap(name: str, share: Fraction, basis: ScrapBasis) -> Factor:
    if basis is ScrapBasis.DIVIDE:
        return Factor(name, 1 / (1 - share), f"1/(1 − {_written(share)}) ({name})")
    return Factor(name, 1 + share, f"(1 + {_written(share)}) ({name})")


def _once(recipe: Recipe, part: Part, share: Iterable[Factor]) -> tuple[Fraction, str]:
    """Return what is drawn once an order, whatever is counted: fixed quantities and setup scrap of every level."""
    once, written = Fraction(0), ""
    for level, (_, line) in enumerate(part.chain):
        if level:
            above = part.chain[level - 1][1]
            into = _into(recipe, above, part.chain[level][0])
            once, written = once * into, f"({written}) × {_written(into)}" if once else ""
        own = Fraction(line.setup_scrap)
        if line.fixed:
            once, written, own = Fraction(0), "", own + Fraction(line.quantity)
        elif once:
            once, written = once * Fraction(line.quantity), f"{written} × {text(line.quantity)}"
        if own:
            once, written = once + own, " + ".join(filter(None, (written, _written(own))))
    for one in share:
        once, written = once * one.value, f"({written}) × {one.text}" if once else ""
    return once, written


def _into(recipe: Recipe, phantom: Component, below: BillOfMaterial) -> Fraction:
    factor = recipe.master.units.factor(phantom.item, phantom.uom, below.uom)
    return factor / Fraction(below.base_quantity)


def _effective_use(part: Part, level: int) -> Use:
    """Return the use of a line: a by-product's phantom makes what it contains by-products too."""
    outer = next((line.use for _, line in part.chain[: level + 1] if line.use is not Use.CONSUMED), None)
    return outer or part.chain[level][1].use


def _share(component: Component, item: str) -> tuple[Factor, ...]:
    shares = {one.item: one.share for one in component.alternates if one.share}
    if not shares:
        return ()
    share = shares.get(item) or 1 - sum(shares.values(), Fraction(0))
    return (Factor("share", share, f"{_written(share)} (share of {item or component.item})"),)


def _activity(recipe: Recipe, order: Order, key: RequirementKey, counted_at: str) -> Formula | None:
    name = key.bom_line.removeprefix("activity:")
    operation = recipe.bill.operation(key.operation)
    one = next((one for one in operation.activities if one.activity == name), None) if operation else None
    if one is None:
        return None
    own = Factor("quantity", Fraction(one.quantity), f"{text(one.quantity)} {one.uom} {name}")
    return Formula((*_head(recipe, order, counted_at), own), Fraction(0), "", one.rounding)


def _written(value: Fraction) -> str:
    """Return a value as a decimal where it ends, as a fraction where it doesn't."""
    near = nearest(value)
    return text(near.normalize()) if Fraction(near) == value else f"({value})"

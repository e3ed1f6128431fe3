"""What a BOM line demands for one counted unit and once an order; phantoms explode in place.

Percentages at each level: assembly scrap (of the BOM that the line stands in, or the line's own operation scrap
instead of it), component scrap, yield. They compound, under the line's scrap basis. Where rejects are counted the
assembly's and the operation's don't apply: the counted rejects consume instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple

from gateway.domain.bom import BillOfMaterial, Component, ScrapBasis
from gateway.domain.masterdata import MasterData
from gateway.domain.use import Use
from gateway.domain.versions import bom_of
from gateway.errors import DataError


class Amount(NamedTuple):
    """A quantity in two parts: `running` for each counted unit, `once` for the order."""

    running: Fraction
    once: Fraction

    def times(self, factor: Fraction) -> "Amount":
        """Return both parts multiplied."""
        return Amount(self.running * factor, self.once * factor)


class Demand(NamedTuple):
    """A component that is no phantom, with its amount in its own unit."""

    component: Component
    amount: Amount


@dataclass(frozen=True, slots=True)
class Explosion:
    """Explodes BOM lines with the versions effective at `at` (None: the latest)."""

    master: MasterData
    at: datetime | None
    rejects_counted: bool

    def demands(
        self, component: Component, bom: BillOfMaterial, bases: Amount, above: tuple[str, ...] = ()
    ) -> Iterator[Demand]:
        """Yield what the line of `bom` demands for that many base quantities of it.

        Raises DataError where a phantom has no BOM, contains itself, or its unit has no conversion.
        """
        amount = self._amount(component, bom, bases)
        if not component.phantom:
            yield Demand(component, amount)
            return
        above = (*above, bom.item)
        below = self._bom_of(component, above)
        factor = self.master.units.factor(component.item, component.uom, below.uom) / Fraction(below.base_quantity)
        for part in below.components:
            yield from self.demands(_in_place(part, component), below, amount.times(factor), above)

    def _amount(self, component: Component, bom: BillOfMaterial, bases: Amount) -> Amount:
        quantity, setup = Fraction(component.quantity), Fraction(component.setup_scrap)
        if component.fixed:
            return Amount(Fraction(0), quantity + setup)
        running = bases.running * quantity * self._percentages(component, bom)
        return Amount(running, bases.once * quantity + setup)

    def _percentages(self, component: Component, bom: BillOfMaterial) -> Fraction:
        if component.use is not Use.CONSUMED:  # outputs come from what is made, not from what is taken for it
            return Fraction(1)
        outer = bom.assembly_scrap if component.operation_scrap is None else component.operation_scrap
        factor = _scrapped(component.component_scrap, component.scrap_basis) / component.component_yield
        return factor if self.rejects_counted else factor * _scrapped(outer, component.scrap_basis)

    def _bom_of(self, phantom: Component, above: tuple[str, ...]) -> BillOfMaterial:
        if phantom.item in above:
            raise DataError(f"phantom {phantom.item} (BOM line {phantom.line}) contains itself")
        below = bom_of(self.master, phantom.item, self.at)
        if below is None:
            raise DataError(f"phantom {phantom.item} (BOM line {phantom.line}) has no approved, effective BOM")
        return below


def _scrapped(scrap: Fraction, basis: ScrapBasis) -> Fraction:
    return 1 / (1 - scrap) if basis is ScrapBasis.DIVIDE else 1 + scrap


def _in_place(part: Component, phantom: Component) -> Component:
    """Return a phantom's component as a line of the BOM that the phantom stands in."""
    return replace(
        part,
        line=f"{phantom.line}/{part.line}",
        operation=phantom.operation,
        use=part.use if phantom.use is Use.CONSUMED else phantom.use,
        location=part.location or phantom.location,
        rework=part.rework or phantom.rework,
    )

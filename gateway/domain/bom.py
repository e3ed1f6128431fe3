"""The bill of material: what one base quantity of a product takes, operation by operation."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from gateway.domain.quantity import Rounding


class Method(StrEnum):
    """How a component's consumption becomes known."""

    BACKFLUSH = "backflush"  # calculated at its operation's trigger
    MEASURED = "measured"  # the trigger's own quantity, e.g. the scale's net weight


class ScrapBasis(StrEnum):
    """How a scrap percentage s is applied to a quantity q."""

    MULTIPLY = "multiply"  # q × (1 + s): SAP, Business Central
    DIVIDE = "divide"  # q ÷ (1 − s): Oracle's yield, ProcessForce


@dataclass(frozen=True, slots=True)
class BomOperation:
    """An operation counts in its own unit, `per_order_unit` of them to one of the order's."""

    operation: str
    unit: str
    per_order_unit: Fraction = Fraction(1)
    receipt: bool = False  # the one operation that receives the product


@dataclass(frozen=True, slots=True)
class Component:
    """One BOM line: `quantity` of `item` in `uom` for each base quantity of the product."""

    line: str
    item: str
    quantity: Decimal
    uom: str
    operation: str
    method: Method = Method.BACKFLUSH
    component_scrap: Fraction = Fraction(0)
    scrap_basis: ScrapBasis = ScrapBasis.MULTIPLY
    rounding: Rounding = field(default_factory=Rounding)


@dataclass(frozen=True, slots=True)
class BillOfMaterial:
    """A version of a product's bill of material; only an approved, effective one posts."""

    bom: str
    version: str
    item: str
    base_quantity: Decimal
    uom: str
    operations: tuple[BomOperation, ...]
    components: tuple[Component, ...]
    approved: bool
    effective_from: datetime | None = None
    effective_to: datetime | None = None

    def operation(self, operation: str) -> BomOperation | None:
        """Return the operation of that number, None where the BOM has none."""
        return next((one for one in self.operations if one.operation == operation), None)

    def effective(self, moment: datetime) -> bool:
        """Tell whether `moment` lies in [effective_from, effective_to)."""
        begun = self.effective_from is None or self.effective_from <= moment
        return begun and (self.effective_to is None or moment < self.effective_to)

"""The bill of material: what one base quantity of a product takes, operation by operation."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from gateway.domain.quantity import ZERO, Rounding
from gateway.domain.use import Use


class Method(StrEnum):
    """How a component's consumption becomes known."""

    BACKFLUSH = "backflush"  # calculated at its operation's trigger
    MEASURED = "measured"  # the trigger's own quantity, e.g. the scale's net weight
    SCAN = "scan"  # a lot is scanned and the quantity given: an event of its own
    PICK = "pick"  # issued earlier by the warehouse: not consumed here


class ScrapBasis(StrEnum):
    """How a scrap percentage s is applied to a quantity q."""

    MULTIPLY = "multiply"  # q × (1 + s): SAP, Business Central
    DIVIDE = "divide"  # q ÷ (1 − s): Oracle's yield, ProcessForce


class Strategy(StrEnum):
    """In which order eligible lots are taken; every order is total, ties end at the lot's id."""

    FEFO = "fefo"  # first expiry (none last)
    FIFO = "fifo"  # first receipt
    LIFO = "lifo"  # last receipt
    RESERVATION = "reservation"  # the lot's own priority, 1 first


class Shortage(StrEnum):
    """What a shortage does."""

    BLOCK = "block"  # the whole event waits
    SPLIT = "split"  # what is there is issued now, the rest as backlog


class LateStage(StrEnum):
    """What becomes of a lot that was staged or scanned in after the event it should serve."""

    ACCEPT = "accept"  # it posts, as the deviation `staged after use`
    SIGN = "sign"  # it waits until a person has signed the deviation


@dataclass(frozen=True, slots=True)
class Alternate:
    """An item that may stand for the component's own, in the component's unit.

    `share` is its part of the requirement (0 … 1); without shares it serves only what the items before it,
    by `priority`, are short of.
    """

    item: str
    priority: int = 1
    share: Fraction | None = None


@dataclass(frozen=True, slots=True)
class ControlLimits:
    """What one trigger may consume of a measured or scanned component, in its unit; beyond it `owner` is alerted."""

    low: Decimal | None
    high: Decimal | None
    owner: str


@dataclass(frozen=True, slots=True)
class Activity:
    """Machine or labour quantity: `quantity` of it in `uom` for each base quantity of the product."""

    activity: str
    quantity: Decimal
    uom: str
    rounding: Rounding = field(default_factory=Rounding)


@dataclass(frozen=True, slots=True)
class BomOperation:
    """An operation counts in its own unit, `per_order_unit` of them to one of the order's.

    An operation that is no reporting point has no triggers: the next reporting point consumes its components.
    `defer` separates the process: receipt at once, the issue document from the work list that much later.
    """

    operation: str
    unit: str
    per_order_unit: Fraction = Fraction(1)
    receipt: bool = False  # the one operation that receives the product
    reporting_point: bool = True
    activities: tuple[Activity, ...] = ()
    defer: timedelta | None = None
    label_approval: bool = False  # packout: its triggers wait until the order's label is approved


@dataclass(frozen=True, slots=True)
class Component:
    """One BOM line: `quantity` of `item` in `uom` for each base quantity of the product.

    A `fixed` quantity and the setup scrap are drawn once an order, outside the percentages. A phantom is no
    stock: the BOM of its item is exploded in its place. By-products and co-products enter stock.
    """

    line: str
    item: str
    quantity: Decimal
    uom: str
    operation: str
    method: Method = Method.BACKFLUSH
    component_scrap: Fraction = Fraction(0)
    scrap_basis: ScrapBasis = ScrapBasis.MULTIPLY
    rounding: Rounding = field(default_factory=Rounding)
    use: Use = Use.CONSUMED  # or by-product, co-product
    fixed: bool = False
    setup_scrap: Decimal = ZERO  # in the component's unit
    operation_scrap: Fraction | None = None  # replaces the assembly's scrap for this component
    component_yield: Fraction = Fraction(1)  # q ÷ yield
    alternates: tuple[Alternate, ...] = ()
    allocation: Strategy = Strategy.FEFO
    on_shortage: Shortage = Shortage.BLOCK
    late_stage: LateStage = LateStage.ACCEPT
    location: str = ""  # the bin it has to come from or goes to; empty: any (outputs: the order's receipt bin)
    phantom: bool = False
    rework: bool = False  # belongs to the rework recipe: drawn by reworked units, not by good ones
    mixing_units: Decimal = ZERO  # within so many units of a change of lot, genealogy lists both lots
    limits: ControlLimits | None = None


@dataclass(frozen=True, slots=True)
class BillOfMaterial:
    """A version of a product's bill of material; only an approved, effective one posts.

    A `shadow` version never posts: it is calculated beside the live one and the difference is reported.
    """

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
    assembly_scrap: Fraction = Fraction(0)
    approved_by: str = ""
    shadow: bool = False

    def operation(self, operation: str) -> BomOperation | None:
        """Return the operation of that number, None where the BOM has none."""
        return next((one for one in self.operations if one.operation == operation), None)

    def effective(self, moment: datetime) -> bool:
        """Tell whether `moment` lies in [effective_from, effective_to)."""
        begun = self.effective_from is None or self.effective_from <= moment
        return begun and (self.effective_to is None or moment < self.effective_to)

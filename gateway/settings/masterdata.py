"""masterdata/*.yaml: items, units, bills of material, orders, staged lots; any of them in any file."""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from gateway.domain.quantity import Rounding, RoundingMode
from gateway.settings.base import Exact, Moment, Ratio, Settings, Share

Text = Annotated[str, Field(min_length=1)]
Positive = Annotated[Exact, Field(gt=0)]


class ItemSettings(Settings):
    """A material; its stock is kept in `uom`."""

    item: Text
    uom: Text = Field(description="stock unit")
    description: str = ""


class UnitSettings(Settings):
    """One `from` is `factor` × `to`, for one item or for all."""

    model_config = ConfigDict(populate_by_name=False)  # `from` is no Python name; YAML knows only that one

    item: Text | None = Field(default=None, description="the factor is this item's own, e.g. its density")
    source: Text = Field(alias="from")
    target: Text = Field(alias="to")
    factor: Ratio


class OperationSettings(Settings):
    """An operation counts in its own unit."""

    operation: Text
    unit: Text | None = Field(default=None, description="what it counts; default: the BOM's own unit")
    per_order_unit: Ratio = Field(
        default=Fraction(1),
        description="how many of its units make one of the order's: 12 bottles a case",
    )
    receipt: bool = Field(default=False, description="the one operation that receives the product")


class RoundingSettings(Settings):
    """How the cumulated requirement becomes a quantity; without it, it is exact."""

    decimals: int = Field(ge=0, le=9, description="in the component's unit")
    mode: Literal["up", "down", "half-even"] = "half-even"

    def rounding(self) -> Rounding:
        """Return the rule as the core knows it."""
        return Rounding(self.decimals, RoundingMode(self.mode))


class ComponentSettings(Settings):
    """One BOM line: `quantity` of `item` for each base quantity of the product."""

    line: Text = Field(description="number of the BOM line, in quotes")
    item: Text
    quantity: Positive
    uom: Text
    operation: Text = Field(description="whose triggers consume it")
    method: Literal["backflush", "measured"] = Field(
        default="backflush", description="calculated, or the trigger's own quantity is what was consumed"
    )
    component_scrap: Share = Field(default=Fraction(0), description="running scrap")
    scrap_basis: Literal["multiply", "divide"] = Field(default="multiply", description="q × (1 + s), or q ÷ (1 − s)")
    rounding: RoundingSettings | None = None

    def share(self, base_quantity: Decimal) -> Fraction:
        """Return what one unit of the product takes, scrap included."""
        scrap = self.component_scrap
        factor = 1 + scrap if self.scrap_basis == "multiply" else 1 / (1 - scrap)
        return Fraction(self.quantity) / Fraction(base_quantity) * factor


class BomSettings(Settings):
    """A version of a product's bill of material; only an approved one posts."""

    bom: Text
    version: Text = Field(description="in quotes")
    item: Text
    base_quantity: Positive
    uom: Text = Field(description="unit of the base quantity")
    status: Literal["draft", "approved", "obsolete"]
    effective_from: Moment | None = None
    effective_to: Moment | None = None
    operations: list[OperationSettings] = Field(min_length=1)
    components: list[ComponentSettings]


class OrderSettings(Settings):
    """A production order and the BOM version it was released with."""

    order: Text = Field(description="order number, in quotes")
    item: Text
    quantity: Positive
    uom: Text
    line: Text
    bom: Text
    bom_version: Text = Field(description="in quotes")
    status: Literal["created", "released", "held", "closed"] = "released"
    active: bool = Field(default=False, description="its line works on it where the device doesn't say")
    finished_lot: str = Field(default="", description="lot of what is received")
    receipt_location: str = Field(default="", description="bin of what is received")

    @property
    def bill(self) -> str:
        """The BOM it was released with, as messages name it."""
        return f"{self.bom} version {self.bom_version}"


class StagingSettings(Settings):
    """A transfer to the line, applied once by its id; the same id with other content is refused."""

    staging: Text = Field(description="id of the transfer; a restart never applies it again")
    item: Text
    lot: Text
    location: Text = Field(description="bin at the line")
    quantity: Positive
    uom: Text
    order: Text | None = Field(default=None, description="it serves this order only")
    line: Text | None = Field(default=None, description="it serves every order of the line")
    received_at: Moment
    expires_at: Moment | None = None
    status: Literal["unrestricted", "quarantine", "blocked"] = "unrestricted"

    @model_validator(mode="after")
    def _one_owner(self) -> "StagingSettings":
        if (self.order is None) == (self.line is None):
            raise ValueError("a staging serves either an order or a line; write one of the two keys")
        return self


class MasterDataFile(Settings):
    """One file of the folder; it may have any of the keys."""

    items: list[ItemSettings] = Field(default=[])
    units: list[UnitSettings] = Field(default=[])
    boms: list[BomSettings] = Field(default=[])
    orders: list[OrderSettings] = Field(default=[])
    stagings: list[StagingSettings] = Field(default=[])

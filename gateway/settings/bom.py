"""Bills of material as YAML writes them: operations, components, and the rules of one line by itself."""

from decimal import Decimal
from fractions import Fraction
from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from gateway.domain.quantity import Rounding, RoundingMode
from gateway.settings.base import Duration, Exact, Moment, Portion, Positive, Ratio, Settings, Share, Text

_DAY = 86400


class RoundingSettings(Settings):
    """How the cumulated requirement becomes a quantity; without it, it is exact."""

    decimals: int | None = Field(default=None, ge=0, le=9, description="in the component's unit")
    multiple: Positive | None = Field(default=None, description="whole packs of this size, in the component's unit")
    mode: Literal["up", "down", "half-even"] = Field(default="half-even", description="what becomes of the rest")

    @model_validator(mode="after")
    def _one_of_them(self) -> "RoundingSettings":
        if (self.decimals is None) == (self.multiple is None):
            raise ValueError("a rounding needs either decimals or a multiple")
        return self

    def rounding(self) -> Rounding:
        """Return the rule as the core knows it."""
        return Rounding(self.decimals, RoundingMode(self.mode), self.multiple)


class ActivitySettings(Settings):
    """Machine or labour quantity that an operation confirms; it moves no goods."""

    activity: Text = Field(description="its name, e.g. machine")
    quantity: Positive = Field(description="for each base quantity of the product")
    uom: Text = Field(description="its unit, e.g. h")
    rounding: RoundingSettings | None = Field(default=None, description="of the order's sum so far; default: exact")


class OperationSettings(Settings):
    """An operation counts in its own unit."""

    operation: Text = Field(description="its number, in quotes")
    unit: Text | None = Field(default=None, description="what it counts; default: the BOM's own unit")
    per_order_unit: Ratio = Field(
        default=Fraction(1),
        description="how many of its units make one of the order's: 12 bottles a case",
    )
    receipt: bool = Field(default=False, description="the one operation that receives the product")
    reporting_point: bool = Field(default=True, description="false: the next reporting point consumes its components")
    activities: list[ActivitySettings] = Field(default=[], description="machine and labour quantities")
    defer: Duration | None = Field(
        default=None, gt=0, le=7 * _DAY, description="issues follow the receipt that much later, from the work list"
    )
    label_approval: bool = Field(default=False, description="packout: waits until the order's label is approved")

    @model_validator(mode="after")
    def _receives_what_is_reported(self) -> "OperationSettings":
        if self.receipt and not self.reporting_point:
            raise ValueError("an operation that receives the product has to be a reporting point")
        return self


class AlternateSettings(Settings):
    """An item that may stand for the component's own, in the component's unit."""

    item: Text = Field(description="the item that stands for it")
    priority: int = Field(default=1, ge=1, description="which alternate is asked first when the items before are short")
    share: Share | None = Field(
        default=None, gt=0, description="its part of the requirement; the component has the rest"
    )


class ControlLimitSettings(Settings):
    """What one trigger may consume, in the component's unit; beyond it the owner is alerted, and it posts."""

    low: Exact | None = Field(default=None, ge=0, description="less is alerted")
    high: Exact | None = Field(default=None, ge=0, description="more is alerted")
    owner: Text = Field(description="who has to answer the alert")

    @model_validator(mode="after")
    def _limits_something(self) -> "ControlLimitSettings":
        if self.low is None and self.high is None:
            raise ValueError("control limits need low, high or both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self


class ComponentSettings(Settings):
    """One BOM line: `quantity` of `item` for each base quantity of the product."""

    model_config = ConfigDict(populate_by_name=False)  # `yield` is no Python name; YAML knows only that one

    line: Text = Field(description="number of the BOM line, in quotes")
    item: Text = Field(description="what is consumed, or produced beside the product")
    quantity: Positive = Field(description="for each base quantity of the product, or once where it is fixed")
    uom: Text | None = Field(default=None, description="its unit; a phantom's default is that of its own BOM")
    operation: str = Field(default="", description="whose triggers consume it; in a phantom's BOM: the phantom line's")
    method: Literal["backflush", "measured", "scan", "pick"] = Field(
        default="backflush",
        description="calculated; the trigger's own quantity; a scanned lot with its quantity; issued earlier",
    )
    use: Literal["consumed", "by-product", "co-product"] = Field(
        default="consumed", description="the two others enter stock, in the order's finished lot"
    )
    fixed: bool = Field(default=False, description="once an order, whatever it makes, outside the percentages")
    component_scrap: Share = Field(default=Fraction(0), description="running scrap")
    scrap_basis: Literal["multiply", "divide"] = Field(default="multiply", description="q × (1 + s), or q ÷ (1 − s)")
    operation_scrap: Share | None = Field(default=None, description="replaces the assembly's scrap for this component")
    setup_scrap: Exact = Field(default=Decimal(0), ge=0, description="once an order, in the component's unit")
    component_yield: Portion = Field(default=Fraction(1), alias="yield", description="q ÷ yield, e.g. 90 %")
    alternates: list[AlternateSettings] = Field(default=[], description="items that may stand for it")
    allocation: Literal["fefo", "fifo", "lifo", "reservation"] = Field(
        default="fefo", description="which lot first: by expiry, first receipt, last receipt, the lot's own priority"
    )
    on_shortage: Literal["block", "split"] = Field(
        default="block", description="the whole event waits, or what is there is issued and the rest is backlog"
    )
    late_stage: Literal["accept", "sign"] = Field(
        default="accept", description="a lot staged after use posts as a deviation, or waits until that is signed"
    )
    location: str = Field(default="", description="bin it has to come from; of an output: where it goes")
    phantom: bool = Field(default=False, description="no stock of its own: the BOM of its item explodes in its place")
    rework: bool = Field(default=False, description="of the rework recipe: drawn by reworked units, not by good ones")
    mixing_units: Exact = Field(
        default=Decimal(0), ge=0, description="within so many units of a change of lot, genealogy lists both lots"
    )
    control_limits: ControlLimitSettings | None = Field(
        default=None, description="of a measured or scanned component, one trigger at a time"
    )
    rounding: RoundingSettings | None = Field(default=None, description="of the order's sum so far; default: exact")

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "ComponentSettings":
        if self.uom is None and not self.phantom:
            raise ValueError("uom is missing; only a phantom may leave it to its own BOM")
        if self.control_limits and self.method not in ("measured", "scan"):
            raise ValueError(
                "control limits are for what is measured or scanned; a calculated quantity can't breach them"
            )
        self._refuse(self.phantom, _NOT_OF_PHANTOMS, "a phantom is no stock; write {keys} at the components of its BOM")
        self._refuse(self.use != "consumed", _NOT_OF_OUTPUTS, f"{{keys}} can't stand at a {self.use}, it is produced")
        return self

    def _refuse(self, applies: bool, fields: tuple[str, ...], message: str) -> None:
        if applies and (wrong := [_WRITTEN.get(one, one) for one in fields if one in self.model_fields_set]):
            raise ValueError(message.format(keys=", ".join(wrong)))


_NOT_OF_PHANTOMS = ("method", "alternates", "allocation", "on_shortage", "late_stage", "control_limits", "rounding")
_NOT_OF_OUTPUTS = ("component_scrap", "operation_scrap", "setup_scrap", "component_yield", "alternates", "allocation")
_WRITTEN = {"component_yield": "yield"}


class BomSettings(Settings):
    """A version of a product's bill of material; only an approved one posts."""

    bom: Text = Field(description="its name; versions of one name replace each other")
    version: Text = Field(description="in quotes")
    item: Text = Field(description="what it makes")
    base_quantity: Positive = Field(description="how much of the item the components' quantities are for")
    uom: Text = Field(description="unit of the base quantity")
    status: Literal["draft", "approved", "obsolete", "shadow"] = Field(
        description="only approved posts; shadow is calculated beside the approved one and the difference reported"
    )
    approved_by: str = Field(default="", description="who approved it; regulated mode wants a name")
    effective_from: Moment | None = Field(default=None, description="posts events from then on; default: always")
    effective_to: Moment | None = Field(default=None, description="posts events before then; default: for ever")
    assembly_scrap: Share = Field(default=Fraction(0), description="of the product; where no reject is counted")
    operations: list[OperationSettings] = Field(
        default=[], description="in their sequence; only the BOM of a phantom has none"
    )
    components: list[ComponentSettings] = Field(description="its lines")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "BomSettings":
        if self.effective_from and self.effective_to and self.effective_from >= self.effective_to:
            raise ValueError("effective_to has to be later than effective_from")
        return self

    @property
    def title(self) -> str:
        """The version as messages name it."""
        return f"{self.bom} version {self.version}"

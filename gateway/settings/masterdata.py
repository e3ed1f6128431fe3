"""masterdata/*.yaml: items, units, bills of material, orders, staged lots, reasons; any of them in any file."""

from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from gateway.domain.lot import LotFacts, impossible
from gateway.settings.base import Duration, Exact, Moment, Positive, Ratio, Settings, Share, Text
from gateway.settings.bom import BomSettings


class ItemSettings(Settings):
    """A material; its stock is kept in `uom`, and so are its thresholds."""

    item: Text = Field(description="its number")
    uom: Text = Field(description="stock unit")
    description: str = Field(default="", description="what people call it")
    order_bound: bool = Field(default=False, description="only from lots staged to the order, not from the supermarket")
    serial_tracked: bool = Field(default=False, description="each piece has a number: it can't be backflushed")
    potency_variable: bool = Field(default=False, description="its content differs by lot: it can't be backflushed")
    min_remaining_life: Duration | None = Field(
        default=None, le=3650 * 86400.0, description="a lot has to live that long after the event, e.g. 30d"
    )
    crumb: Positive | None = Field(default=None, description="a rest below it is issued with the last pick")
    reorder_point: Exact | None = Field(
        default=None, ge=0, description="a staged balance at or below it raises one replenishment signal"
    )
    reorder_quantity: Positive | None = Field(default=None, description="how much the signal asks for")

    @model_validator(mode="after")
    def _asks_at_some_point(self) -> "ItemSettings":
        if self.reorder_quantity is not None and self.reorder_point is None:
            raise ValueError("a reorder_quantity needs a reorder_point, or nothing ever asks for it")
        return self


class UnitSettings(Settings):
    """One `from` is `factor` × `to`, for one item or for all."""

    model_config = ConfigDict(populate_by_name=False)  # `from` is no Python name; YAML knows only that one

    item: Text | None = Field(default=None, description="the factor is this item's own, e.g. its density")
    source: Text = Field(alias="from", description="the unit that is converted")
    target: Text = Field(alias="to", description="the unit it becomes")
    factor: Ratio = Field(description="how many `to` one `from` is; a number, or exactly as 1/3")


class OrderSettings(Settings):
    """A production order and the BOM version it was released with."""

    order: Text = Field(description="order number, in quotes")
    item: Text = Field(description="what it makes")
    quantity: Positive = Field(description="how much is planned")
    uom: Text = Field(description="unit of the quantity; operations say how many of theirs make one")
    line: Text = Field(description="one of the lines in gateway.yaml")
    bom: Text = Field(description="name of the bill of material")
    bom_version: Text | None = Field(
        default=None, description="pinned at release, in quotes; default: the one effective at each event's time"
    )
    status: Literal["created", "released", "held", "closed"] = Field(
        default="released", description="only a released order posts; any other holds its triggers"
    )
    active: bool = Field(default=False, description="its line works on it where the device doesn't say")
    finished_lot: str = Field(default="", description="lot of what is received")
    receipt_location: str = Field(default="", description="bin of what is received")
    over_tolerance: Share | None = Field(
        default=None, description="more than the quantity by this share is held; 0 holds any; default: not checked"
    )
    under_tolerance: Share | None = Field(
        default=None,
        description="less than the quantity by this share wants a signature at close; default: not checked",
    )
    kind: Literal["production", "planned", "run-schedule"] = Field(
        default="production", description="whose open quantity its receipts reduce"
    )


class StagingSettings(Settings):
    """A transfer to the line, applied once by its id; the same id with other content is refused."""

    staging: Text = Field(description="id of the transfer; a restart never applies it again")
    item: Text = Field(description="what was brought")
    lot: Text = Field(description="its lot")
    location: Text = Field(description="bin at the line")
    quantity: Positive = Field(description="how much was brought")
    uom: Text = Field(description="unit of the quantity")
    order: Text | None = Field(default=None, description="it serves this order only")
    line: Text | None = Field(default=None, description="it serves every order of the line")
    received_at: Moment = Field(description="when the lot was received: first in, first out")
    expires_at: Moment | None = Field(default=None, description="events from then on refuse it")
    status: Literal["unrestricted", "quarantine", "blocked"] = Field(
        default="unrestricted", description="only unrestricted stock is consumed"
    )
    supplier: str = Field(default="", description="carried through to each posting line")
    priority: int = Field(default=0, ge=0, description="for allocation: reservation; 1 first, 0 last")
    density: Positive | None = Field(
        default=None, description="stock units to one unit of the component, this lot's own"
    )
    temperature_coefficient: Exact | None = Field(
        default=None, gt=-1, lt=1, description="relative loss of density a degree above the reference temperature"
    )
    reference_temperature: Exact | None = Field(default=None, ge=-273, description="°C that the density is given at")
    potency: Positive | None = Field(
        default=None, le=10, description="active ÷ physical, of scanned and measured issues"
    )
    scanned: bool = Field(default=False, description="the lot was scanned at the line with this transfer")

    @model_validator(mode="after")
    def _one_owner(self) -> "StagingSettings":
        if (self.order is None) == (self.line is None):
            raise ValueError("a staging serves either an order or a line; write one of the two keys")
        return self

    @model_validator(mode="after")
    def _whole_density(self) -> "StagingSettings":
        facts = LotFacts(
            density=self.density,
            temperature_coefficient=self.temperature_coefficient,
            reference_temperature=self.reference_temperature,
            potency=self.potency,
        )
        if why := impossible(facts):
            raise ValueError(why)
        return self


class ReasonSettings(Settings):
    """A reason code that a person gives with a reversal, a return, a count, a closing."""

    reason: Text = Field(max_length=20, description="the code, e.g. R01")
    text: Text = Field(description="what it says in a posting")


class MasterDataFile(Settings):
    """One file of the folder; it may have any of the keys."""

    items: list[ItemSettings] = Field(default=[], description="materials")
    units: list[UnitSettings] = Field(default=[], description="conversions between units")
    boms: list[BomSettings] = Field(default=[], description="bills of material")
    orders: list[OrderSettings] = Field(default=[], description="production orders")
    stagings: list[StagingSettings] = Field(default=[], description="transfers of stock to the line")
    reasons: list[ReasonSettings] = Field(default=[], description="reason codes")

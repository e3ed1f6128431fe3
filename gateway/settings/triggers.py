"""triggers.yaml: the versioned rules that turn a device's units into an operation's triggers."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from gateway.domain.event import NO_UNITS, EventKind, SignalId
from gateway.domain.line import Cumulation
from gateway.domain.rule import TriggerRule
from gateway.settings.base import Duration, Name, Positive, Settings

_SIGNAL = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$"
SignalName = Annotated[str, Field(pattern=_SIGNAL, examples=["FILLER-1.good"])]


class OrderSource(Settings):
    """Where the order of a trigger comes from: the device where it knows, else the line's active order."""

    model_config = ConfigDict(populate_by_name=False)  # `else` is no Python name; YAML knows only that one

    signal: SignalName | None = Field(default=None, description="a signal of the same device that shows the order")
    event: Literal["order"] | None = Field(default=None, description="the order in the event message itself")
    otherwise: Literal["active"] | None = Field(default=None, alias="else", description="the line's active order")

    @model_validator(mode="after")
    def _one_source(self) -> "OrderSource":
        if self.signal is not None and self.event is not None:
            raise ValueError("the order comes from a signal or from the event, not from both")
        if self.signal is None and self.event is None and self.otherwise is None:
            raise ValueError("names no source; write active, {signal: DEVICE.signal} or {event: order}")
        return self


def _active(value: Any) -> Any:
    if isinstance(value, dict | OrderSource):
        return value
    if value != "active":
        raise ValueError(f"{value!r} is no source of an order; write active, or for example {{event: order}}")
    return {"else": "active"}


Source = Annotated[
    OrderSource,
    BeforeValidator(_active, json_schema_input_type=Literal["active"] | OrderSource),
]


class CumulateSettings(Settings):
    """When the window of a cumulated document closes: the first of these that comes."""

    window: Duration | None = Field(default=None, gt=0, le=86400, description="after its first trigger, e.g. 60s")
    units: Positive | None = Field(default=None, description="counted in it, in the operation's unit")
    lot_change: bool = Field(default=False, description="when another lot would be issued")
    shift: bool = Field(default=False, description="at the shifts of the device's line")

    @model_validator(mode="after")
    def _closes_at_something(self) -> "CumulateSettings":
        if self.window is None and self.units is None and not (self.lot_change or self.shift):
            raise ValueError("a window needs an end; write for example {window: 60s, units: 2000}")
        return self

    def cumulation(self) -> Cumulation:
        """Return the window as the core knows it."""
        window = None if self.window is None else timedelta(seconds=self.window)
        return Cumulation(window, self.units, self.lot_change, self.shift)


class RuleSettings(Settings):
    """One rule of one signal; raise `version` with every change, each posting names it."""

    trigger: Name = Field(description="name of the rule")
    version: int = Field(ge=1, description="raised with every change")
    on: SignalName = Field(description="the signal whose units or messages fire it")
    event: Literal[
        "good_units",
        "scrap_units",
        "rework_units",
        "case_sealed",
        "weighed",
        "operation_completed",
        "lot_issued",
        "order_started",
        "order_finished",
        "lot_staged",
        "lot_scanned",
        "label_approved",
    ] = Field(description="what happened; the last five move no units, and need no operation and no order")
    operation: str = Field(default="", description="operation of the order's BOM, in quotes")
    order: Source | None = Field(default=None, description="where the order comes from")
    cumulate: CumulateSettings | None = Field(
        default=None, description="many triggers, one document; default: each trigger is one"
    )
    shadow: bool = Field(default=False, description="never posts: what it would consume is reported beside what was")

    @model_validator(mode="after")
    def _says_what_its_event_needs(self) -> "RuleSettings":
        if EventKind(self.event) in NO_UNITS:
            wrong = [key for key in ("operation", "cumulate", "shadow") if getattr(self, key)]
            if wrong:
                raise ValueError(f"{self.event} moves no units, so {wrong[0]} can't stand here")
            return self
        missing = [key for key in ("operation", "order") if not getattr(self, key)]
        if missing:
            raise ValueError(f"{' and '.join(missing)} missing: {self.event} belongs to an order's operation")
        return self

    @property
    def signal(self) -> SignalId:
        """The signal whose units fire the rule."""
        device, _, signal = self.on.partition(".")
        return SignalId(device, signal)

    def rule(self) -> TriggerRule:
        """Return the rule as the core knows it."""
        shown = self.order.signal if self.order else None
        return TriggerRule(
            rule=self.trigger,
            version=self.version,
            signal=self.signal,
            event=EventKind(self.event),
            operation=self.operation,
            order_signal=shown.partition(".")[2] if shown else None,
            order_from_event=self.order is not None and self.order.event is not None,
            fallback_active=self.order is not None and self.order.otherwise is not None,
            cumulate=self.cumulate.cumulation() if self.cumulate else None,
            shadow=self.shadow,
        )


class TriggersFile(Settings):
    """triggers.yaml as a whole."""

    triggers: list[RuleSettings] = Field(description="the rules, one live rule a signal")

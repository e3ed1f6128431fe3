"""triggers.yaml: the versioned rules that turn a device's units into an operation's triggers."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from gateway.domain.event import EventKind, SignalId
from gateway.domain.rule import TriggerRule
from gateway.settings.base import Name, Settings

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


class RuleSettings(Settings):
    """One rule of one signal; raise `version` with every change, each posting names it."""

    trigger: Name = Field(description="name of the rule")
    version: int = Field(ge=1)
    on: SignalName = Field(description="the signal whose units fire it")
    event: Literal["good_units", "scrap_units", "rework_units", "case_sealed", "weighed"]
    operation: str = Field(min_length=1, description="operation of the order's BOM, in quotes")
    order: Source = Field(description="where the order comes from")

    @property
    def signal(self) -> SignalId:
        """The signal whose units fire the rule."""
        device, _, signal = self.on.partition(".")
        return SignalId(device, signal)

    def rule(self) -> TriggerRule:
        """Return the rule as the core knows it."""
        shown = self.order.signal
        return TriggerRule(
            rule=self.trigger,
            version=self.version,
            signal=self.signal,
            event=EventKind(self.event),
            operation=self.operation,
            order_signal=shown.partition(".")[2] if shown else None,
            order_from_event=self.order.event is not None,
            fallback_active=self.order.otherwise is not None,
        )


class TriggersFile(Settings):
    """triggers.yaml as a whole."""

    triggers: list[RuleSettings]

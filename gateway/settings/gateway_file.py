"""gateway.yaml: who this gateway is, where it stores, who gets the postings."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema

from gateway.settings.api import ApiSettings
from gateway.settings.base import Duration, Name, Settings
from gateway.settings.consumer import ConsumerSettings
from gateway.settings.kind import validate_kind
from gateway.settings.sink import SinkSettings


def _state_path(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no path")  # noqa: TRY004 - pydantic only collects ValueError
    # systemd names the service's StateDirectory= (the first of several), where it may write.
    state = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return Path(state or (info.context or {}).get("root", "")) / value


def _sink(value: Any, info: ValidationInfo) -> SinkSettings:
    models: Mapping[str, type[SinkSettings]] = (info.context or {}).get("sinks", {})
    return value if isinstance(value, SinkSettings) else validate_kind(models, value, info.context)


StatePath = Annotated[Path, BeforeValidator(_state_path), WithJsonSchema({"type": "string"})]
AnySink = Annotated[SinkSettings, BeforeValidator(_sink)]


class StoreSettings(Settings):
    """The SQLite file that everything is committed to."""

    path: StatePath = Field(description="relative to this folder, or to $STATE_DIRECTORY where systemd sets it")


class LineSettings(Settings):
    """A production line: active order, staged stock and run rules are per line."""

    line: Name


class RetentionSettings(Settings):
    """What is older and acknowledged by every required consumer is deleted."""

    keep: Duration = Field(default=90 * 86400.0, description="age up to which postings and event keys stay")


class PipelineSettings(Settings):
    """How much is taken at once, and how much may wait."""

    batch: int = Field(default=500, ge=1, le=10_000, description="most scans in one transaction")
    queue: int = Field(default=10_000, ge=1, le=1_000_000, description="scans waiting in memory")


class GatewaySettings(Settings):
    """gateway.yaml. `gateway` and the store's own id name every posting, so choose a name that stays."""

    gateway: Name = Field(description="name of this gateway in every posting; never change it")
    store: StoreSettings
    lines: list[LineSettings] = Field(min_length=1)
    api: ApiSettings = Field(default_factory=ApiSettings)
    sinks: list[AnySink] = Field(default=[], description="where postings are pushed to")
    consumers: list[ConsumerSettings] = Field(default=[], description="who pulls postings")
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    clock_trust: Literal["assume"] = Field(description="why the wall clock may be believed")
    pipeline: PipelineSettings = Field(default_factory=PipelineSettings)

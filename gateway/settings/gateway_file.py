"""gateway.yaml: who this gateway is, where it stores, who gets the postings."""

import os
from collections.abc import Mapping
from datetime import time
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator

from gateway.settings.api import ApiSettings
from gateway.settings.base import Drift, Duration, Name, Secret, Settings, Size, TimeOfDay, TimeZone
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


# A clock may go wrong by an hour, and a broker that was cut off redelivers what it wasn't told of.
_SHORTEST_KEEP = 1.0  # s; a plant wants days, a trial of retention seconds
StatePath = Annotated[Path, BeforeValidator(_state_path), WithJsonSchema({"type": "string"})]
AnySink = Annotated[SinkSettings, BeforeValidator(_sink)]


class StoreSettings(Settings):
    """The SQLite file that everything is committed to."""

    path: StatePath = Field(description="relative to this folder, or to $STATE_DIRECTORY where systemd sets it")
    backups: StatePath | None = Field(
        default=None, description="folder of `gateway backup`'s files: named when the store turns out to be damaged"
    )
    ballast: Size = Field(
        default=8 << 20, description="room kept for a full disk, so that it can be told of and gone on from; 0: none"
    )
    budget: Size | None = Field(
        default=None,
        ge=1 << 20,
        description="an alarm at 80 % of it; without one, when less than 1 GiB of the disk (or a tenth) is free",
    )
    # It is written back at 4 MiB; one that grows beyond that has a reader that doesn't end.
    wal_limit: Size = Field(default=64 << 20, ge=16 << 20, description="an alarm when the write-ahead log is larger")
    slow_commit: Duration = Field(default=2.0, gt=0, description="a commit that takes longer is shown; often: an alarm")
    verify_every: Duration = Field(
        default=3600.0, gt=0, description="how often what came since is verified, and a checkpoint signed"
    )
    verify_fully_every: Duration = Field(
        default=7 * 86400.0, gt=0, description="how often that is everything: what was changed before a checkpoint, too"
    )
    signing_key: Secret | None = Field(
        default=None, description="Ed25519 key that signs checkpoints and backups (PEM); default: made beside the store"
    )


class LineSettings(Settings):
    """A production line: active order, staged stock and run rules are per line."""

    line: Name = Field(description="its name, e.g. L1")
    timezone: TimeZone = Field(default="UTC", description="IANA name that the shifts are in, e.g. Europe/Vienna")
    shifts: list[TimeOfDay] = Field(default=[], description="local times at which a shift begins, in order of the day")
    lot_scan: bool = Field(default=False, description="a lot is consumed only after it was scanned in at the line")
    line_clearance: bool = Field(default=False, description="after a change of order a person has to clear the line")

    @field_validator("shifts")
    @classmethod
    def _in_order(cls, value: list[time]) -> list[time]:
        if any(later <= earlier for earlier, later in pairwise(value)):
            raise ValueError("shifts have to begin in the order of the day, each once; write for example 06:00, 14:00")
        return value


class RetentionSettings(Settings):
    """What is older and acknowledged by every required consumer is deleted."""

    keep: Duration = Field(default=90 * 86400.0, description="age up to which postings and event keys stay")
    archive: StatePath | None = Field(
        default=None,
        description="folder for signed archives of what is deleted; in regulated mode `archive` beside the store",
    )

    @field_validator("keep")
    @classmethod
    def _longer_than_a_redelivery(cls, value: float) -> float:
        if value < _SHORTEST_KEEP:
            raise ValueError(
                "is too short: what comes a second time is known by event keys that are as old; write "
                "for example 90d, more than any broker or device redelivers after"
            )
        return value


class PipelineSettings(Settings):
    """How much is taken at once, and how much may wait."""

    batch: int = Field(default=500, ge=1, le=10_000, description="most scans in one transaction")
    queue: int = Field(default=10_000, ge=1, le=1_000_000, description="scans waiting in memory")


class GatewaySettings(Settings):
    """gateway.yaml. `gateway` and the store's own id name every posting, so choose a name that stays."""

    gateway: Name = Field(description="name of this gateway in every posting; never change it")
    store: StoreSettings = Field(description="where everything is committed to")
    lines: list[LineSettings] = Field(min_length=1, description="the production lines it stands at")
    api: ApiSettings = Field(default_factory=ApiSettings, description="the HTTP API and who may use it")
    sinks: list[AnySink] = Field(default=[], description="where postings are pushed to")
    consumers: list[ConsumerSettings] = Field(default=[], description="who pulls postings")
    retention: RetentionSettings = Field(default_factory=RetentionSettings, description="how long postings stay")
    clock_trust: Literal["kernel", "chrony", "assume"] = Field(
        description="who says that the wall clock is right; assume believes it as it is: for demo and tests"
    )
    clock_max_error: Duration = Field(
        default=60.0,
        gt=0,
        le=3600,
        description="largest estimated error of the wall clock at which triggers still post",
    )
    # 60 s are reached two weeks after the network was lost. RFC 5905 reckons with 15 ppm, a bare crystal has 100.
    clock_drift: Drift = Field(
        default=50e-6, gt=0, description="how fast the clock may go wrong once nobody sets it, microseconds a second"
    )
    regulated: bool = Field(
        default=False, description="devices, rules and master data take effect only after a signed activation"
    )
    pipeline: PipelineSettings = Field(default_factory=PipelineSettings, description="sizes of batch and queue")

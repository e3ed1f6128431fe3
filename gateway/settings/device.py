"""What every device has, whatever its protocol; the drivers' own models derive from these."""

from collections.abc import Mapping
from math import ceil
from typing import Literal

from pydantic import Field, model_validator

from gateway.counting.counter import Counter, Counts, GapPolicy
from gateway.domain.quantity import MOST_DECIMALS
from gateway.settings.base import Duration, Name, Rate, Settings


class CounterSettings(Settings):
    """A cumulative counter, units come from its differences, never from pulses."""

    counts: Literal["good", "scrap", "rework", "total"]
    modulus: int = Field(gt=1, description="it shows 0 … modulus−1; PLCs roll over at 32767, 65535, 9999 …")
    max_rate: Rate = Field(description="nameplate speed, e.g. 20/s; a faster count is held")
    burst: int = Field(default=2, ge=0, description="units that may come at once on top of max_rate × elapsed time")
    jitter: int = Field(default=2, ge=0, description="a reading this many units back may be an old one")
    retentive: bool = Field(default=False, description="the value survives a restart of the PLC")
    epoch: str | None = Field(default=None, description="name of this device's signal with its boot id")
    strict: bool = Field(default=False, description="hold a rollover that is only inferred, instead of flagging it")
    gap: Literal["post", "hold", "split"] = Field(
        default="post",
        description="units counted while nobody was looking. post: booked at once, unless the order changed meanwhile "
        "(where the device reports the order with the count, that counts, else what was started at the line); split: "
        "booked at once only if nothing else was started at the line either; hold: always held. What is held after a "
        "change of order comes with a proposal, divided by time",
    )
    gap_after: Duration = Field(default=30.0, description="time without a good reading that makes a gap")


class SignalSettings(Settings):
    """One point of a device: a counter, or a context value read beside the counters (boot id, order)."""

    counter: CounterSettings | None = None


class DeviceSettings(Settings):
    """One machine. `kind` chooses the driver; every device belongs to a line."""

    device: Name = Field(description="its name, e.g. FILLER-1")
    line: Name = Field(description="one of the lines in gateway.yaml")
    kind: str = Field(description="the protocol")
    freshness: Duration = Field(default=10.0, gt=0, description="silence after which the driver asks the device")
    retry_after: Duration = Field(default=0.5, gt=0, description="first pause after a lost connection; it doubles")
    retry_at_most: Duration = Field(default=10.0, gt=0, description="longest pause between two tries")

    @property
    def session(self) -> str:
        """What only one device may use, as messages name it; empty where there is no such thing."""
        return ""

    @property
    def unsafe(self) -> str:
        """What anybody on the network can read or forge, as a sentence; empty where that is nothing."""
        return ""


class EventSettings(Settings):
    """Where an event message carries what (JSON paths, RFC 9535), and how its loss or repetition shows."""

    id: str | None = Field(default=None, description="the device's own message id: the idempotency key")
    sequence: str | None = Field(default=None, description="the device's running number: makes a loss visible")
    total: str | None = Field(default=None, description="the device's cumulative quantity: says how much a loss was")
    time: str | None = None
    quantity: str | None = Field(default=None, description="default: one a message")
    uom: str | None = None
    order: str | None = None
    sscc: str | None = None
    units: str | None = Field(default=None, description="units inside the handling unit")
    stable: str | None = Field(default=None, description="a weight that isn't stable is no event")
    item: str | None = Field(default=None, description="item of the lot that was staged, scanned in or issued")
    lot: str | None = None
    location: str | None = Field(default=None, description="bin of the lot")
    bom_line: str | None = Field(
        default=None, description="BOM line that a lot is issued to, where several take its item"
    )
    expires_at: str | None = Field(default=None, description="expiry of a staged lot, RFC 3339")
    supplier: str | None = Field(default=None, description="supplier of a staged lot")
    line: str | None = Field(default=None, description="line that a lot is staged to; default: the device's")
    temperature: str | None = Field(default=None, description="°C, for lots whose density changes with it")
    decimals: int | None = Field(
        default=None,
        ge=0,
        le=MOST_DECIMALS,
        description="round the message's quantities to so many, half to even: a device that adds floats sends "
        "190.67000000000002; default: each digit counts, and more than 12 decimals are refused",
    )

    @model_validator(mode="after")
    def _has_an_identity(self) -> "EventSettings":
        if self.id is None and self.sequence is None:
            raise ValueError(
                "an event source needs an id or a sequence from the device, or a repeated message would be "
                "booked twice; add for example id: $.id, or use a cumulative counter instead"
            )
        return self


def signals_of(device: DeviceSettings) -> Mapping[str, SignalSettings]:
    """Return the device's points by name; every driver's model has them under `signals`."""
    signals: Mapping[str, SignalSettings] = getattr(device, "signals", {})
    return signals


def counter_of(signal: object) -> Counter | None:
    """Return how a signal is counted, None where it is no counter."""
    settings: CounterSettings | None = getattr(signal, "counter", None)
    if settings is None:
        return None
    return Counter(
        counts=Counts(settings.counts),
        modulus=settings.modulus,
        max_rate=settings.max_rate,
        burst=settings.burst,
        jitter=settings.jitter,
        retentive=settings.retentive,
        has_epoch=settings.epoch is not None,
        strict=settings.strict,
        gap=GapPolicy(settings.gap),
        gap_after=ceil(settings.gap_after),
    )


def events_of(signal: object) -> EventSettings | None:
    """Return where an event signal's messages carry what, None where it is no event signal."""
    events: EventSettings | None = getattr(signal, "event", None)
    return events

"""One reading, and the scan it came in."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from gateway.domain.clock import Instant


@dataclass(frozen=True, slots=True)
class Message:
    """What the JSON paths found in one MQTT event message; the device's own identity of the event.

    `total` is the device's cumulative quantity including this message; with `sequence` it makes a loss visible.
    `item` to `supplier` are of the lot that was scanned, staged or issued; `line` is whose supermarket it was staged
    to where no order is named. `temperature` in °C. Not `stable`: no event, only a number that the device has used.
    """

    id: str | None = None
    sequence: int | None = None
    total: Decimal | None = None
    quantity: Decimal = Decimal(1)
    uom: str = ""
    order: str | None = None
    sscc: str | None = None
    units: Decimal | None = None
    stable: bool = True
    item: str | None = None
    lot: str | None = None
    location: str = ""
    bom_line: str = ""
    expires_at: datetime | None = None
    supplier: str = ""
    line: str | None = None
    temperature: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading of one signal. `value` is None exactly when `status` is not `Good`.

    Counter and context signals carry int or str, event signals a Message.
    `source_time` is the device's own clock (UTC), None where it has none.
    """

    signal: str
    value: int | str | Message | None
    status: str = "Good"
    source_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that can't be read: kept as a dead letter, with its bytes, then acknowledged."""

    source: str
    payload: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What one request, notification burst or message of a device brought, read at the same moment.

    Context signals (boot id, order) in a scan belong to the counters beside them. `receipt` is opaque:
    the driver that made it gets it back after COMMIT, and only then acknowledges its source.
    `replay` marks a retained message: it shows state, it is not an event.
    """

    device: str
    received: Instant
    samples: tuple[Sample, ...] = ()
    unreadable: Unreadable | None = None
    receipt: object | None = field(default=None, compare=False)
    replay: bool = False

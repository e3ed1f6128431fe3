"""What a sample means, and the trigger a rule makes of it."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class SignalId(NamedTuple):
    """A configured point on a configured machine; written `FILLER-1.good`."""

    device: str
    signal: str

    def __str__(self) -> str:
        return f"{self.device}.{self.signal}"


class EventKind(StrEnum):
    """What happened at the machine."""

    GOOD_UNITS = "good_units"
    SCRAP_UNITS = "scrap_units"
    REWORK_UNITS = "rework_units"
    CASE_SEALED = "case_sealed"
    WEIGHED = "weighed"


class Event(NamedTuple):  # events, triggers and postings are tuples: a frozen dataclass takes thrice the time to make
    """Units that a device made, once: (signal, key) never comes again.

    `quantity` is in `uom` (empty: pieces of what the operation counts). `since` is the begin of a
    catch-up interval after a gap. `order` is what the device itself reported. `flag` names what a
    reader should know of how it was counted (e.g. ROLLOVER_INFERRED).
    """

    signal: SignalId
    key: str
    kind: EventKind
    quantity: Decimal
    uom: str
    source_time: datetime
    received_time: datetime
    since: datetime | None = None
    order: str | None = None
    sscc: str | None = None
    units: Decimal | None = None
    flag: str = ""


class Trigger(NamedTuple):
    """A versioned rule's firing: the event, attributed to an order and an operation."""

    id: int
    event: Event
    rule: str
    rule_version: int
    line: str
    order: str
    operation: str

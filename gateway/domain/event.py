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
    OPERATION_COMPLETED = "operation_completed"  # the operation's good units, told by the machine
    LOT_ISSUED = "lot_issued"  # a lot was scanned and its quantity given
    TRIED = "tried"  # units of a signal whose rules are all on trial: they are in no total
    CORRECTED = "corrected"  # takes back what a hold had counted, when a person settles it; it fires no rule
    # What happens without units: it changes what may be posted, and is no trigger.
    ORDER_STARTED = "order_started"
    ORDER_FINISHED = "order_finished"
    LOT_STAGED = "lot_staged"
    LOT_SCANNED = "lot_scanned"
    LABEL_APPROVED = "label_approved"


NO_UNITS = frozenset(
    {
        EventKind.ORDER_STARTED,
        EventKind.ORDER_FINISHED,
        EventKind.LOT_STAGED,
        EventKind.LOT_SCANNED,
        EventKind.LABEL_APPROVED,
    }
)


SETTLED = "SETTLED"  # flag of what a settlement booked and took back


class LotMention(NamedTuple):
    """The lot that an event names: what was scanned, staged or issued.

    `line` is the one it was staged to where no order is named; empty: that of the device.
    """

    item: str
    lot: str
    location: str = ""
    bom_line: str = ""
    expires_at: datetime | None = None
    supplier: str = ""
    line: str = ""


class Event(NamedTuple):  # events, triggers and postings are tuples: a frozen dataclass takes thrice the time to make
    """Units that a device made, once: (signal, key) never comes again.

    `quantity` is in `uom` (empty: pieces of what the operation counts). `since` is the begin of a
    catch-up interval after a gap. `order` is what the device itself reported. `flag` names what a
    reader should know of how it was counted (e.g. ROLLOVER_INFERRED). `temperature` (°C) is that of what was
    measured. `edited` are the quantities (by BOM line, in the component's unit) that an operator entered instead
    of the standard; `person` is who entered the event, empty for a machine.
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
    temperature: Decimal | None = None
    lot: LotMention | None = None
    edited: tuple[tuple[str, Decimal], ...] = ()
    person: str = ""


class Trigger(NamedTuple):
    """A versioned rule's firing: the event, attributed to an order and an operation."""

    id: int
    event: Event
    rule: str
    rule_version: int
    line: str
    order: str
    operation: str

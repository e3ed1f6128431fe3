"""Production orders."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple


class OrderStatus(StrEnum):
    """Only a released order posts; any other state holds its triggers."""

    CREATED = "created"
    RELEASED = "released"
    HELD = "held"
    CLOSED = "closed"


class OrderKind(StrEnum):
    """What receipts reduce the open quantity of."""

    PRODUCTION = "production"
    PLANNED = "planned"
    RUN_SCHEDULE = "run-schedule"


@dataclass(frozen=True, slots=True)
class Order:
    """An order for `quantity` of `item` on a line, with the BOM version it was released with.

    An empty `bom_version` pins none: the event's time chooses the approved, effective one. The tolerances are
    shares of the quantity (zero is a tolerance; None checks nothing): the upper one holds events, the lower one
    is asked at order close.
    """

    order: str
    item: str
    quantity: Decimal
    uom: str
    line: str
    bom: str
    bom_version: str
    status: OrderStatus = OrderStatus.RELEASED
    active: bool = False  # the order its line works on where the device doesn't say
    finished_lot: str = ""
    receipt_location: str = ""
    over_tolerance: Fraction | None = None
    under_tolerance: Fraction | None = None
    kind: OrderKind = OrderKind.PRODUCTION


class Pin(NamedTuple):
    """From `since` on (event time) the order is made by this BOM version: a signed change in mid-order."""

    since: datetime
    bom_version: str


class OrderState(NamedTuple):
    """What happened to an order since it was released, over what the master data says.

    `overrun` is the order quantity that was signed for instead of the planned one; `signed_late` are triggers
    whose deviation `staged after use` was signed. `asked` are items of its own stock whose replenishment was asked
    for, in their order, until they rise above their reorder points.
    """

    closed_at: datetime | None = None
    label_approved: bool = False
    overrun: Decimal | None = None
    pins: tuple[Pin, ...] = ()
    signed_late: frozenset[int] = frozenset()
    asked: tuple[str, ...] = ()


class Progress(NamedTuple):
    """What an order's operation has made so far, in the operation's unit; reversed units are taken out."""

    good: Decimal = Decimal(0)
    scrap: Decimal = Decimal(0)
    rework: Decimal = Decimal(0)

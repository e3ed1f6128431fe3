"""Production orders."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class OrderStatus(StrEnum):
    """Only a released order posts; any other state holds its triggers."""

    CREATED = "created"
    RELEASED = "released"
    HELD = "held"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Order:
    """An order for `quantity` of `item` on a line, with the BOM version it was released with."""

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


class Progress(NamedTuple):
    """What an order's operation has made so far, in the operation's unit."""

    good: Decimal = Decimal(0)
    scrap: Decimal = Decimal(0)
    rework: Decimal = Decimal(0)

"""What is asked about an order, from its start at a line to its close."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class StartOrder:
    """The line works on this order from `at` (None: now) on."""

    line: str
    order: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClearLine:
    """The line was cleared of the former order's material."""

    line: str
    order: str


@dataclass(frozen=True, slots=True)
class ApproveLabel:
    """The label of an order's packages was approved."""

    order: str


@dataclass(frozen=True, slots=True)
class PinBom:
    """The order is made by another BOM version from `since` (event time) on."""

    order: str
    bom_version: str
    since: datetime


@dataclass(frozen=True, slots=True)
class AllowOverrun:
    """The order may produce up to `quantity` (its unit) in all."""

    order: str
    quantity: Decimal


class Residual(StrEnum):
    """What becomes of an order's rests at its close."""

    RETURN = "return"
    CONSUME = "consume"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class CloseOrder:
    """Close an order: windows, residuals, variances. `deviation`: close outside the tolerance, signed."""

    order: str
    residuals: Residual
    reason: str
    deviation: bool = False
    seen: str = ""

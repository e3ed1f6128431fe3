"""What an operator enters: a lot that was issued, units that were made."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class IssueLot:
    """A lot was scanned and its quantity given (method scan), once by `issue`."""

    issue: str
    order: str
    operation: str
    item: str
    lot: str
    quantity: Decimal
    uom: str
    bom_line: str = ""
    location: str = ""
    temperature: Decimal | None = None


@dataclass(frozen=True, slots=True)
class EditedLine:
    """What an operator says a BOM line consumed, in the component's unit, instead of the standard."""

    bom_line: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class EnterOutput:
    """An operator's entry of good, scrap and rework units, once by `entry`."""

    entry: str
    order: str
    operation: str
    good: Decimal = Decimal(0)
    scrap: Decimal = Decimal(0)
    rework: Decimal = Decimal(0)
    lines: tuple[EditedLine, ...] = ()
    at: datetime | None = None  # when it was made; None: now

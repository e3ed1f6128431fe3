"""What is asked about lots at the line: staged, scanned in, blocked, returned, counted."""

from dataclasses import dataclass
from decimal import Decimal

from gateway.domain.lot import LotKey, LotStatus, Staging


@dataclass(frozen=True, slots=True)
class Stage:
    """Apply a transfer to the line, once by its id."""

    staging: Staging


@dataclass(frozen=True, slots=True)
class ScanIn:
    """A lot was scanned in at the line: from now on it is eligible there."""

    line: str
    item: str
    lot: str


@dataclass(frozen=True, slots=True)
class SetLotStatus:
    """Change a lot's status, everywhere it is staged. Out of quarantine needs a signature."""

    item: str
    lot: str
    status: LotStatus
    reason: str


@dataclass(frozen=True, slots=True)
class ReturnLot:
    """Take staged stock back to the warehouse, once by `transfer`. Exposed stock goes back in quarantine."""

    transfer: str
    key: LotKey
    quantity: Decimal
    uom: str
    reason: str
    exposed: bool = False


@dataclass(frozen=True, slots=True)
class CountLot:
    """A cycle count, once by `count`: what a person found of a balance; the difference is posted."""

    count: str
    key: LotKey
    found: Decimal
    uom: str
    reason: str

"""Lots at the line: staged to an order, or to the line's supermarket."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from gateway.domain.quantity import EXACT, ZERO


class LotStatus(StrEnum):
    """Only unrestricted stock is consumed."""

    UNRESTRICTED = "unrestricted"
    QUARANTINE = "quarantine"
    BLOCKED = "blocked"


class Owner(NamedTuple):
    """Whom staged stock serves: `("order", "100045")` alone, or everyone on `("line", "L1")`."""

    kind: str
    name: str


class LotKey(NamedTuple):
    """A lot of an item in a bin, reserved for one owner. Two orders never share a balance."""

    owner: Owner
    item: str
    lot: str
    location: str


@dataclass(frozen=True, slots=True)
class Staging:
    """One transfer to the line, applied once by its `staging` id; quantity in `uom`."""

    staging: str
    key: LotKey
    quantity: Decimal
    uom: str
    received_at: datetime
    expires_at: datetime | None = None
    status: LotStatus = LotStatus.UNRESTRICTED


_new = tuple.__new__  # what a NamedTuple's own constructor comes to, without its call


class LotBalance(NamedTuple):  # a tuple: made for each line of each posting
    """What was staged of a lot and what became of it, in the item's stock unit."""

    key: LotKey
    uom: str
    received_at: datetime
    expires_at: datetime | None
    status: LotStatus
    staged: Decimal = ZERO
    consumed: Decimal = ZERO
    returned: Decimal = ZERO

    @property
    def left(self) -> Decimal:
        """What is still there: staged − consumed − returned, never negative."""
        return self.staged - self.consumed - self.returned

    def consume(self, quantity: Decimal) -> "LotBalance":
        """Return this balance with `quantity` more consumed."""
        key, uom, received_at, expires_at, status, staged, consumed, returned = self
        return _new(LotBalance, (key, uom, received_at, expires_at, status, staged, consumed + quantity, returned))

    def stage(self, quantity: Decimal) -> "LotBalance":
        """Return this balance with `quantity` more staged."""
        return self._replace(staged=EXACT.add(self.staged, quantity))

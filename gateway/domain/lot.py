"""Lots at the line: staged to an order, or to the line's supermarket."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from gateway.domain.quantity import EXACT, ZERO, text


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


class LotFacts(NamedTuple):
    """What a lot carries beside its quantity.

    `density` is stock units to one unit of the component at `reference_temperature`; `temperature_coefficient` is
    its relative change a degree: density × (1 − coefficient × (t − reference)). `potency` (active ÷ physical)
    applies to scanned and measured issues only. `staged_at` is when it came to the line, `scanned_at` when it was
    scanned in there.
    """

    supplier: str = ""
    priority: int = 0  # for Strategy.RESERVATION, 1 first, 0 (none) last
    density: Decimal | None = None
    temperature_coefficient: Decimal | None = None
    reference_temperature: Decimal | None = None
    potency: Decimal | None = None
    staged_at: datetime | None = None
    scanned_at: datetime | None = None


_NO_FACTS = LotFacts()
_COLDEST = -273  # °C
_MOST_POTENT = 10


def impossible(facts: LotFacts) -> str:
    """Return what no lot can be like, in one sentence; nothing where the facts can be true."""
    _, _, density, coefficient, reference, potency, _, _ = facts
    if density is not None and density <= 0:
        return f"density {text(density)} is not above zero"
    if potency is not None and not 0 < potency <= _MOST_POTENT:
        return f"potency {text(potency)} is not above zero and at most {_MOST_POTENT}"
    if reference is not None and reference < _COLDEST:
        return f"reference_temperature {text(reference)} is below {_COLDEST} °C"
    if coefficient is not None and not -1 < coefficient < 1:
        return f"temperature_coefficient {text(coefficient)} is not between -1 and 1"
    if coefficient is not None and (density is None or reference is None):
        return "a temperature_coefficient needs a density and its reference_temperature"
    return ""


@dataclass(frozen=True, slots=True)
class Staging:
    """One transfer to the line, applied once by its `staging` id; quantity in `uom`.

    `scanned`: a person scanned the lot at the line with this transfer, so it needs no scan of its own.
    """

    staging: str
    key: LotKey
    quantity: Decimal
    uom: str
    received_at: datetime
    expires_at: datetime | None = None
    status: LotStatus = LotStatus.UNRESTRICTED
    facts: LotFacts = _NO_FACTS
    scanned: bool = False


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
    facts: LotFacts = _NO_FACTS

    @property
    def left(self) -> Decimal:
        """What is still there: staged − consumed − returned, never negative."""
        return self.staged - self.consumed - self.returned

    def consume(self, quantity: Decimal) -> "LotBalance":
        """Return this balance with `quantity` more consumed."""
        key, uom, received_at, expires_at, status, staged, consumed, returned, facts = self
        changed = (key, uom, received_at, expires_at, status, staged, consumed + quantity, returned, facts)
        return _new(LotBalance, changed)

    def stage(self, quantity: Decimal) -> "LotBalance":
        """Return this balance with `quantity` more staged."""
        return self._replace(staged=EXACT.add(self.staged, quantity))

    def give_back(self, quantity: Decimal) -> "LotBalance":
        """Return this balance with `quantity` more returned to the warehouse."""
        return self._replace(returned=EXACT.add(self.returned, quantity))

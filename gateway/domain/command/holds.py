"""What a person says of units that were held, and of where counters began."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class SettledPart:
    """Units of a settled hold: `order` they were made for (empty: the one that ran then), `at` when (None: as held)."""

    quantity: Decimal
    order: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SettleHold:
    """A person says how many units a held segment or gap really was, and for which orders; no parts: none were made.

    `seen`: the hash of what is signed for as it was shown; see AcceptDeviation. A gap may grow meanwhile: there it has
    to be said.
    """

    exception: int
    reason: str
    parts: tuple[SettledPart, ...] = ()
    seen: str = ""


@dataclass(frozen=True, slots=True)
class SettledHold:
    """One of many that are settled together: see SettleHold; here it always has to be said what was `seen` of it."""

    exception: int
    seen: str
    parts: tuple[SettledPart, ...] = ()


@dataclass(frozen=True, slots=True)
class SettleHolds:
    """A person says of many held entries what each really was, signed once: over these entries and their units.

    What can't be settled so stays open, with the reason in the answer; it holds up none of the others.
    """

    holds: tuple[SettledHold, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class SignBaseline:
    """A person confirms where a counter began (its value at commissioning)."""

    device: str
    signal: str
    value: int

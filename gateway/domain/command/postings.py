"""What is asked about a posting: open still, posted, or refused by a sink."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class CloseWindow:
    """Close an open document now."""

    document: int


@dataclass(frozen=True, slots=True)
class Reverse:
    """Mirror a posting: whole, or its newest `units` (in the operation's unit)."""

    seq: int
    reason: str
    units: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RedrivePosting:
    """Offer a posting once more to the sink that refused it."""

    sink: str
    seq: int


@dataclass(frozen=True, slots=True)
class SettlePosting:
    """A posting that a sink refused was settled by hand at the other end: nothing waits for it any more."""

    sink: str
    seq: int
    reason: str

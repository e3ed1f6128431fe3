"""Which lots a requirement is taken from: only staged ones, first expiry first out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

from gateway.domain.clock import rfc3339
from gateway.domain.lot import LotBalance, LotKey, LotStatus, Owner
from gateway.domain.quantity import ZERO, text

Picks = list[tuple[LotBalance, Decimal]]

_UNRESTRICTED = LotStatus.UNRESTRICTED
_NEVER = datetime.max.replace(tzinfo=UTC)


class Stock(Protocol):
    """The staged lots, as the working copy of a batch sees them."""

    def lots(self, owners: Sequence[Owner], item: str) -> Iterable[LotBalance]:
        """Return the owners' lots of the item that have anything left, in the order of `first_expiry`."""
        ...


def first_expiry(lot: LotBalance) -> tuple[datetime, datetime, Decimal, str, LotKey]:
    """Return the sort key of FEFO: expiry (none last), then receipt, then the smaller rest, then the lot's id.

    No two are equal. Taking from the first lot keeps a list in this order, because only its own rest becomes smaller.
    """
    return lot.expires_at or _NEVER, lot.received_at, lot.left, lot.key.lot, lot.key


def allocate(  # the parts of one question, named at the call
    stock: Stock,
    owners: Sequence[Owner],
    item: str,
    need: Decimal,
    *,
    at: datetime,
    taken: Mapping[LotKey, LotBalance],
) -> tuple[Picks, Decimal, list[str]]:
    """Find `need` (stock unit, above zero) in the owners' lots eligible at the event's time `at`.

    Returns the picks in order, what is missing, and every refused lot with its reason.
    `taken` holds balances already changed by the same trigger: two lines of one item never share a unit.
    """
    picks: Picks = []
    refused: list[str] = []
    for lot in stock.lots(owners, item):
        current = taken.get(lot.key, lot)
        _, _, _, expires_at, status, staged, consumed, returned = current
        left = staged - consumed - returned
        if status is not _UNRESTRICTED or (expires_at and expires_at <= at):
            refused.append(why_not(current, at))
        elif left >= need:
            picks.append((current, need))
            return picks, ZERO, refused
        elif left:
            picks.append((current, left))
            need -= left
    return picks, need, refused


def why_not(lot: LotBalance, at: datetime) -> str:
    """Return why a lot that may not be used at that time may not."""
    left = f"{text(lot.left)} {lot.uom}"
    if lot.status is not _UNRESTRICTED:
        return f"lot {lot.key.lot} is in {lot.status.value} ({left})"
    return f"lot {lot.key.lot} expired {rfc3339(lot.expires_at or at)} ({left})"

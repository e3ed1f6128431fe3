"""Which lots a requirement is taken from: only staged ones, first expiry first out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

from gateway.domain.clock import rfc3339
from gateway.domain.lot import LotBalance, LotKey, LotStatus, Owner
from gateway.domain.quantity import ZERO, text

_NEVER = datetime.max.replace(tzinfo=UTC)


class Stock(Protocol):
    """The staged lots, as the working copy of a batch sees them."""

    def lots(self, owners: Sequence[Owner], item: str) -> Iterable[LotBalance]:
        """Return the owners' lots of the item that have anything left, in the order of `first_expiry`."""
        ...


@dataclass(frozen=True, slots=True)
class Allocation:
    """What was found for a need: picks in order, what is missing, and every refused lot with its reason."""

    picks: tuple[tuple[LotBalance, Decimal], ...]
    missing: Decimal
    refused: tuple[str, ...]


def first_expiry(lot: LotBalance) -> tuple[datetime, datetime, Decimal, str]:
    """Return the sort key of FEFO: expiry (none last), then receipt, then the smaller rest, then the lot's id.

    Taking from the first lot keeps a list in this order, because only its own rest becomes smaller.
    """
    return lot.expires_at or _NEVER, lot.received_at, lot.left, lot.key.lot


def allocate(  # the parts of one question, named at the call
    stock: Stock,
    owners: Sequence[Owner],
    item: str,
    need: Decimal,
    *,
    at: datetime,
    taken: Mapping[LotKey, LotBalance],
) -> Allocation:
    """Take `need` (stock unit) from the owners' lots eligible at the event's time `at`.

    `taken` holds balances already changed by the same trigger: two lines of one item never share a unit.
    """
    picks: list[tuple[LotBalance, Decimal]] = []
    refused: list[str] = []
    for lot in stock.lots(owners, item):
        if need <= ZERO:
            break
        current = taken.get(lot.key, lot)
        if reason := why_not(current, at):
            refused.append(reason)
        elif current.left > ZERO:
            quantity = min(need, current.left)
            picks.append((current, quantity))
            need -= quantity
    return Allocation(tuple(picks), need, tuple(refused))


def why_not(lot: LotBalance, at: datetime) -> str:
    """Return why the lot may not be used at that time; empty when it may."""
    if lot.status is not LotStatus.UNRESTRICTED:
        return f"lot {lot.key.lot} is in {lot.status.value} ({text(lot.left)} {lot.uom})"
    if lot.expires_at is not None and lot.expires_at <= at:
        return f"lot {lot.key.lot} expired {rfc3339(lot.expires_at)} ({text(lot.left)} {lot.uom})"
    return ""

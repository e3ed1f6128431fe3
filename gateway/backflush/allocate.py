"""Which lots a requirement is taken from: only staged ones, in an order that is total."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from gateway.backflush.conversion import stock_factor
from gateway.backflush.draft import Draft
from gateway.backflush.eligibility import named, refusal
from gateway.backflush.explode import PlannedComponent
from gateway.domain.bom import Strategy
from gateway.domain.document import Considered
from gateway.domain.event import LotMention
from gateway.domain.lot import LotBalance, LotKey
from gateway.domain.material import Item
from gateway.domain.quantity import ZERO, nearest

_NEVER = datetime.max.replace(tzinfo=UTC)
_LAST = 10**9  # a lot without a priority
_TOLD = 10  # refused lots in a sentence that a person reads, and that is written down each time it changes
NOT_NEEDED = "not needed"
FIRST_EXPIRY = "taken: first expiry"


class Need(NamedTuple):
    """What is looked for: in the component's unit, or in the stock's where that is what was weighed.

    `lot`: nothing but this one, which was scanned.
    """

    quantity: Decimal
    uom: str
    lot: LotMention | None = None


class Taken(NamedTuple):
    """What a lot gives: `quantity` in its stock unit, `amount` in the need's; the balance is as it was before."""

    lot: LotBalance
    quantity: Decimal
    amount: Decimal


class Allocation(NamedTuple):
    """The picks in order, what is missing (the need's unit), every lot considered and why.

    `refused` names the lots that may not serve, each with its reason: the first ten, and how many more there are.
    """

    picks: list[Taken]
    missing: Decimal
    considered: list[Considered]
    refused: list[str]


def first_expiry(lot: LotBalance) -> tuple[datetime, datetime, Decimal, str, LotKey]:
    """Return the sort key of FEFO: expiry (none last), then receipt, then the smaller rest, then the lot's id.

    No two are equal. Taking from the first lot keeps a list in this order, because only its own rest becomes smaller.
    """
    return lot.expires_at or _NEVER, lot.received_at, lot.left, lot.key.lot, lot.key


# Sort key and reason of each strategy; ties end with first expiry, and so at the lot's id.
_ORDERS: Mapping[Strategy, tuple[Callable[[LotBalance], Any], str]] = {
    Strategy.FEFO: (first_expiry, FIRST_EXPIRY),
    Strategy.FIFO: (lambda lot: (lot.received_at, first_expiry(lot)), "taken: first receipt"),
    Strategy.LIFO: (lambda lot: (_NEVER - lot.received_at, first_expiry(lot)), "taken: last receipt"),
    Strategy.RESERVATION: (lambda lot: (lot.facts.priority or _LAST, first_expiry(lot)), "taken: reservation priority"),
}


def allocate(draft: Draft, planned: PlannedComponent, need: Need) -> Allocation:
    """Find `need` (above zero) in the lots staged for the component and its alternates, as its BOM line says."""
    component, missing = planned.component, need.quantity
    result, refused = Allocation([], missing, [], []), []
    for item, lot in _candidates(draft, planned, need.lot):
        if not missing:
            result.considered.append(Considered(lot.key, lot.left, ZERO, NOT_NEEDED))
            break
        if why := refusal(lot, item, component, draft.at, lot_scan=draft.lot_scan):
            result.considered.append(Considered(lot.key, lot.left, ZERO, why))
            refused.append((lot, why))
            continue
        factor = stock_factor(draft.master.units, lot, need.uom, component.uom, draft.event.temperature)
        taken = _taken(lot, missing, factor)
        missing -= taken.amount
        result.picks.append(taken)
        result.considered.append(Considered(lot.key, lot.left, taken.quantity, _reason(planned, item, need)))
    return result._replace(missing=missing, refused=_told(refused))


def _told(refused: Sequence[tuple[LotBalance, str]]) -> list[str]:
    told = [named(lot, why) for lot, why in refused[:_TOLD]]
    return [*told, f"and {len(refused) - _TOLD:,} more"] if len(refused) > _TOLD else told


def _candidates(
    draft: Draft, planned: PlannedComponent, mention: LotMention | None
) -> Iterator[tuple[Item, LotBalance]]:
    """Yield the lots with something left, item after item, each as the trigger has left it so far."""
    order, _ = _ORDERS[planned.component.allocation]
    for item in planned.supplies:
        lots = draft.state.lots(draft.owners, item.item)
        for lot in lots if order is first_expiry else sorted(lots, key=order):  # they come in that order already
            current = draft.changes.lots.get(lot.key, lot)
            if current.left and (mention is None or _is(mention, current.key)):
                yield item, current


def _is(mention: LotMention, key: LotKey) -> bool:
    same = (mention.item, mention.lot) == (key.item, key.lot)
    return same and mention.location in ("", key.location)


def _taken(lot: LotBalance, need: Decimal, factor: Fraction) -> Taken:
    wanted = nearest(Fraction(need) * factor)
    if wanted <= lot.left:
        return Taken(lot, wanted, need)
    return Taken(lot, lot.left, min(need, nearest(Fraction(lot.left) / factor)))


def _reason(planned: PlannedComponent, item: Item, need: Need) -> str:
    if need.lot:
        return "taken: scanned"
    _, why = _ORDERS[planned.component.allocation]
    return why if item is planned.supplies[0] else f"{why}, as an alternate"

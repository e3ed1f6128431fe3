"""Which staged lots may serve an event, and why another one may not."""

from datetime import datetime, timedelta

from gateway.domain.bom import Component
from gateway.domain.clock import rfc3339
from gateway.domain.lot import LotBalance, LotStatus
from gateway.domain.material import Item
from gateway.domain.quantity import text

_HOUR = timedelta(hours=1)
NOT_SCANNED = "is not scanned in"
_UNRESTRICTED = LotStatus.UNRESTRICTED


def restricted(lot: LotBalance, at: datetime) -> str:
    """Return why no component at all may take the lot at that time, empty where it may."""
    if lot.status is not _UNRESTRICTED:
        return f"is in {lot.status.value}"
    if lot.expires_at and lot.expires_at <= at:
        return f"expired {rfc3339(lot.expires_at)}"
    return ""


def refusal(lot: LotBalance, item: Item, component: Component, at: datetime, *, lot_scan: bool) -> str:
    """Return why the component may not take the lot for an event at that time, empty where it may.

    `lot_scan`: on this line a lot has to be scanned in first.
    """
    if why := restricted(lot, at):
        return why
    life = item.min_remaining_life
    if life and lot.expires_at and lot.expires_at < at + life:
        return f"expires {rfc3339(lot.expires_at)}, less than {life // _HOUR} h after the event"
    if component.location and component.location != lot.key.location:
        return f"is in bin {lot.key.location}, not in {component.location}"
    if item.order_bound and lot.key.owner.kind != "order":
        return f"is not staged to the order, to which {item.item} is bound"
    if lot_scan and lot.facts.scanned_at is None:
        return NOT_SCANNED
    return ""


def named(lot: LotBalance, why: str) -> str:
    """Return a refused lot with its reason, as the work list's sentence has it."""
    return f"lot {lot.key.lot} {why} ({text(lot.left)} {lot.uom})"


def late(lot: LotBalance, at: datetime) -> str:
    """Return how the lot came after the event at `at` that it serves, empty where it was there."""
    facts = lot.facts
    for verb, moment in (("staged", facts.staged_at), ("scanned in", facts.scanned_at)):
        if moment and moment > at:
            return f"lot {lot.key.lot} of {lot.key.item} was {verb} {rfc3339(moment)}, after its use {rfc3339(at)}"
    return ""

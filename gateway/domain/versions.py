"""Which version of a bill of material holds at a moment: pinned, or the newest that is effective."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from gateway.domain.bom import BillOfMaterial
from gateway.domain.masterdata import MasterData
from gateway.domain.order import Order, OrderState

_ALWAYS = datetime.min.replace(tzinfo=UTC)


@lru_cache(maxsize=16)
def _turns(master: MasterData) -> tuple[datetime, ...]:
    dates = ((one.effective_from, one.effective_to) for one in master.boms.values())
    return tuple(sorted({date for pair in dates for date in pair if date}))


def since(master: MasterData, at: datetime) -> datetime:
    """Return the last moment up to `at` at which some BOM began or ceased to be effective.

    From then until `at` the same versions are effective, so it stands for `at` in the key of a cache.
    """
    turns = _turns(master)
    passed = bisect_right(turns, at)
    return turns[passed - 1] if passed else _ALWAYS


def bom_version(master: MasterData, order: Order, past: OrderState, at: datetime) -> str | None:
    """Return the version by which the order is made at the event's time: pinned, the order's own, or effective.

    None where nothing is pinned and no approved version is effective.
    """
    pinned = [one for one in past.pins if one.since <= at] if past.pins else []
    if pinned:
        return max(pinned, key=lambda one: one.since).bom_version
    if order.bom_version:
        return order.bom_version
    bom = bom_named(master, order.bom, at)
    return bom.version if bom else None


def bom_named(master: MasterData, bom: str, at: datetime | None) -> BillOfMaterial | None:
    """Return the approved version of `bom` that is effective at `at`, None where there is none."""
    return _newest((one for one in master.boms.values() if one.bom == bom), at)


def bom_of(master: MasterData, item: str, at: datetime | None) -> BillOfMaterial | None:
    """Return the approved BOM that makes `item` and is effective at `at` (None: at any time), None without one."""
    return _newest((one for one in master.boms.values() if one.item == item), at)


def _newest(boms: Iterable[BillOfMaterial], at: datetime | None) -> BillOfMaterial | None:
    posting = [one for one in boms if one.approved and not one.shadow and (at is None or one.effective(at))]
    return max(posting, key=_age, default=None)


def _age(bom: BillOfMaterial) -> tuple[datetime, tuple[int, ...], str]:
    numbers = tuple(map(int, re.findall(r"\d+", bom.version)))  # version 10 comes after version 9
    return bom.effective_from or _ALWAYS, numbers, bom.version

"""A production line: its run rules, its shifts, and why quantities are reversed or returned there."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Line:
    """What holds on a line. Shifts begin at local times of `timezone` (IANA); stored times are UTC."""

    line: str
    timezone: str = "UTC"
    shifts: tuple[time, ...] = ()
    lot_scan: bool = False  # a lot is eligible only after it was scanned in at the line
    line_clearance: bool = False  # after a change of order its triggers wait until a person cleared the line


@dataclass(frozen=True, slots=True)
class Cumulation:
    """When a window closes: the first of these that comes. A change of order or master data always closes it."""

    window: timedelta | None = None  # after its first trigger began
    units: Decimal | None = None  # counted in it; the trigger that reaches it belongs to it
    lot_change: bool = False  # when another lot would be issued
    shift: bool = False  # at the line's shift boundaries


class LineOrder(NamedTuple):
    """From `since` on (event time) the line works on `order`."""

    since: datetime
    order: str


class LineState(NamedTuple):
    """What happened at a line: orders started, newest last; an empty name: the line had none from then on.

    `cleared` are the changes for which the line was cleared, newest last; `configured` is the active order of the
    configuration that was last put in force: only another one there is a change. `asked` are items of the supermarket
    whose replenishment was asked for, in their order, until they rise above their reorder points.
    """

    orders: tuple[LineOrder, ...] = ()
    cleared: tuple[LineOrder, ...] = ()
    configured: str = ""
    asked: tuple[str, ...] = ()

    def order_at(self, moment: datetime) -> str | None:
        """Return the order that was started last at that time, None before the first."""
        return _latest(self.orders, moment)

    def cleared_at(self, moment: datetime) -> str | None:
        """Return the order for which the line was cleared last at that time, None before the first."""
        return _latest(self.cleared, moment)


def _latest(history: tuple[LineOrder, ...], moment: datetime) -> str | None:
    return next((one.order for one in reversed(history) if one.since <= moment), None)

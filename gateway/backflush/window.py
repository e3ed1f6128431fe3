"""When a window closes: reckoned with the events' own times, and by the clock where no event comes."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.domain.event import Event
from gateway.domain.line import Cumulation, Line

TIME, SHIFT = "time", "shift"
_NEIGHBOURS = (-1, 0, 1)  # days: at any moment the last and the next shift boundary lie within them


class End(NamedTuple):
    """When a window is over, and by what."""

    at: datetime
    why: str


def begin(event: Event) -> datetime:
    """Return when the event's units began to be made: a trigger belongs wholly to the window of that moment."""
    return event.since or event.source_time


def end(start: datetime, cumulation: Cumulation, line: Line | None) -> End | None:
    """Return when a window that starts then ends at the latest, None where only something else ends it."""
    ends = []
    if cumulation.window is not None:
        ends.append(End(start + cumulation.window, TIME))
    if cumulation.shift and line is not None and (boundary := next_shift(start, line)):
        ends.append(End(boundary, SHIFT))
    return min(ends, default=None)


def is_earlier(start: datetime, opened: datetime, cumulation: Cumulation, line: Line | None) -> bool:
    """Tell whether units that began at `start` belong to a window before the one that began at `opened`.

    A window of some length begins with its first trigger and isn't widened backwards: it would get longer than it
    may be. One that only the shift ends takes what is late of its own shift; one without a time takes everything.
    """
    if start >= opened:
        return False
    if cumulation.window is not None:
        return True
    boundary = next_shift(start, line) if cumulation.shift and line is not None else None
    return boundary is not None and boundary <= opened


def next_shift(moment: datetime, line: Line) -> datetime | None:
    """Return the first shift boundary after `moment` (UTC), None where the line has no shifts."""
    zone = _zone(line.timezone)
    today = moment.astimezone(zone).date()
    boundaries = (
        datetime.combine(today + timedelta(days), start, zone).astimezone(UTC)
        for days in _NEIGHBOURS
        for start in line.shifts
    )
    return min((one for one in boundaries if one > moment), default=None)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)

"""Points in time as the gateway knows them."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment by three clocks.

    `wall` is UTC and may jump; `boottime` (ns, CLOCK_BOOTTIME) never does, but only compares within one `boot`.
    """

    wall: datetime
    boottime: int
    boot: str


@dataclass(frozen=True, slots=True)
class ClockTrust:
    """Why the wall clock may be believed (`kernel`, `chrony`, `assume`, `none`), and its estimated error."""

    trust: str
    error_ms: int


@lru_cache(maxsize=1024)  # the postings of a batch share one moment, the samples of a scan another
def rfc3339(moment: datetime) -> str:
    """Return a UTC moment with milliseconds, as every message writes it: 2026-11-21T10:00:00.870Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

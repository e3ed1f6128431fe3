"""Points in time as the gateway knows them, and when the wall clock may be believed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

_MILLISECOND = 1_000_000  # ns
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment by three clocks.

    `wall` is UTC and may jump; `boottime` (ns, CLOCK_BOOTTIME) never does, but only compares within one `boot`.
    `late` (ns): the process stood still before it, so what was received now may have waited that long.
    """

    wall: datetime
    boottime: int
    boot: str
    late: int = 0


@dataclass(frozen=True, slots=True)
class ClockTrust:
    """Why the wall clock may be believed (`kernel`, `chrony`, `person`, `assume`), and its estimated error.

    `none`: it may not, and `reason` is the sentence that says why. `error_ms` is None where nothing is known.
    """

    trust: str
    error_ms: int | None
    reason: str = ""


UNTRUSTED = "none"
PERSON = "person"
ASSUMED = "assume"


@dataclass(frozen=True, slots=True)
class ClockLimits:
    """Up to which estimated error the clock is trusted, and how fast it drifts (parts per million) left alone."""

    max_error_ms: int
    drift_ppm: int


@dataclass(frozen=True, slots=True)
class Synchronised:
    """The last moment at which the wall clock was known to be right within `error_ms`, and `by` whom.

    `evidence` is another one at each update of the source.
    """

    by: str
    at: Instant
    error_ms: int
    evidence: str = ""


def clock_trust(last: Synchronised | None, now: Instant, limits: ClockLimits) -> ClockTrust:
    """Return whether the clock may be believed: its last known error, plus drift, plus what it was set by since.

    A source that is away holds nothing by itself: after a day offline a clock is still good for its seconds. A
    person's word holds until the next boot, or until somebody sets the clock.
    """
    if last is None or last.at.boot != now.boot:
        return ClockTrust(UNTRUSTED, None, "the clock was not synchronised since the last boot")
    step = abs(stepped(last, now))
    error = last.error_ms + (now.boottime - last.at.boottime) * limits.drift_ppm // (_MILLISECOND * _MILLION)
    if step > limits.max_error_ms:
        reason = f"the clock was set by {step / 1000:g} s and not synchronised since"
        return ClockTrust(UNTRUSTED, error + step, reason)
    if error + step > limits.max_error_ms and last.by != PERSON:
        reason = f"the clock may be wrong by {(error + step) / 1000:g} s, more than {limits.max_error_ms / 1000:g} s"
        return ClockTrust(UNTRUSTED, error + step, reason)
    return ClockTrust(last.by, error + step)


def stepped(last: Synchronised, now: Instant) -> int:
    """Return by how many ms somebody set the wall clock since; slewing moves CLOCK_BOOTTIME along with it."""
    by_wall = (now.wall - last.at.wall) // timedelta(milliseconds=1)
    return by_wall - (now.boottime - last.at.boottime) // _MILLISECOND


def in_milliseconds(moment: datetime) -> datetime:
    """Return the moment as it is stored: what is decided by it live has to be decided the same in a replay."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def to_the_second(moment: datetime) -> str:
    """Return a time (UTC) as sentences have it, e.g. `2026-11-21 10:00:00Z`."""
    return f"{moment:%Y-%m-%d %H:%M:%SZ}"


@lru_cache(maxsize=1024)  # the postings of a batch share one moment, the samples of a scan another
def rfc3339(moment: datetime) -> str:
    """Return a UTC moment with milliseconds, as every message writes it: 2026-11-21T10:00:00.870Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""When the disk is trouble that people have to be told of. Pure: sizes and seconds in, sentences out.

Each rule has a level: at 1 its alarm is raised, below `calm` it is cleared, so that it doesn't flap between.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from gateway.store.space import in_words

WAL, BUDGET, LOW, SLOW = "wal", "disk-budget", "disk-low", "slow-disk"
_MUCH = 10  # times beyond its limit: another word for it
_BUDGETED = 0.8  # share of the budget at which it is told: the rest is the time to do something about it
_GIB = 1 << 30
_TENTH = 10
_MANY = 3  # slow looks in excess of fine ones: one slow commit is no slow disk
_MOST = 6
_DAY = 86400.0
_HOUR = 3600.0


class Reading(NamedTuple):
    """The disk at a moment, in bytes; `commit` is the longest one since the reading before, in seconds."""

    used: int  # by what the store holds, and its log
    wal: int
    free: int  # of the file system, and what is empty in the store's file
    total: int
    commit: float = 0.0
    slow: int = 0  # how many more of the last readings were slow than fine


class Limits(NamedTuple):
    """What gateway.yaml allows, in bytes and seconds."""

    budget: int | None
    wal: int
    commit: float


class Growth(NamedTuple):
    """How fast the store grows, and who keeps retention from making room."""

    a_day: float | None  # bytes; None: not known yet
    waits: str  # a sentence


class _Rule(NamedTuple):
    code: str
    calm: float
    level: Callable[[Reading, Limits], float]
    says: Callable[[Reading, Limits, Growth], str]


def troubles(now: Reading, limits: Limits, growth: Growth, told: AbstractSet[str]) -> dict[str, str]:
    """Return what is wrong, as code → sentence; `told` are the codes whose alarm is open."""
    levels = {rule: rule.level(now, limits) for rule in _RULES}
    return {
        rule.code: rule.says(now, limits, growth)
        for rule, level in levels.items()
        if level >= (rule.calm if rule.code in told else 1.0)
    }


def slowness(before: int, commit: float, limit: float) -> int:
    """Return `Reading.slow` after a reading with that longest commit."""
    return min(before + 1, _MOST) if commit > limit else max(before - 1, 0)


def seconds(time: float) -> str:
    """Return a duration as people read it: 2.5 s, 0.0012 s."""
    return f"{time:.1f} s" if time >= 1 else f"{time:.2g} s"


def growth_a_day(readings: tuple[tuple[float, int], ...]) -> float | None:
    """Return the bytes a day between the first and the last (second, bytes used); None for less than an hour."""
    if not readings or readings[-1][0] - readings[0][0] < _HOUR:
        return None
    (begun, before), (ended, after) = readings[0], readings[-1]
    return (after - before) / (ended - begun) * _DAY


def _reserve(now: Reading) -> int:
    """Return what shall stay free where nobody set a budget: a gigabyte, on a small disk a tenth of it."""
    return min(_GIB, now.total // _TENTH)


def _of_budget(now: Reading, limits: Limits) -> float:
    return now.used / (limits.budget * _BUDGETED) if limits.budget else 0.0


def _of_disk(now: Reading, limits: Limits) -> float:
    return 0.0 if limits.budget else _reserve(now) / max(now.free, 1)


def _wal_says(now: Reading, limits: Limits, _: Growth) -> str:
    limit = f"{'limit' if now.wal < _MUCH * limits.wal else 'many times its limit of'} {in_words(limits.wal)}"
    return (
        f"the store's write-ahead log has grown to {in_words(now.wal)} ({limit}): something reads "
        "the store for long and keeps it from being written back; end that (a verification, a backup, a program that "
        "has the file open), and it becomes short by itself"
    )


def _budget_says(now: Reading, limits: Limits, growth: Growth) -> str:
    budget = limits.budget or 0
    share = f"{in_words(now.used)}{' of' if now.used < budget else ', more than'} its budget of {in_words(budget)}"
    return f"the store takes {share}, {_until(budget - now.used, growth.a_day)}; {growth.waits}"


def _low_says(now: Reading, _: Limits, growth: Growth) -> str:
    left = f"{in_words(now.free)} of {in_words(now.total)}"
    disk = "the disk" if now.free * _MUCH > _reserve(now) else "the disk is all but full: it"
    return (
        f"{disk} has only {left} left for the store of {in_words(now.used)}, {_until(now.free, growth.a_day)}; "
        f"free some, or: {growth.waits}"
    )


def _until(left: int, a_day: float | None) -> str:
    if a_day is None:
        return "how fast it grows is known after an hour"
    if a_day <= 0:
        return "and doesn't grow"
    full = f" and is full in {left / a_day:.0f} days" if left > 0 else ""
    return f"grows by {in_words(a_day)} a day{full}"


def _slow_says(now: Reading, limits: Limits, _: Growth) -> str:
    return (
        f"the disk is slow: commits take up to {seconds(now.commit)} (limit {limits.commit:g} s); nothing is lost, but "
        "it comes late. Look for what else writes to it, and for errors in the kernel's log"
    )


_RULES = (
    _Rule(WAL, 0.5, lambda now, limits: now.wal / limits.wal, _wal_says),
    _Rule(BUDGET, 0.95, _of_budget, _budget_says),
    _Rule(LOW, 0.8, _of_disk, _low_says),
    _Rule(SLOW, 1 / _MANY, lambda now, _: now.slow / _MANY, _slow_says),
)
CODES = frozenset(rule.code for rule in _RULES)

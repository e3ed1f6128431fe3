"""What really happened, beside what the store's checkpoints say: where they differ, something must have caused it.

After each commit the counters on the disk are compared with what the machines had made when the reading they stand
for was taken. Units may be missing or too many only where a fault makes that unavoidable, and then within the words
of the exception that says so; the comparison with the ERP's books is exact, after these corrections.
"""

import re
from collections import Counter, defaultdict
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from gateway.counting.comparison import CLOCK_MARGIN
from gateway.domain.clock import Instant
from gateway.domain.event import SignalId
from tests.simulation.line import COUNTERS, TOTAL

_CHECKPOINTS = "SELECT device, signal, seen_boot, seen_boottime, counted FROM checkpoint"
_EXCEPTIONS = "SELECT id, kind, code, reason, scope_1, scope_2, quantity FROM exception WHERE id > ? ORDER BY id"
_UNKNOWN = re.compile(r"0 … (\d+) units made before the restart")
_SECOND = 1000  # ms


class Violation(AssertionError):
    """The product broke a promise."""


class Reason(StrEnum):
    """What makes it impossible, or forbidden, to count units as they were made."""

    RESET = "reset"
    SWAP = "swap"
    STUCK = "stuck"
    SILENCE = "silence"  # longer than the counter can tell
    REBOOT = "reboot"  # of the gateway: how long nobody looked is only known by the wall clock
    GAP = "gap"  # longer than `gap_after`: exact, but may be held
    LATE = "late"  # a reading came later than it was taken: exact, but the next may look too fast


class Reading(NamedTuple):
    """What a reading stood for: units made by then (None: torn, it stood for nothing), and when it was taken."""

    made: dict[SignalId, int | None]
    taken: int  # ms
    arrived: int


class Believed(NamedTuple):
    """What a committed checkpoint stands for."""

    made: int
    counted: int
    boot: str
    reading: Reading


class Truth:
    """Knows what was made, and follows what the store believes."""

    def __init__(self) -> None:
        self.made: Counter[SignalId] = Counter()
        self.off: Counter[SignalId] = Counter()  # made and not counted (below zero: counted and not made)
        self.held: defaultdict[SignalId, Decimal] = defaultdict(Decimal)  # by counters that couldn't tell
        self.believed: dict[SignalId, Believed] = {}
        self._readings: dict[tuple[str, int], Reading] = {}
        self._excuses: defaultdict[SignalId, list[tuple[int, Reason]]] = defaultdict(list)
        self._stands: dict[tuple[str, str], tuple] = {}
        self._last_exception = 0

    def excuse(self, signal: SignalId, why: Reason, at: int) -> None:
        """Remember a fault that a counter can't see through."""
        self._excuses[signal].append((at, why))

    def seen(self, now: Instant, made: dict[SignalId, int | None], taken: int, arrived: int) -> None:
        """Remember what a reading that arrives now stands for."""
        self._readings[now.boot, now.boottime] = Reading(made, taken, arrived)
        for signal in made if arrived - taken > 1 else ():
            self.excuse(signal, Reason.LATE, taken)

    def committed(self, raw) -> None:
        """Compare the checkpoints that moved with what was made by then."""
        told = raw.execute(_EXCEPTIONS, (self._last_exception,)).fetchall()
        if told:
            self._last_exception = told[-1][0]
        for device, signal, *stands in raw.execute(_CHECKPOINTS):
            if self._stands.get((device, signal)) != stands:
                self._stands[device, signal] = stands
                self._moved(SignalId(device, signal), stands, told)

    def _moved(self, signal: SignalId, stands: list, told: list) -> None:
        boot, boottime, counted = stands
        reading = self._readings.get((boot, boottime))
        if reading is None or reading.made[signal] is None:
            raise Violation(f"{signal} stands at a reading that was {'torn' if reading else 'never taken'}")
        made, before = reading.made[signal], self.believed.get(signal)
        self.believed[signal] = Believed(made, int(counted), boot, reading)
        if before is None:
            self.off[signal] += made - int(counted)
            return
        off = (made - before.made) - (int(counted) - before.counted)
        words = [one for one in told if one[4:6] == signal]
        why = self._reasons(signal, before, self.believed[signal])
        self._check_holds(signal, words, why)
        if off:
            self._check_difference(signal, off, words, why)
        self.off[signal] += off

    def _reasons(self, signal: SignalId, before: Believed, after: Believed) -> set[Reason]:
        pending = self._excuses[signal]
        found = {why for at, why in pending if at <= after.reading.taken}
        self._excuses[signal] = [(at, why) for at, why in pending if at > after.reading.taken]
        if before.reading.arrived - before.reading.taken > 1:
            found.add(Reason.LATE)
        passed = after.reading.arrived - before.reading.taken
        counter = COUNTERS[signal]
        known = passed + counter.slack // 1_000_000
        if before.boot != after.boot:
            found.add(Reason.REBOOT)
            known += CLOCK_MARGIN // 1_000_000
        if known * counter.max_rate / _SECOND + counter.burst >= counter.modulus:
            found.add(Reason.SILENCE)
        if passed > counter.gap_after * _SECOND:
            found.add(Reason.GAP)
        return found

    def _check_holds(self, signal: SignalId, words: list, why: set[Reason]) -> None:
        for _, kind, code, reason, _, _, quantity in words:
            if kind == "counter":
                self.held[signal] += Decimal(quantity)
                if not why:
                    raise Violation(f"{signal} held {quantity} ({code}) without a cause: {reason}")

    def _check_difference(self, signal: SignalId, off: int, words: list, why: set[Reason]) -> None:
        counter, exact_bounds = COUNTERS[signal], Reason.LATE not in why
        why = why - {Reason.GAP, Reason.LATE}
        if not why:
            raise Violation(f"{signal}: {off} units made and not counted (below zero: not made) without a cause")
        swapped = counter.retentive and Reason.SWAP in why  # its epoch says nothing about its value
        stood = Reason.STUCK in why and off % counter.modulus == 0  # for whole rounds: it looked idle
        if counter.has_epoch and not (swapped or stood) and not words and signal != TOTAL:
            raise Violation(f"{signal}: {off} units made and not counted after {sorted(why)}, and nobody is told")
        if why == {Reason.SILENCE} and off % counter.modulus:
            raise Violation(f"{signal}: {off} units made and not counted are no whole rounds of {counter.modulus}")
        bounds = [int(found[1]) for one in words if one[2] == "reset" and (found := _UNKNOWN.search(one[3]))]
        if why == {Reason.RESET} and exact_bounds and bounds and not 0 <= off <= max(bounds):
            raise Violation(f"{signal}: {off} units unknown after a restart, told were 0 … {bounds}")

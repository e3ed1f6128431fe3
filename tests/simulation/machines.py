"""Machines with counters: what they made, what they show of it, and what their gateway gets to read."""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta

from gateway.counting.counter import Counter
from gateway.domain.event import SignalId
from gateway.signals.sample import Sample, Scan
from tests.factories import NOON
from tests.simulation.clock import SimulatedClock
from tests.simulation.line import COUNTERS, FIRST_VALUES
from tests.simulation.truth import Reason, Truth

_WORD = 65_536


class Gauge:
    """One counter of a machine: `made` is the truth, `shown` what stands in its register."""

    def __init__(self, signal: SignalId, counter: Counter, first: int) -> None:
        self.id = signal
        self.counter = counter
        self.made = 0
        self._shift = first
        self.read_at = first  # what it showed at the last reading

    @property
    def shown(self) -> int:
        return (self.made + self._shift) % self.counter.modulus

    def preset(self, value: int) -> None:
        self._shift = value - self.made
        self.read_at = value  # a reading torn across a jump may fit by chance, and nobody can tell

    def torn(self) -> int | None:
        """Return the value with one word still old, where a word carried over since the last reading."""
        old, new = self.read_at, self.shown
        if old // _WORD == new // _WORD:
            return None
        mixed = old // _WORD * _WORD + new % _WORD
        return mixed if mixed != new and mixed < self.counter.modulus else None


class Machine:
    """One device. `stamped`: it gives each value its own time, so readings may arrive late and twice."""

    def __init__(self, name: str, clock: SimulatedClock, truth: Truth) -> None:
        self.name = name
        self.gauges = [Gauge(one, COUNTERS[one], FIRST_VALUES[one]) for one in COUNTERS if one.device == name]
        self.stamped = name == "FILLER-1"
        self.names_order = name == "FILLER-1"
        self.has_epoch = self.gauges[0].counter.has_epoch
        self.linked = True
        self.order: str | None = None
        self._epoch = 1
        self._clock = clock
        self._truth = truth
        self._behind = timedelta(0)  # by how much its own clock is wrong
        self._frozen: dict[SignalId, tuple[int, int]] | None = None
        self._tearing = False
        self._late: deque[tuple[tuple[Sample, ...], dict[SignalId, int | None], int]] = deque()

    # --- what it does ---------------------------------------------------------------------------

    def make(self, which: int, units: int) -> float:
        """Make units, as fast as it can; return how many seconds that took."""
        gauge = self.gauges[which % len(self.gauges)]
        gauge.made += units
        self._truth.made[gauge.id] += units
        return units / float(gauge.counter.max_rate)

    def restart(self) -> None:
        """Restart the controller: counters that are not retentive begin again."""
        self._epoch += 1
        for gauge in self.gauges:
            if not gauge.counter.retentive:
                gauge.preset(0)
                self._suspicious(gauge, Reason.RESET)
        self.unstick()

    def swap(self, value: int) -> None:
        """Put another device in its place, whose counters stand somewhere."""
        self._epoch += 1
        for gauge in self.gauges:
            gauge.preset(value % gauge.counter.modulus)
            self._suspicious(gauge, Reason.SWAP)
        self.unstick()

    def stick(self) -> None:
        """Go on making, and show the same values until `unstick`."""
        self._frozen = {one.id: (one.shown, one.made) for one in self.gauges}
        for gauge in self.gauges:
            self._suspicious(gauge, Reason.STUCK)

    def unstick(self) -> None:
        """Show what was made meanwhile, all at once."""
        for gauge in self.gauges if self._frozen is not None else ():
            self._suspicious(gauge, Reason.STUCK)
        self._frozen = None

    def set_clock(self, seconds: int) -> None:
        self._behind = timedelta(seconds=seconds)

    def _suspicious(self, gauge: Gauge, why: Reason) -> None:
        self._truth.excuse(gauge.id, why, self._clock.passed)

    # --- what is read of it ---------------------------------------------------------------------

    def read(self, *, bad: bool = False) -> Scan:
        """Return a reading that arrives at once."""
        return self._arrived(*self._sample(bad=bad))

    def tear(self) -> None:
        """Have the next reading over which a word carries read torn."""
        self._tearing = True

    def delay(self) -> None:
        """Sample now what arrives later."""
        if len(self._late) < 3:
            self._late.append(self._sample())

    def arrive(self, *, twice: bool) -> Iterator[Scan]:
        """Yield the delayed readings as they arrive now, in one burst."""
        while self._late:
            taken = self._late.popleft()
            for _ in range(2 if twice else 1):
                yield self._arrived(*taken)

    def _sample(self, *, bad: bool = False):
        at = self._own_time()
        samples, made = self._context(at), {}
        for gauge in self.gauges:
            value, true = self._frozen[gauge.id] if self._frozen else (gauge.shown, gauge.made)
            wrong = gauge.torn() if self._tearing and not self._frozen else None
            if wrong is not None and not self._fits(gauge, wrong):
                value, true, self._tearing = wrong, None, False
            gauge.read_at = gauge.shown
            made[gauge.id] = true
            status = "BadSensorFailure" if bad else "Good"
            samples.append(Sample(gauge.id.signal, None if bad else value, status, at))
        return tuple(samples), made, self._clock.passed

    def _fits(self, gauge: Gauge, value: int) -> bool:
        """Tell whether a wrong value lies on the way from what is believed: then nobody could tell."""
        back = (gauge.shown - value) % gauge.counter.modulus
        return gauge.made - back >= self._truth.believed[gauge.id].made

    def _context(self, at: datetime | None) -> list[Sample]:
        said = [Sample("boot", self._epoch, source_time=at)] if self.has_epoch else []
        return [*said, Sample("order", self.order, source_time=at)] if self.names_order and self.order else said

    def _own_time(self) -> datetime | None:
        return NOON + timedelta(milliseconds=self._clock.passed) + self._behind if self.stamped else None

    def _arrived(self, samples: tuple[Sample, ...], made: dict[SignalId, int | None], taken: int) -> Scan:
        self._clock.advance(1)  # no two readings at one moment: by it the truth is found
        now = self._clock.now()
        self._truth.seen(now, made, taken, self._clock.passed)
        return Scan(self.name, now, samples)

"""The physics of the line: bottles flow filler → capper → packer → scale through small buffers.

No I/O and no clock. For one seed bottle number n is always rejected or not and case number n always
weighs the same, however the time is cut into ticks.
"""

from dataclasses import dataclass
from random import Random

NOMINAL_RATE = 20.0  # bottles a second at speed 1, the nameplate of filler and capper
BOTTLES_A_CASE = 12
REJECT_SHARE = 0.015
UNSETTLED_SHARE = 0.1  # how often the scale reads once before the case lies still
CASE_GRAMS, CASE_SPREAD = 6312, 40
BUFFER_SECONDS = 5  # how much nominal output fits between two stations


@dataclass(frozen=True, slots=True)
class Weighing:
    """One case on the scale, in grams; `unsettled` is a reading before the stable one."""

    grams: int
    unsettled: int | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """What every station made in one tick."""

    good: int = 0  # bottles filled and passed on
    rejected: int = 0  # bottles filled and thrown out, not in `good`
    capped: int = 0
    sealed: int = 0  # cases
    weighed: tuple[Weighing, ...] = ()


@dataclass(slots=True)
class Station:
    """A pace in units a second. A starved station saves up one unit, never a burst."""

    rate: float
    running: bool = True
    credit: float = 0.0

    def take(self, dt: float, available: int) -> int:
        """How many of `available` units are done within `dt` seconds."""
        if not self.running:
            return 0
        self.credit += self.rate * dt
        done = min(int(self.credit), available)
        self.credit = min(self.credit - done, 1.0)
        return done


class BottlingLine:
    """Filler, capper, packer and scale; `tick` moves each unit one station at most."""

    def __init__(self, seed: int = 1, speed: float = 1.0) -> None:
        bottles, cases = NOMINAL_RATE * speed, NOMINAL_RATE * speed / BOTTLES_A_CASE
        self.filler, self.capper = Station(bottles), Station(bottles)
        self.packer, self.scale = Station(cases), Station(cases)
        self._buffer_size = max(2 * BOTTLES_A_CASE, int(bottles * BUFFER_SECONDS))
        self._quality, self._weight = Random(f"{seed}-quality"), Random(f"{seed}-weight")
        self._filled = self._capped = self._sealed = 0  # what waits behind each station

    def tick(self, dt: float) -> Output:
        """Let `dt` seconds pass. The last station goes first, so a unit never jumps two."""
        weighed = self.scale.take(dt, self._sealed)
        sealed = self.packer.take(dt, self._capped // BOTTLES_A_CASE)
        capped = self.capper.take(dt, min(self._filled, self._buffer_size - self._capped))
        filled = self.filler.take(dt, self._buffer_size - self._filled)
        rejected = sum(self._quality.random() < REJECT_SHARE for _ in range(filled))
        good = filled - rejected
        self._sealed += sealed - weighed
        self._capped += capped - sealed * BOTTLES_A_CASE
        self._filled += good - capped
        return Output(good, rejected, capped, sealed, tuple(self._weigh() for _ in range(weighed)))

    @property
    def idle(self) -> bool:
        """Whether no running station has anything left to do."""
        waiting = (
            (self.filler, 1),
            (self.capper, self._filled),
            (self.packer, self._capped // BOTTLES_A_CASE),
            (self.scale, self._sealed),
        )
        return not any(station.running and units for station, units in waiting)

    def _weigh(self) -> Weighing:
        grams = CASE_GRAMS + self._weight.randint(-CASE_SPREAD, CASE_SPREAD)
        drift = self._weight.randint(50, 400)
        unsettled = grams - drift if self._weight.random() < UNSETTLED_SHARE else None
        return Weighing(grams, unsettled)

"""The gateway's clocks: boottime goes with the world, the wall clock is set by people, a boot ends with the power."""

from datetime import timedelta

from gateway.domain.clock import UNTRUSTED, ClockLimits, ClockTrust, Instant, Synchronised, clock_trust
from tests.factories import NOON

_LIMITS = ClockLimits(max_error_ms=1000, drift_ppm=20)


class SimulatedClock:
    """Implements Clock."""

    def __init__(self) -> None:
        self.passed = 0  # ms since noon, whatever the clocks say
        self._booted = 0  # ms
        self._boots = 1
        self._wrong = timedelta(0)  # what the wall clock is set wrong by
        self._known: Synchronised | None = None
        self.doubted = False
        self.synchronise()

    def advance(self, milliseconds: int) -> None:
        self.passed += milliseconds

    def step(self, seconds: int) -> None:
        """Set the wall clock; nobody believes it before it is synchronised."""
        self._wrong += timedelta(seconds=seconds)

    def synchronise(self) -> None:
        self._wrong = timedelta(0)
        self._known = Synchronised("kernel", self.now(), 0)

    def reboot(self) -> None:
        self._boots += 1
        self._booted = self.passed

    @property
    def wrong(self) -> bool:
        """Whether it was set, or the machine booted, since it was synchronised."""
        return bool(self._wrong) or clock_trust(self._known, self.now(), _LIMITS).trust == UNTRUSTED

    def now(self) -> Instant:
        wall = NOON + timedelta(milliseconds=self.passed) + self._wrong
        return Instant(wall, (self.passed - self._booted) * 1_000_000, f"boot-{self._boots}")

    def trust(self) -> ClockTrust:
        trust = clock_trust(self._known, self.now(), _LIMITS)
        self.doubted = self.doubted or trust.trust == UNTRUSTED
        return trust

    def believe(self) -> None:
        """Nobody asks: the schedule synchronises."""

    async def poll(self) -> None:
        """Nothing new is heard by asking: the schedule synchronises."""

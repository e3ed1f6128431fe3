"""A process that stood still (stopped, swapped out, suspended with its machine) receives late what waited for it."""

HEARTBEAT = 0.25  # seconds
_TOLERATED = 1_000_000_000  # ns between two beats on a busy machine
_CATCHING_UP = 2_000_000_000  # ns for which what waited meanwhile is still coming in


class Stalls:
    """Told of each heartbeat; all times are of CLOCK_BOOTTIME (ns)."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._ended = 0
        self._length = 0

    def beat(self, now: int) -> None:
        """Note a heartbeat."""
        if stall := self._stalled(now):
            self._ended, self._length = now, stall
        self._last = now

    def late(self, now: int) -> int:
        """Return how long what is received now may have waited."""
        stall = self._stalled(now)  # the first thing that is done afterwards need not be the heartbeat
        return stall or (self._length if now - self._ended < _CATCHING_UP else 0)

    def _stalled(self, now: int) -> int:
        passed = now - self._last if self._last is not None else 0
        return passed if passed > _TOLERATED else 0

"""The real clock. The only place, with the supervisor, that reads time."""

import time
from datetime import UTC, datetime
from pathlib import Path

from gateway.domain.clock import ClockTrust, Instant

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SystemClock:
    """Implements Clock on Linux: UTC wall clock, CLOCK_BOOTTIME, the kernel's boot id."""

    def __init__(self, trust: str = "assume") -> None:
        self._trust = ClockTrust(trust, 0)
        self._boot = _BOOT_ID.read_text(encoding="ascii").strip()

    def now(self) -> Instant:
        """Return this moment."""
        return Instant(datetime.now(UTC), time.clock_gettime_ns(time.CLOCK_BOOTTIME), self._boot)

    def trust(self) -> ClockTrust:
        """Return the configured trust; `assume` takes the wall clock as it is."""
        return self._trust

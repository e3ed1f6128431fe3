"""Where drivers hand in scans: bounded, without losing a unit.

Counters are cumulative, so when the queue is full only the newest value of each signal is kept. Events are not:
their drivers wait, and so stop reading from their source. So they do where few messages are many bytes.
"""

import asyncio
from collections import deque

from gateway.signals.sample import Sample, Scan

_HEAVY = 16 << 20  # bytes of unreadable messages: with more of them no events are taken, however few they are


class IntakeQueue:
    """The Intake of ports.py. One pipeline takes, many drivers put, all on one loop."""

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._waiting: deque[Scan] = deque()
        self._newest: dict[str, Scan] = {}
        self._bytes = 0
        self._room = asyncio.Event()
        self._room.set()
        self.arrived = asyncio.Event()
        self.closed = False

    def __len__(self) -> int:
        return len(self._waiting) + len(self._newest)

    def offer(self, scan: Scan) -> None:
        """Take a scan of cumulative values, at once."""
        if self.closed:
            return  # the counters are absolute: what was counted meanwhile shows at the next start
        if scan.device in self._newest or len(self._waiting) >= self._limit:
            self._coalesce(scan)
        else:
            self._waiting.append(scan)
        self.arrived.set()

    async def put(self, scan: Scan) -> None:
        """Take a scan of events; waits for room."""
        while self.closed or len(self._waiting) >= self._limit or self._bytes >= _HEAVY:
            self._room.clear()
            await self._room.wait()
        self._waiting.append(scan)
        self._bytes += _weight(scan)
        self.arrived.set()

    def take(self, most: int) -> list[Scan]:
        """Return up to `most` scans in the order they came, coalesced ones last."""
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        self._bytes -= sum(map(_weight, taken))
        if not self._waiting and len(taken) < most:
            taken += self._newest.values()
            self._newest.clear()
        if not len(self):
            self.arrived.clear()
        if not self.closed:
            self._room.set()
        return taken

    def close(self) -> None:
        """Take nothing more; what waits can still be taken out."""
        self.closed = True

    def _coalesce(self, scan: Scan) -> None:
        before = self._newest.get(scan.device)
        samples: dict[str, Sample] = {one.signal: one for one in before.samples} if before else {}
        samples.update((one.signal, one) for one in scan.samples)
        self._newest[scan.device] = Scan(scan.device, scan.received, tuple(samples.values()))


def _weight(scan: Scan) -> int:
    return len(scan.unreadable.payload) if scan.unreadable else 0

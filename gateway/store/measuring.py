"""The measures as they were read last, so that nobody who asks for them waits for another's reading, or holds it up."""

import asyncio
from dataclasses import dataclass
from time import monotonic

from gateway.store.connection import Connection
from gateway.store.measures import Measures, measures
from gateway.store.reading import at_once

_FRESH = 15.0  # seconds that measures are shown before they are read again: Prometheus' usual interval
_REST = 20  # times as long as the reading took: a large store's measures cost a twentieth of a core, not more
_PATIENCE = 1.0  # seconds to wait for newer measures where older ones are there


@dataclass(frozen=True, slots=True)
class Measured:
    """Measures with the moment that they were read (seconds of the monotonic clock) and how long that took."""

    measures: Measures
    read_at: float
    seconds: float

    @property
    def age(self) -> float:
        """How old they are, in seconds."""
        return monotonic() - self.read_at


class Measuring:
    """Reads the measures in the thread of a connection of its own, one reading at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._last: Measured | None = None
        self._reading: asyncio.Task[Measured] | None = None

    async def latest(self) -> Measured:
        """Return the newest measures; older ones where new ones take longer than a second. StoreError without any."""
        if self._last is None:
            return await asyncio.shield(self._begun())
        if self._last.age >= max(_FRESH, _REST * self._last.seconds):
            await asyncio.wait({self._begun()}, timeout=_PATIENCE)
        return self._last

    async def close(self) -> None:
        """Finish what is being read, close the connection."""
        if self._reading is not None:
            await asyncio.wait({self._reading})
        await self._connection.close()

    def _begun(self) -> "asyncio.Task[Measured]":
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name="measures")
            self._reading.add_done_callback(_seen)
        return self._reading

    async def _read(self) -> Measured:
        begun = monotonic()
        found = await self._connection.run(lambda raw: at_once(raw, measures))
        self._last = Measured(found, begun, monotonic() - begun)
        return self._last


def _seen(reading: "asyncio.Task[Measured]") -> None:
    """Take note of its error: who waits gets it, and nobody else misses the older measures' age."""
    if not reading.cancelled():
        reading.exception()

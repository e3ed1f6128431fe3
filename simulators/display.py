"""What a client sees of a counter: its value, unless the display is stuck or lies."""

import asyncio

from simulators.counters import Counters


class Display:
    """Stands between the counters, which always know the truth, and the protocol."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._shown: dict[str, int] = {}

    def value(self, signal: str) -> int:
        """The raw counter as a client reads it."""
        return self._shown.get(signal, self._counters.value(signal))

    async def show(self, seconds: float, signal: str, value: int | None = None) -> None:
        """Show `value` (None: the present one) for `seconds`, whatever the machine makes."""
        self._shown[signal] = self._counters.value(signal) if value is None else value
        await asyncio.sleep(seconds)
        del self._shown[signal]

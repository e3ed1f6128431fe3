"""How long commits take: what a slow disk does shows here."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Latency:
    """Seconds on the loop's clock. `last`: of the commit that ended last."""

    def __init__(self) -> None:
        self.last = 0.0
        self._longest = 0.0  # since the last look
        self._begun: float | None = None

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Measure a commit, also one that fails."""
        now = asyncio.get_running_loop().time
        self._begun = now()
        try:
            yield
        finally:
            self.last = now() - self._begun
            self._longest = max(self._longest, self.last)
            self._begun = None

    @property
    def running(self) -> float:
        """How long the commit that is under way takes already; 0 where none is."""
        return 0.0 if self._begun is None else asyncio.get_running_loop().time() - self._begun

    def look(self) -> float:
        """Return the longest commit since the last look, one that is under way included."""
        longest, self._longest = max(self._longest, self.running), 0.0
        return longest

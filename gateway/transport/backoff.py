"""Pauses between tries."""

import random
from collections.abc import Callable


class Backoff:
    """Pauses in seconds whose ceiling doubles from `first` up to `at_most`.

    Each pause is drawn anywhere below the ceiling ("full jitter"): after an outage a hundred clients
    must not come back in the same instant. `draw` returns a number in [0, 1).
    """

    def __init__(
        self,
        first: float,
        at_most: float,
        draw: Callable[[], float] = random.random,  # not for cryptography: it only spreads retries
    ) -> None:
        self._first = first
        self._at_most = at_most
        self._draw = draw
        self._ceiling = first

    def next(self) -> float:
        """Return how long to wait before the next try."""
        ceiling = min(self._ceiling, self._at_most)
        self._ceiling = min(self._ceiling * 2, self._at_most)
        return ceiling * self._draw()

    def reset(self) -> None:
        """Begin anew: the last try succeeded."""
        self._ceiling = self._first

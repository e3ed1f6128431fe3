"""When a part that fails again and again is tripped: it is tried rarely from then on, and people are told."""

from collections import deque
from typing import NamedTuple

_SENTENCE = 200  # characters of an error that a person reads; the log has all of it


class Rules(NamedTuple):
    """Seconds, but for `tries`."""

    tries: int = 5  # so many failures …
    within: float = 300.0  # … in this time trip it
    rest: float = 120.0  # a tripped part is started again after so long
    long_run: float = 60.0  # a part that runs this long is well again
    first: float = 0.5  # first pause of one that isn't tripped; it doubles …
    at_most: float = 30.0  # … up to here


class Breaker:
    """One part's; told of its starts and failures, with the loop's time."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._running_since: float | None = None
        self._forget()

    def _forget(self) -> None:
        self._recent: deque[float] = deque(maxlen=self._rules.tries)
        self._tripped = False
        self._last = ""
        self.failures = 0  # since it was well

    def started(self, now: float) -> None:
        """Note that the part runs from now on."""
        self._running_since = now

    def failed(self, now: float, error: Exception) -> None:
        """Note that it ended with this error."""
        if self._well(now):
            self._forget()
        self._running_since = None
        self._last = _in_words(error)[:_SENTENCE]
        self.failures += 1
        self._recent.append(now)
        if len(self._recent) == self._rules.tries and now - self._recent[0] <= self._rules.within:
            self._tripped = True  # until it was well: its pauses are long from now on

    def tripped(self, now: float) -> str:
        """Return the sentence that says so, empty while it isn't (any more)."""
        if not self._tripped or self._well(now):
            return ""
        return f"failed {self.failures} times, at last with: {self._last}; it is tried every {self._rules.rest:g} s"

    def _well(self, now: float) -> bool:
        return self._running_since is not None and now - self._running_since >= self._rules.long_run


def _in_words(error: Exception) -> str:
    """Return what went wrong; of several things at once the first."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return str(error) or repr(error)

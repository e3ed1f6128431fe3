"""Waiting for what another process does: a condition and a deadline, never a fixed time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_LOOK = 0.05  # s between two looks


def until(condition: Callable[[], T], *, within: float = 60.0, what: Callable[[], object] | str = "") -> T:
    """Return the first true value of `condition`; AssertionError saying `what` after `within` seconds."""
    end = time.monotonic() + within
    while not (found := condition()):
        if time.monotonic() > end:
            described = what() if callable(what) else what
            raise AssertionError(f"not within {within:g} s: {described}")
        time.sleep(_LOOK)
    return found

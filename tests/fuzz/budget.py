"""How long is fuzzed: seconds in CI, always the same examples; `HYPOTHESIS_PROFILE=nightly` a hundred times as many.

The nightly examples are new each time. Hypothesis prints the one that failed, shrunk, and keeps it for the next run.
"""

import os

from hypothesis import HealthCheck, settings

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
PATIENCE = 24 * 3600 if NIGHTLY else 600  # seconds, of one test
_MORE = 100
_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture)


def times(examples: int) -> int:
    """Return how many examples are tried where CI tries so many."""
    return examples * _MORE if NIGHTLY else examples


def budget(examples: int) -> settings:
    """Return the settings of a test that tries so many examples in CI."""
    database = settings.default.database if NIGHTLY else None
    return settings(
        max_examples=times(examples),
        derandomize=not NIGHTLY,
        database=database,
        deadline=None,
        suppress_health_check=_SLOW,
    )

"""When the wall clock may be believed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.clock import (
    PERSON,
    ClockLimits,
    ClockTrust,
    Instant,
    Synchronised,
    clock_trust,
)

SECOND = 1_000_000_000
LIMITS = ClockLimits(max_error_ms=60_000, drift_ppm=50)
BEGIN = Instant(datetime(2026, 11, 21, 10, tzinfo=UTC), 5 * SECOND, "boot-1")
LAST = Synchronised("kernel", BEGIN, 8)


def after(seconds: int, *, stepped: int = 0) -> Instant:
    wall = BEGIN.wall + timedelta(seconds=seconds + stepped)
    return replace(BEGIN, wall=wall, boottime=BEGIN.boottime + seconds * SECOND)


def test_a_synchronised_clock_is_trusted_with_its_error():
    assert ClockTrust("kernel", 8) == clock_trust(LAST, BEGIN, LIMITS)


def test_the_error_grows_with_the_drift_while_nobody_synchronises():
    assert ClockTrust("kernel", 8 + 4320) == clock_trust(LAST, after(86_400), LIMITS)


def test_beyond_the_limit_it_is_not_trusted_any_more():
    trust = clock_trust(LAST, after(14 * 86_400), LIMITS)

    assert ("none", 60_488) == (trust.trust, trust.error_ms)
    assert "the clock may be wrong by 60.488 s, more than 60 s" == trust.reason


def test_what_another_boot_knew_says_nothing():
    trust = clock_trust(LAST, replace(after(1), boot="boot-2"), LIMITS)

    assert ClockTrust("none", None, "the clock was not synchronised since the last boot") == trust


def test_without_any_synchronisation_it_is_not_trusted():
    assert "none" == clock_trust(None, BEGIN, LIMITS).trust


@pytest.mark.parametrize("hour", [3600, -3600])
@pytest.mark.parametrize("by", ["kernel", "chrony", PERSON])
def test_a_clock_that_was_set_by_an_hour_is_not_trusted(by, hour):
    trust = clock_trust(replace(LAST, by=by), after(10, stepped=hour), LIMITS)

    assert ("none", 3_600_008) == (trust.trust, trust.error_ms)
    assert f"the clock was set by {3600} s and not synchronised since" == trust.reason


def test_a_clock_that_was_set_by_a_second_has_that_much_more_error():
    assert ClockTrust("kernel", 1008) == clock_trust(LAST, after(10, stepped=-1), LIMITS)


def test_a_persons_word_holds_until_the_next_boot():
    assert PERSON == clock_trust(Synchronised(PERSON, BEGIN, 0), after(60 * 86_400), LIMITS).trust

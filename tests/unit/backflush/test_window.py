"""When windows end: by their length, and at the line's shift boundaries in local time."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest

from gateway.backflush.window import begin, end, is_earlier, next_shift
from gateway.domain.line import Cumulation, Line
from tests.factories import NOON, day, make_event

BERLIN = Line("L1", "Europe/Berlin", (time(6), time(14), time(22)))
MINUTE = timedelta(seconds=60)


def utc(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)


def test_units_began_to_be_made_when_the_interval_of_their_count_began():
    assert day(-1) == begin(make_event(since=day(-1)))


def test_units_without_an_interval_began_when_they_were_made():
    assert NOON == begin(make_event())


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (utc(2026, 11, 21, 12), utc(2026, 11, 21, 13)),
        (utc(2026, 11, 21, 13), utc(2026, 11, 21, 21)),
        (utc(2026, 11, 21, 23, 30), utc(2026, 11, 22, 5)),
        (utc(2026, 7, 1, 11, 59), utc(2026, 7, 1, 12)),
    ],
    ids=["in winter", "at a boundary", "after the last of the day", "in summer"],
)
def test_a_shift_begins_at_local_time(moment, expected):
    assert expected == next_shift(moment, BERLIN)


def test_a_shift_is_an_hour_longer_when_the_clocks_go_back():
    night = Line("L1", "Europe/Berlin", (time(1), time(4)))

    assert utc(2026, 10, 25, 3) - utc(2026, 10, 24, 23) == timedelta(hours=4)
    assert utc(2026, 10, 25, 3) == next_shift(utc(2026, 10, 24, 23), night)


def test_a_boundary_in_the_hour_that_the_clocks_skip_comes_all_the_same():
    assert utc(2026, 3, 29, 1, 30) == next_shift(utc(2026, 3, 29), Line("L1", "Europe/Berlin", (time(2, 30),)))


def test_a_line_without_shifts_has_no_boundary():
    assert None is next_shift(NOON, Line("L1"))


@pytest.mark.parametrize(
    ("cumulation", "line", "expected"),
    [
        (Cumulation(window=MINUTE), BERLIN, (NOON + MINUTE, "time")),
        (Cumulation(window=MINUTE, shift=True), BERLIN, (NOON + MINUTE, "time")),
        (Cumulation(window=timedelta(hours=8), shift=True), BERLIN, (NOON + timedelta(hours=1), "shift")),
        (Cumulation(shift=True), Line("L1"), None),
        (Cumulation(shift=True), None, None),
        (Cumulation(), BERLIN, None),
    ],
)
def test_a_window_ends_at_the_first_of_its_limits(cumulation, line, expected):
    assert expected == end(NOON, cumulation, line)


@pytest.mark.parametrize(
    ("seconds", "cumulation", "line", "earlier"),
    [
        (-1, Cumulation(window=MINUTE), BERLIN, True),
        (0, Cumulation(window=MINUTE), BERLIN, False),
        (-1, Cumulation(shift=True), BERLIN, False),
        (-8 * 3600, Cumulation(shift=True), BERLIN, True),
        (-8 * 3600, Cumulation(shift=True), Line("L1"), False),
        (-8 * 3600, Cumulation(shift=True), None, False),
        (-8 * 3600, Cumulation(units=Decimal(12)), BERLIN, False),
    ],
)
def test_what_began_before_a_window_belongs_to_an_earlier_one_unless_only_the_shift_or_no_time_ends_it(
    seconds, cumulation, line, earlier
):
    assert earlier is is_earlier(NOON + timedelta(seconds=seconds), NOON, cumulation, line)

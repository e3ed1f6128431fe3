"""What the disk has to look like for people to be told."""

import pytest

from gateway.runtime.disk_rules import (
    BUDGET,
    LOW,
    SLOW,
    WAL,
    Growth,
    Limits,
    Reading,
    growth_a_day,
    slowness,
    troubles,
)

MIB, GIB = 1 << 20, 1 << 30
LIMITS = Limits(budget=None, wal=64 * MIB, commit=2.0)
WELL = Reading(used=100 * MIB, wal=4 * MIB, free=20 * GIB, total=32 * GIB)
GROWTH = Growth(50 * MIB, "retention waits for sink erp")
BUDGETED = LIMITS._replace(budget=1000 * MIB)


@pytest.mark.parametrize(
    ("changes", "limits", "told", "found"),
    [
        ({}, LIMITS, (), set()),
        ({"wal": 64 * MIB}, LIMITS, (), {WAL}),
        ({"wal": 40 * MIB}, LIMITS, (), set()),
        ({"wal": 40 * MIB}, LIMITS, (WAL,), {WAL}),
        ({"wal": 31 * MIB}, LIMITS, (WAL,), set()),
        ({"free": 1 * GIB}, LIMITS, (), {LOW}),
        ({"free": 1 * GIB + 1}, LIMITS, (), set()),
        ({"free": 1 * GIB + 1}, LIMITS, (LOW,), {LOW}),
        ({"free": 2 * GIB}, LIMITS, (LOW,), set()),
        ({"free": 200 * MIB, "total": 1 * GIB}, LIMITS, (), set()),  # a small disk: a tenth of it
        ({"free": 100 * MIB, "total": 1 * GIB}, LIMITS, (), {LOW}),
        ({"free": 0}, LIMITS, (), {LOW}),
        ({"used": 800 * MIB}, BUDGETED, (), {BUDGET}),
        ({"used": 799 * MIB}, BUDGETED, (), set()),
        ({"used": 799 * MIB}, BUDGETED, (BUDGET,), {BUDGET}),
        ({"used": 750 * MIB}, BUDGETED, (BUDGET,), set()),
        ({"free": 0}, BUDGETED, (), set()),  # the budget is what counts
        ({"slow": 2}, LIMITS, (), set()),
        ({"slow": 3}, LIMITS, (), {SLOW}),
        ({"slow": 1}, LIMITS, (SLOW,), {SLOW}),
        ({"slow": 0}, LIMITS, (SLOW,), set()),
    ],
)
def test_an_alarm_is_raised_at_its_limit_and_cleared_well_below(changes, limits, told, found):
    assert found == troubles(WELL._replace(**changes), limits, GROWTH, set(told)).keys()


def test_a_budget_says_how_long_it_lasts_and_who_holds_up_retention():
    said = troubles(WELL._replace(used=800 * MIB), BUDGETED, GROWTH, set())[BUDGET]

    assert said == (
        "the store takes 800 MiB of its budget of 1000 MiB, grows by 50 MiB a day and is full in 4 days; "
        "retention waits for sink erp"
    )


@pytest.mark.parametrize(
    ("a_day", "said"), [(None, "how fast it grows is known after an hour"), (-5.0, "and doesn't grow")]
)
def test_a_growth_that_is_not_known_or_none_is_said_so(a_day, said):
    growth = GROWTH._replace(a_day=a_day)

    assert said in troubles(WELL._replace(free=0), LIMITS, growth, set())[LOW]


def test_a_log_says_what_to_look_for():
    assert "end that (a verification, a backup" in troubles(WELL._replace(wal=64 * MIB), LIMITS, GROWTH, set())[WAL]


def test_a_slow_disk_says_how_slow():
    said = troubles(WELL._replace(slow=3, commit=2.54), LIMITS, GROWTH, set())[SLOW]

    assert "commits take up to 2.5 s (limit 2 s)" in said


def test_a_slow_disk_says_how_slow_where_the_limit_is_short():
    reading = WELL._replace(slow=3, commit=0.00123)
    said = troubles(reading, LIMITS._replace(commit=0.001), GROWTH, set())[SLOW]

    assert "commits take up to 0.0012 s (limit 0.001 s)" in said


@pytest.mark.parametrize(
    ("code", "changes", "limits", "said"),
    [
        (BUDGET, {"used": 999 * MIB}, BUDGETED, "takes 999 MiB of its budget of 1000 MiB, grows by 50 MiB a day and"),
        (BUDGET, {"used": 1000 * MIB}, BUDGETED, "more than its budget of 1000 MiB, grows by 50 MiB a day; retention"),
        (WAL, {"wal": 639 * MIB}, LIMITS, "has grown to 639 MiB (limit 64 MiB)"),
        (WAL, {"wal": 640 * MIB}, LIMITS, "has grown to 640 MiB (many times its limit of 64 MiB)"),
        (LOW, {"free": 103 * MIB}, LIMITS, "the disk has only 103 MiB of 32 GiB left"),
        (LOW, {"free": 102 * MIB}, LIMITS, "the disk is all but full: it has only 102 MiB of 32 GiB left"),
    ],
)
def test_what_has_become_worse_is_another_sentence(code, changes, limits, said):
    assert said in troubles(WELL._replace(**changes), limits, GROWTH, set())[code]


def test_growth_is_known_after_an_hour():
    assert growth_a_day(()) is None
    assert growth_a_day(((0.0, 0), (3599.0, 10))) is None
    assert growth_a_day(((0.0, 1000), (600.0, 1500), (3600.0, 2000))) == 24_000


def test_one_slow_commit_is_no_slow_disk():
    seen = [0]
    for commit in (5.0, 0.1, 5.0, 5.0, 5.0, 0.1, 0.1, 0.1, 0.1):
        seen.append(slowness(seen[-1], commit, 2.0))

    assert [0, 1, 0, 1, 2, 3, 2, 1, 0, 0] == seen

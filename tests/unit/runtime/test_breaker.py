"""When a part is tripped, and when it is well again."""

from gateway.runtime.breaker import Breaker, Rules

RULES = Rules(tries=3, within=10, rest=7, long_run=60)
FAULT = ValueError("no such register")


def failing(*moments: float) -> Breaker:
    """Return the breaker of a part that starts and fails at once at these moments."""
    breaker = Breaker(RULES)
    for moment in moments:
        breaker.started(moment)
        breaker.failed(moment, FAULT)
    return breaker


def test_a_few_failures_trip_nothing():
    assert failing(0, 1).tripped(1) == ""


def test_many_in_a_short_time_trip_it_with_the_last_error():
    expected = "failed 3 times, at last with: no such register; it is tried every 7 s"

    assert expected == failing(0, 5, 10).tripped(10)


def test_many_over_a_long_time_do_not():
    assert failing(0, 5, 11).tripped(11) == ""


def test_its_long_pauses_do_not_close_it():
    assert "failed 5 times" in failing(0, 1, 2, 30, 60).tripped(60)


def test_a_long_run_closes_it_while_it_runs():
    breaker = failing(0, 1, 2)
    breaker.started(10)

    assert breaker.tripped(69)
    assert breaker.tripped(70) == ""


def test_after_a_long_run_failures_are_counted_anew():
    breaker = failing(0, 1, 2)
    breaker.started(10)
    breaker.failed(70, FAULT)

    assert breaker.failures == 1
    assert breaker.tripped(70) == ""


def test_an_error_without_words_is_named():
    breaker = failing(0, 1)
    breaker.failed(2, KeyError())

    assert "KeyError()" in breaker.tripped(2)


def test_of_a_group_of_errors_the_first_is_named():
    breaker = failing(0, 1)
    breaker.failed(2, ExceptionGroup("unhandled errors", [FAULT, KeyError()]))

    assert "no such register" in breaker.tripped(2)

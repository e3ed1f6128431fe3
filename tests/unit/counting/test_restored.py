"""The first units after a restore: some of them may be booked already, so a person says how many."""

import pytest

from gateway.counting.counter import Checkpoint, GapPolicy, Verdict
from gateway.counting.decide import refresh_due

DOUBT = "The store was restored."


def doubtful(counter):
    counter.checkpoint = counter.checkpoint._replace(doubt=DOUBT)
    return counter


@pytest.fixture
def restored(feed):
    """A counter that stood at 100 in the backup."""
    return doubtful(feed(100))


def test_the_first_units_are_held_all_or_none_of_them_being_new(restored):
    decision = restored.read(110)

    assert (Verdict.RESTORED, 0) == (decision.verdict, decision.delta)
    assert decision.held is not None
    assert (10, (10, 0), DOUBT) == (decision.held.quantity, decision.held.candidates, decision.held.reason)


def test_the_units_after_that_count(restored):
    restored.read(110)
    decision = restored.read(115)

    assert (Verdict.COUNT, 5) == (decision.verdict, decision.delta)


def test_an_unchanged_value_takes_the_doubt_away(restored):
    assert Verdict.IDLE is restored.read(100).verdict
    assert Verdict.COUNT is restored.read(105).verdict


def test_a_doubtful_reading_keeps_the_doubt(restored):
    restored.read(60_000)
    decision = restored.read(101)

    assert Verdict.SUSPECT is not decision.verdict
    assert Verdict.RESTORED in (decision.verdict, restored.read(102).verdict, restored.read(103).verdict)


def test_what_is_held_for_another_reason_names_both(restored):
    restored.read(50_000, after=1)
    decision = restored.read(50_000, after=3)

    assert decision.held is not None
    assert decision.held.reason.startswith(f"{DOUBT} The counter went from 100 to 50000")
    assert 0 in decision.held.candidates


def test_a_doubt_that_is_gone_is_written_at_once(restored):
    stored = restored.checkpoint
    restored.read(100)
    current: Checkpoint = restored.checkpoint

    assert refresh_due(restored.counter, stored, current)
    assert not refresh_due(restored.counter, stored._replace(doubt=""), current)


def test_a_gap_that_is_held_anyway_is_held_once(feed):
    decision = doubtful(feed(100, gap=GapPolicy.HOLD)).read(110, after=60)

    assert Verdict.RESTORED is decision.verdict
    assert decision.held is not None
    assert (10, 0) == decision.held.candidates

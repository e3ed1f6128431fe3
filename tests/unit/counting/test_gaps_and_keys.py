"""Outages with their policies, boots of the gateway's computer, idempotency keys, and what an idle night writes."""

from datetime import timedelta

import pytest

from gateway.counting.counter import GapPolicy, Verdict
from gateway.counting.decide import key, refresh_due


def test_a_gap_is_posted_with_its_interval(feed):
    line = feed()
    began = line.wall

    decision = line.read(500, after=60)

    assert (decision.verdict, decision.delta, decision.since) == (Verdict.COUNT, 400, began)


def test_no_gap_has_no_interval(feed):
    assert feed().read(500, after=30).since is None


def test_a_gap_in_which_nothing_was_made_is_idle(feed):
    decision = feed(gap=GapPolicy.HOLD).read(100, after=60)

    assert (decision.verdict, decision.since) == (Verdict.IDLE, None)


def test_the_policy_hold_freezes_what_a_gap_made(feed):
    line = feed(gap=GapPolicy.HOLD)
    began = line.wall

    decision = line.read(500, after=60)

    assert (decision.verdict, decision.delta, decision.held.quantity) == (Verdict.GAP_HELD, 0, 400)
    assert (decision.since, decision.checkpoint.value, decision.checkpoint.counted) == (began, 500, 400)
    assert line.read(510)[:2] == (Verdict.COUNT, 10)


def test_another_order_after_a_gap_is_held_for_a_split(feed):
    line = feed()
    line.read(105, order="A")

    decision = line.read(505, after=60, order="B")

    assert decision.verdict is Verdict.GAP_HELD
    assert "the order went from A to B" in decision.held.reason


@pytest.mark.parametrize("order", ["A", None])
def test_the_same_or_an_unknown_order_after_a_gap_posts(feed, order):
    line = feed()
    line.read(105, order="A")

    decision = line.read(505, after=60, order=order)

    assert (decision.verdict, decision.checkpoint.order) == (Verdict.COUNT, "A")


def test_another_order_without_a_gap_posts(feed):
    line = feed()
    line.read(105, order="A")

    assert line.read(110, order="B").verdict is Verdict.COUNT


def test_a_reset_within_a_gap_keeps_its_notice_when_held(feed):
    line = feed(gap=GapPolicy.HOLD)
    line.read(20, after=60, epoch="8")

    decision = line.read(20, after=2, epoch="8")

    assert (decision.verdict, decision.held.quantity) == (Verdict.GAP_HELD, 20)
    assert "before the restart" in decision.notice


def test_a_hold_within_a_gap_says_since_when(feed):
    line = feed()
    began = line.wall
    line.read(30000, after=60)

    assert line.read(30000, after=2).since == began


def test_over_a_reboot_the_wall_clock_and_a_margin_say_how_much_is_possible(feed):
    line = feed()
    line.reboot(wall=10)

    assert line.read(100 + 70 * 20 + 2, after=0).verdict is Verdict.COUNT
    line = feed()
    line.reboot(wall=10)
    assert line.read(100 + 70 * 20 + 3, after=0).verdict is Verdict.SUSPECT


def test_a_wall_clock_that_went_back_over_a_reboot_says_nothing(feed):
    line = feed(modulus=9999)
    line.reboot(wall=-3600)
    line.read(150)

    decision = line.read(150, after=2)

    assert (decision.verdict, decision.held.candidates) == (Verdict.MULTIWRAP, (50, 10049, 20048, 30047))
    assert decision.since == line.wall
    assert "an unknown time" in decision.held.reason


def test_a_reset_over_such_a_reboot_is_a_lower_bound_without_an_upper_one(feed):
    line = feed()
    line.reboot(wall=-3600)
    line.read(150, epoch="8")

    decision = line.read(150, after=2, epoch="8")

    assert decision[:2] == (Verdict.RESET, 150)
    assert "an unknown number of units" in decision.notice


def test_a_wall_clock_that_jumps_within_one_boot_changes_nothing(feed):
    line = feed()
    line.wall += timedelta(hours=1)
    assert line.read(105).since is None

    line.wall -= timedelta(hours=2)
    assert line.read(110)[:2] == (Verdict.COUNT, 5)


def test_counted_grows_with_what_is_booked_and_what_is_held(feed):
    line = feed(gap=GapPolicy.HOLD)
    line.read(105)
    line.read(205, after=60)

    assert line.read(210).checkpoint.counted == 110


def test_a_key_names_epoch_range_and_all_units_before(feed):
    line = feed(65530)
    line.read(65532)
    before = line.checkpoint

    assert key(before, line.read(12)) == "7:65532-12@2"


def test_the_same_reading_from_the_same_checkpoint_has_the_same_key(feed):
    lines = feed(), feed()

    assert len({key(line.checkpoint, line.read(105)) for line in lines}) == 1


def test_the_keys_of_two_rounds_differ(feed):
    line = feed(modulus=10)
    line.checkpoint = None
    line.read(0)
    keys = [key(line.checkpoint, line.read(value, after=0.1)) for value in (3, 6, 9, 0, 3, 6, 9, 0)]

    assert keys[:2] == ["7:0-3@0", "7:3-6@3"]
    assert len(set(keys)) == 8


def test_holds_that_likely_contain_nothing_have_keys_of_their_own(feed):
    keys = set()
    line = feed()
    begin = line.checkpoint
    for _ in range(2):
        line.checkpoint = begin._replace(seen=line.checkpoint.seen)
        line.read(99)
        line.read(99)
        keys.add(key(line.checkpoint, line.read(99)))

    assert keys == {"7:100-99@0/2026-11-21T10:00:14.000Z", "7:100-99@0/2026-11-21T10:00:17.000Z"}


def test_without_a_checkpoint_there_is_no_key(feed):
    line = feed()
    baseline = line.read(105)

    assert key(None, baseline) == ""
    assert key(line.checkpoint, baseline._replace(checkpoint=None)) == ""


def test_an_idle_checkpoint_is_written_once_a_minute(feed):
    line = feed()
    stored = line.checkpoint
    due = [refresh_due(line.counter, stored, line.read(100, after=10).checkpoint) for _ in range(6)]

    assert due == [False] * 5 + [True]


def test_a_small_fast_counter_is_written_ten_times_a_lap(feed):
    line = feed(modulus=1000)
    stored = line.checkpoint

    assert refresh_due(line.counter, stored, line.read(100, after=4.9).checkpoint) is False
    assert refresh_due(line.counter, stored, line.read(100, after=0.1).checkpoint) is True


def test_what_is_more_than_time_is_written_at_once(feed):
    line = feed(retentive=True)
    stored = line.checkpoint
    assert refresh_due(line.counter, stored, line.read(100, epoch="8").checkpoint)

    stored = line.read(5000, epoch="8").checkpoint
    assert refresh_due(line.counter, stored, line.read(100, epoch="8").checkpoint)

    stored = line.checkpoint
    line.reboot(wall=1)
    assert refresh_due(line.counter, stored, line.read(100, epoch="8").checkpoint)

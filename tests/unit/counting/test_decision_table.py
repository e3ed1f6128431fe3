"""The rows of the decision table by their numbers. Ten seconds at 20/s are 202 units with the burst."""

from decimal import Decimal

import pytest

from gateway.counting.counter import Counter, Counts, Verdict


def test_row_1_a_bad_reading_keeps_the_checkpoint_as_it_is(feed):
    line = feed()
    before = line.checkpoint

    decision = line.read(None)

    assert (decision.verdict, decision.delta, decision.checkpoint) == (Verdict.BAD_QUALITY, 0, before)


@pytest.mark.parametrize("value", [-1, 65536])
def test_row_1_a_value_that_the_counter_cannot_show_is_bad(feed, value):
    assert feed().read(value).verdict is Verdict.BAD_QUALITY


def test_row_1_the_next_good_reading_catches_up(feed):
    line = feed()
    line.read(None, after=5)

    assert line.read(220, after=5).delta == 120


def test_row_2_the_first_reading_is_the_baseline_and_counts_nothing(feed):
    line = feed()
    line.checkpoint = None

    decision = line.read(4711, order="A")

    assert (decision.verdict, decision.delta) == (Verdict.BASELINE, 0)
    assert (decision.checkpoint.value, decision.checkpoint.epoch, decision.checkpoint.order) == (4711, "7", "A")


def test_row_3_an_older_reading_changes_nothing(feed):
    line = feed()
    line.read(105, source=10)

    decision = line.read(103, source=9)

    assert (decision.verdict, decision.delta, decision.checkpoint.value) == (Verdict.STALE, 0, 105)
    assert line.read(110, source=11).delta == 5


def test_row_3_equal_timestamps_prove_nothing_and_are_counted(feed):
    line = feed()
    line.read(105, source=10)

    assert line.read(110, source=10).verdict is Verdict.COUNT


def test_row_3_an_old_reading_from_before_a_restart_is_no_second_reset(feed):
    line = feed()
    line.read(105, source=10)
    line.read(3, source=20, epoch="8")
    line.read(3, source=20, epoch="8")

    assert line.read(105, source=10, epoch="7").verdict is Verdict.STALE
    assert line.read(4, source=21, epoch="8").delta == 1


def test_row_4_a_new_epoch_counts_what_it_shows_and_says_what_is_unknown(feed):
    line = feed()
    line.read(15, after=7, epoch="8")

    decision = line.read(15, after=3, epoch="8")

    assert (decision.verdict, decision.delta, decision.checkpoint.epoch) == (Verdict.RESET, 15, "8")
    assert "0 … 187 units made before the restart" in decision.notice


def test_row_4_a_reset_at_zero_counts_nothing(feed):
    line = feed()
    line.read(0, epoch="8")

    assert line.read(0, after=3, epoch="8")[:2] == (Verdict.RESET, 0)


def test_row_4_an_epoch_that_flickers_resets_nothing(feed):
    line = feed()
    line.read(100, after=10, epoch="0")

    assert line.read(105, epoch="7")[:2] == (Verdict.COUNT, 5)


def test_row_5_a_new_epoch_with_too_many_units_is_held(feed):
    line = feed()
    line.read(5000, epoch="8")

    decision = line.read(5000, after=3, epoch="8")

    assert (decision.verdict, decision.delta) == (Verdict.SWAPPED, 0)
    assert decision.held.candidates == (0, 5000)
    assert (decision.checkpoint.value, decision.checkpoint.counted) == (5000, 0)


def test_row_5_a_counter_that_went_on_through_the_restart_offers_what_it_made(feed):
    line = feed(5000)
    line.read(5007, epoch="8")

    assert line.read(5007, after=3, epoch="8").held.candidates == (7, 0, 5007)


def test_row_6_an_outage_longer_than_the_counter_can_tell_is_held(feed):
    line = feed(modulus=9999)
    line.read(150, after=1000)

    decision = line.read(150, after=3)

    assert (decision.verdict, decision.held.candidates) == (Verdict.MULTIWRAP, (50, 10049, 20048))
    assert line.read(160).verdict is Verdict.COUNT


def test_row_7_the_same_value_refreshes_the_time(feed):
    line = feed()

    decision = line.read(100, after=10)

    assert (decision.verdict, decision.delta) == (Verdict.IDLE, 0)
    assert decision.checkpoint.seen.wall == line.wall


def test_row_7_an_idle_hour_is_no_multiwrap(feed):
    line = feed(modulus=9999)

    verdicts = {line.read(100, after=10).verdict for _ in range(360)}

    assert verdicts == {Verdict.IDLE}
    assert line.read(101, after=10)[:2] == (Verdict.COUNT, 1)


def test_row_8_a_step_back_that_may_be_a_whole_round_is_held_without_an_epoch(feed):
    line = feed(modulus=1000, has_epoch=False, max_rate=Decimal("0.5"), burst=0)
    line.read(98, after=1997)

    decision = line.read(98, after=2)

    assert (decision.verdict, decision.held.candidates) == (Verdict.AMBIGUOUS, (998, 0, 98))


def test_row_8_an_old_reading_is_forgotten_with_the_next_one(feed):
    line = feed(modulus=1000, has_epoch=False, max_rate=Decimal("0.5"), burst=0)

    assert line.read(98, after=1997).verdict is Verdict.SUSPECT
    assert line.read(100, after=1).verdict is Verdict.IDLE


def test_row_9_counts_forward_up_to_what_the_machine_can_make(feed):
    assert feed().read(302, after=10)[:2] == (Verdict.COUNT, 202)


def test_row_9_works_without_an_epoch_too(feed):
    assert feed(has_epoch=False).read(105, epoch=None)[:2] == (Verdict.COUNT, 5)


@pytest.mark.parametrize("modulus", [9999, 32767 + 1, 65536, 2**32])
def test_row_10_rolls_over_at_the_configured_modulus(feed, modulus):
    assert feed(modulus - 3, modulus=modulus).read(4)[:2] == (Verdict.ROLLOVER, 7)


def test_row_11_without_an_epoch_a_rollover_is_inferred(feed):
    line = feed(65530, has_epoch=False)
    line.read(4)

    assert line.read(4, after=2)[:2] == (Verdict.ROLLOVER_INFERRED, 10)


def test_row_11_a_strict_counter_holds_an_inferred_rollover(feed):
    line = feed(65530, has_epoch=False, strict=True)
    line.read(4)

    decision = line.read(4, after=2)

    assert (decision.verdict, decision.delta, decision.held.candidates) == (Verdict.ROLLOVER_INFERRED, 0, (10, 4))


def test_row_12_a_small_step_back_is_an_old_reading(feed):
    line = feed()

    assert line.read(99)[:2] == (Verdict.STALE, 0)
    assert line.read(101)[:2] == (Verdict.COUNT, 1)


def test_row_12_a_step_back_that_stays_is_held(feed):
    line = feed()
    verdicts = [line.read(99).verdict for _ in range(2)]

    decision = line.read(99)

    assert (verdicts, decision.verdict) == ([Verdict.STALE] * 2, Verdict.IMPLAUSIBLE)
    assert (decision.held.candidates, decision.checkpoint.value) == ((0,), 99)


def test_row_12_without_an_epoch_the_step_back_may_have_been_a_reset(feed):
    line = feed(2, has_epoch=False)
    line.read(1)
    line.read(1)

    assert line.read(1).held.candidates == (0, 1)


def test_row_13_without_an_epoch_a_small_value_is_held_as_a_possible_reset(feed):
    line = feed(5000, has_epoch=False)
    line.read(3)

    decision = line.read(5, after=2)

    assert (decision.verdict, decision.held.candidates) == (Verdict.POSSIBLE_RESET, (5, 0))


def test_row_14_a_jump_is_held_after_two_agreeing_readings(feed):
    line = feed()

    first = line.read(5000)
    second = line.read(5010, after=2)

    assert (first.verdict, first.delta, first.read_again) == (Verdict.SUSPECT, 0, True)
    assert (second.verdict, second.held.candidates) == (Verdict.IMPLAUSIBLE, (4910, 0))
    assert (second.checkpoint.value, second.checkpoint.counted) == (5010, 4910)


def test_row_14_a_jump_back_was_rather_not_made(feed):
    line = feed(5000)
    line.read(4000)

    held = line.read(4000, after=2).held

    assert held.candidates == (0,)
    assert held.reason.startswith(
        "The counter fell from 5000 to 4000, two readings agree: it was preset at the machine"
    )


def test_retentive_counters_count_on_over_a_restart(feed):
    decision = feed(retentive=True).read(110, epoch="8")

    assert (decision.verdict, decision.delta, decision.checkpoint.epoch) == (Verdict.COUNT, 10, "8")


def test_an_unreadable_boot_id_makes_the_epoch_unknown(feed):
    line = feed(65530)
    line.read(4, epoch=None)

    assert line.read(4, after=2, epoch=None).verdict is Verdict.ROLLOVER_INFERRED


def test_a_boot_id_counts_only_where_it_is_configured(feed):
    assert feed(has_epoch=False).read(105, epoch="8").verdict is Verdict.COUNT


def test_max_rate_is_exact(feed):
    line = feed(max_rate=Decimal("0.1"), burst=0)

    assert line.read(101, after=9.999999999).verdict is Verdict.SUSPECT
    assert feed(max_rate=Decimal("0.1"), burst=0).read(101, after=10).verdict is Verdict.COUNT


@pytest.mark.parametrize(("modulus", "rate"), [(1, "20"), (65536, "0")])
def test_a_counter_that_cannot_count_is_refused(modulus, rate):
    with pytest.raises(ValueError, match="a counter needs modulus"):
        Counter(Counts.GOOD, modulus, Decimal(rate))


def test_a_total_says_so():
    assert Counter(Counts.TOTAL, 65536, Decimal(20)).is_total

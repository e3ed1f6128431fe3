"""Doubtful readings: torn, old, or the first of a changed counter; and readings that come late or in bursts."""

from itertools import pairwise

from gateway.counting.counter import Verdict


def test_a_torn_reading_holds_nothing(feed):
    line = feed(65530, modulus=2**32)
    line.read(131071)

    decision = line.read(65545)

    assert (decision.verdict, decision.delta, decision.checkpoint.suspect) == (Verdict.COUNT, 15, None)


def test_a_torn_reading_that_looks_like_a_reset_holds_nothing(feed):
    line = feed(65530, modulus=2**32, has_epoch=False)
    line.read(0)

    assert line.read(65545)[:2] == (Verdict.COUNT, 15)


def test_a_torn_reading_within_a_long_outage_counts_nothing(feed):
    line = feed(1000, modulus=2**32)

    assert line.read(131071, after=7200).verdict is Verdict.SUSPECT
    assert line.read(65545, after=1).verdict is Verdict.SUSPECT
    assert line.read(65546, after=2)[:2] == (Verdict.COUNT, 64546)


def test_a_very_large_catch_up_is_counted_at_second_sight(feed):
    line = feed(modulus=2**32)

    assert line.read(60100, after=3600)[:2] == (Verdict.SUSPECT, 0)
    assert line.read(60140, after=2)[:2] == (Verdict.COUNT, 60040)


def test_a_newer_timestamp_spares_the_waiting(feed):
    line = feed()
    line.read(105, source=10)
    line.read(5000, source=11, after=1)

    assert line.read(5000, source=11, after=0.01).verdict is Verdict.IMPLAUSIBLE


def test_an_old_reading_that_agrees_is_no_second_sight(feed):
    line = feed(modulus=9999)
    line.read(100, source=10)
    line.read(300, after=1000, source=1020)
    line.read(250, after=0.01, source=12)

    assert line.read(260, after=0.01, source=13).verdict is Verdict.SUSPECT
    assert line.read(300, after=0.01, source=1021).verdict is Verdict.MULTIWRAP


def test_a_jump_grows_no_more_plausible_by_waiting(feed):
    line = feed()
    line.read(400, after=10)

    assert line.read(400, after=10).verdict is Verdict.IMPLAUSIBLE


def test_a_swapped_device_grows_no_more_plausible_by_waiting(feed):
    line = feed()
    line.read(400, after=10, epoch="8")

    assert line.read(400, after=15, epoch="8").verdict is Verdict.SWAPPED


def test_an_outage_during_the_doubt_is_a_multiwrap(feed):
    line = feed(modulus=9999)
    line.read(5000)

    assert line.read(5000, after=1000).verdict is Verdict.MULTIWRAP


def test_old_readings_in_a_burst_are_neither_held_nor_counted_again(feed):
    line = feed(150)
    old = [line.read(value, after=0.001) for value in range(140, 150)]
    back = line.read(150, after=0.001)

    assert {decision.delta for decision in old} == {0}
    assert not any(decision.held for decision in old)
    assert (back.verdict, back.checkpoint.value) == (Verdict.IDLE, 150)


def test_an_old_reading_beside_a_suspect_does_not_tell_that_nothing_was_made(feed):
    line = feed()
    line.read(3, after=20, epoch="8")
    line.read(100, after=0.01, epoch="7")
    line.read(3, after=0.01, epoch="8")

    decision = line.read(3, after=2, epoch="8")

    assert decision[:2] == (Verdict.RESET, 3)
    assert "0 … 439 units" in decision.notice


def test_an_unchanged_value_in_the_end_drops_the_suspect(feed):
    line = feed()
    line.read(5000)

    assert line.read(100, after=2).checkpoint.suspect is None


def test_readings_too_far_apart_to_agree_are_asked_for_again(feed):
    line = feed(modulus=2**32)
    line.read(0, after=3600)

    decision = line.read(65636, after=3600)

    assert (decision.verdict, decision.read_again) == (Verdict.SUSPECT, True)


def test_after_a_burst_of_old_readings_a_later_value_counts_from_the_checkpoint(feed):
    line = feed(150)
    for value in range(140, 150):
        line.read(value, after=0.001)

    assert line.read(170, after=1)[:2] == (Verdict.COUNT, 20)


def test_old_readings_with_timestamps_are_stale_however_many_they_are(feed):
    line = feed()
    line.read(150, after=5, source=100)
    verdicts = {line.read(value, after=0.01, source=value - 60).verdict for value in range(100, 150)}

    assert verdicts == {Verdict.STALE}
    assert line.read(151, after=0.01, source=101)[:2] == (Verdict.COUNT, 1)


def test_a_clock_that_was_set_back_loses_nothing(feed):
    line = feed()
    line.read(105, source=3600)
    verdicts = [line.read(105 + 10 * n, source=10 + n).verdict for n in (1, 2)]

    decision = line.read(135, source=13)

    assert verdicts == [Verdict.STALE] * 2
    assert decision[:2] == (Verdict.COUNT, 30)
    assert "clock went back" in decision.notice
    assert line.read(140, source=14)[:2] == (Verdict.COUNT, 5)


def test_a_restart_with_its_clock_set_back_is_a_reset(feed):
    line = feed()
    line.read(105, source=3600)
    line.read(1, source=1, epoch="8")
    line.read(2, source=2, epoch="8")

    decision = line.read(3, source=3, epoch="8")

    assert decision[:2] == (Verdict.RESET, 3)
    assert "clock went back" in decision.notice
    assert "before the restart" in decision.notice


def test_a_suspect_from_before_a_reboot_of_the_gateway_is_forgotten(feed):
    line = feed()
    line.read(5000)
    line.reboot()

    assert line.read(5000).verdict is Verdict.SUSPECT


def test_erratic_readings_are_reported_once(feed):
    line = feed()
    notices = [line.read(1000 * n if n % 2 else 65000 - 1000 * n, after=3).notice for n in range(1, 15)]

    assert [number for number, notice in enumerate(notices, 1) if notice] == [10]


def test_a_bad_reading_in_between_leaves_the_suspect_alone(feed):
    line = feed()
    line.read(5000)
    line.read(None)

    assert line.read(5000).verdict is Verdict.IMPLAUSIBLE


def test_several_values_of_one_notification_are_counted(feed):
    line = feed()
    line.read(105)

    deltas = [line.read(value, after=0.0 if value > 110 else 1.0).delta for value in (110, 115, 120, 125)]

    assert deltas == [5, 5, 5, 5]


def test_a_late_answer_does_not_make_the_next_one_too_fast(feed):
    line = feed()
    times = [0, 0.2, 1.6, 1.61, 1.8]  # the reading of 0.4 s came at 1.6 s
    values = [100, 104, 108, 132, 136]

    decisions = [
        line.read(value, after=now - then) for value, (then, now) in zip(values[1:], pairwise(times), strict=True)
    ]

    assert [decision.delta for decision in decisions] == [4, 4, 24, 4]


def test_a_first_reading_may_have_come_late(feed):
    line = feed()
    line.checkpoint = None
    line.read(100)

    assert line.read(120, after=0.2)[:2] == (Verdict.COUNT, 20)


def test_an_idle_machine_gets_no_allowance_for_lateness(feed):
    line = feed()
    line.read(105, after=5)
    line.read(105, after=10)

    assert line.read(150, after=1).verdict is Verdict.SUSPECT


def test_a_counter_set_back_a_little_while_it_runs_is_held_when_it_passes_its_old_value(feed):
    line = feed(45, modulus=2**32)
    line.read(39, after=0.2)
    line.read(43, after=0.2)

    decision = line.read(47, after=0.2)

    assert (decision.verdict, decision.held.candidates) == (Verdict.IMPLAUSIBLE, (8, 2))
    assert "set back at the machine while it ran" in decision.held.reason


def test_one_low_reading_alone_is_no_counter_that_was_set_back(feed):
    line = feed(45, modulus=2**32)
    line.read(39, after=0.2)

    assert line.read(47, after=0.2)[:2] == (Verdict.COUNT, 2)


def test_low_readings_that_lead_elsewhere_are_no_counter_that_was_set_back(feed):
    line = feed(1000, modulus=2**32)
    line.read(8, after=0.2)
    line.read(10, after=0.2)

    assert line.read(1003, after=0.2)[:2] == (Verdict.COUNT, 3)


def test_low_readings_before_the_gateway_restarted_are_no_counter_that_was_set_back(feed):
    line = feed(45, modulus=2**32, has_epoch=False, retentive=True)
    line.read(39, after=0.2)
    line.read(43, after=0.2)
    line.reboot(wall=0.2)

    assert line.read(47, after=0.2).verdict is Verdict.COUNT

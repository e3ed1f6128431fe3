"""What a process that stood still receives is late."""

from gateway.runtime.stalls import Stalls

SECOND = 1_000_000_000


def beating(*seconds: float) -> Stalls:
    stalls = Stalls()
    for one in seconds:
        stalls.beat(int(one * SECOND))
    return stalls


def test_nothing_is_late_before_the_first_beat_and_while_the_heart_beats():
    assert (0, 0) == (Stalls().late(100 * SECOND), beating(100, 100.25, 100.5).late(int(100.7 * SECOND)))


def test_what_is_received_after_a_stall_is_late_even_before_the_next_beat():
    assert 20 * SECOND == beating(100).late(120 * SECOND)


def test_what_waited_meanwhile_is_late_for_a_little_longer():
    stalls = beating(100, 120, 120.25)

    assert 20 * SECOND == stalls.late(121 * SECOND)


def test_then_nothing_is_late_any_more():
    stalls = beating(100, *(120 + step / 4 for step in range(12)))

    assert 0 == stalls.late(int(122.8 * SECOND))

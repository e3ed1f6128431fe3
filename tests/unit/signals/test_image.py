from datetime import UTC, datetime, timedelta

from gateway.signals.image import Burst, Image
from gateway.signals.sample import Sample

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
BOOT = Sample("boot", 1, source_time=NOON)


def at(signal: str, value: int | None, milliseconds: int, status: str = "Good") -> Sample:
    return Sample(signal, value, status, NOON + timedelta(milliseconds=milliseconds))


def make_image() -> Image:
    image = Image({"boot"})
    image.read([at("good", 100, 0), at("reject", 5, 0), BOOT])
    return image


def test_a_notified_counter_comes_beside_its_context():
    good = at("good", 101, 1)

    assert Burst(((BOOT, good),), read_again=False) == make_image().notified([good])


def test_several_values_of_a_counter_stay_successive_scans():
    first, second, reject = at("good", 101, 1), at("good", 102, 2), at("reject", 6, 1)
    burst = make_image().notified([first, second, reject])

    assert ((BOOT, first, reject), (BOOT, second)) == burst.scans


def test_a_value_that_was_read_already_is_not_handed_in_again():
    assert Burst((), read_again=False) == make_image().notified([at("good", 99, -1), at("good", 100, 0)])


def test_another_value_of_the_same_time_is_handed_in():
    good = at("good", 101, 0)

    assert ((BOOT, good),) == make_image().notified([good]).scans


def test_a_value_without_a_time_is_always_handed_in():
    good = Sample("good", 101)

    assert ((BOOT, good),) == make_image().notified([good]).scans


def test_a_context_that_says_the_same_again_changes_nothing():
    assert Burst((), read_again=False) == make_image().notified([at("boot", 1, 5)])


def test_a_new_boot_id_asks_for_a_reading_and_keeps_the_old_counts_with_the_old_one():
    before, after = at("good", 130, 1), at("good", 2, 3)
    burst = make_image().notified([before, after, at("boot", 2, 2)])

    assert Burst(((BOOT, before),), read_again=True) == burst


def test_counts_without_a_time_wait_for_the_reading_when_the_context_changes():
    burst = make_image().notified([Sample("good", 130), at("boot", 2, 2)])

    assert Burst((), read_again=True) == burst


def test_counts_wait_for_the_reading_when_the_new_context_has_no_time():
    burst = make_image().notified([at("good", 130, 1), Sample("boot", 2)])

    assert Burst((), read_again=True) == burst


def test_a_context_gone_bad_asks_for_a_reading():
    assert make_image().notified([at("boot", None, 1, "BadNotConnected")]).read_again


def test_a_reading_names_what_stands_differently():
    image = make_image()
    image.notified([at("good", 101, 1)])

    assert {"reject"} == image.read([at("good", 101, 1), at("reject", 6, 2), BOOT])


def test_the_first_reading_differs_in_everything():
    assert {"good"} == Image(()).read([at("good", 100, 0)])


def test_bad_signals_are_known_with_their_reason():
    image = make_image()
    image.read([at("good", None, 1, "BadSensorFailure"), at("reject", 5, 0), BOOT])

    assert {"good": "BadSensorFailure"} == image.bad

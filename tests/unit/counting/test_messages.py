"""Event messages by their numbers: new, late, repeated, missing, renumbered."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gateway.counting.messages import MOST_RANGES, Arrival, Gap, Watermark, content, message_key, receive, restart
from gateway.signals.sample import Message


def at(seconds):
    return datetime(2026, 11, 21, 10, tzinfo=UTC) + timedelta(seconds=seconds)


def make_message(sequence=None, total=None, quantity="1", **fields):
    return Message(
        sequence=sequence, total=None if total is None else Decimal(total), quantity=Decimal(quantity), **fields
    )


def watermark_after(*sequences):
    watermark = None
    for number in sequences:
        watermark = receive(watermark, make_message(number), at(number)).watermark
    return watermark


def test_what_a_scanner_says_of_a_lot_belongs_to_the_content():
    said = make_message(1, item="SYRUP", lot="S-1")

    assert content(said, at(0)) != content(make_message(1, item="SYRUP", lot="S-2"), at(0))
    assert content(said, at(0)) == content(make_message(1, item="SYRUP", lot="S-1", supplier=""), at(0))


def test_the_first_message_sets_the_watermark_and_misses_nothing():
    receipt = receive(None, make_message(17, total=17), at(0))

    assert receipt.verdict is Arrival.NEW
    assert receipt.missed is None
    assert receipt.watermark == Watermark(17, Decimal(17), (), at(0))


def test_the_next_message_is_new():
    receipt = receive(watermark_after(17), make_message(18), at(18))

    assert (receipt.verdict, receipt.watermark.sequence) == (Arrival.NEW, 18)


def test_a_jump_is_a_gap_with_its_range_and_one_unit_a_message():
    receipt = receive(watermark_after(17), make_message(21), at(21))

    assert (receipt.verdict, receipt.missed) == (Arrival.GAP, Gap(18, 20, Decimal(3)))
    assert receipt.watermark.missing == ((18, 20),)


def test_totals_say_what_a_gap_contained():
    watermark = receive(None, make_message(1, total="6.312", quantity="6.312"), at(1)).watermark

    receipt = receive(watermark, make_message(3, total="19.112", quantity="6.300"), at(3))

    assert receipt.missed == Gap(2, 2, Decimal("6.500"))


def test_a_total_that_began_again_does_not_make_a_gap_negative():
    watermark = receive(None, make_message(1, total=500), at(1)).watermark

    assert receive(watermark, make_message(3, total=2), at(3)).missed == Gap(2, 2, Decimal(1))


def test_a_total_that_was_rounded_by_the_device_is_no_gap():
    watermark = receive(None, make_message(1, total="6.312"), at(1)).watermark

    assert receive(watermark, make_message(2, total="12.613", quantity="6.300"), at(2)).verdict is Arrival.NEW


@pytest.mark.parametrize(("number", "rest"), [(18, ((19, 20),)), (19, ((18, 18), (20, 20))), (20, ((18, 19),))])
def test_a_late_message_fills_its_place(number, rest):
    receipt = receive(watermark_after(17, 21), make_message(number), at(number))

    assert (receipt.verdict, receipt.filled) == (Arrival.LATE, Gap(number, number, Decimal(1)))
    assert (receipt.watermark.sequence, receipt.watermark.missing) == (21, rest)


def test_a_late_message_fills_its_own_quantity_where_totals_made_the_gap():
    watermark = receive(None, make_message(1, total=12, quantity=12), None).watermark
    watermark = receive(watermark, make_message(3, total=30, quantity=12), None).watermark

    receipt = receive(watermark, make_message(2, total=18, quantity=6), None)

    assert (receipt.filled, receipt.watermark.missing) == (Gap(2, 2, Decimal(6)), ())


@pytest.mark.parametrize("number", [17, 21, 3])
def test_a_number_that_is_not_missing_is_repeated(number):
    watermark = watermark_after(17, 21)

    receipt = receive(watermark, make_message(number), at(number))

    assert (receipt.verdict, receipt.watermark) == (Arrival.REPEATED, watermark)


def test_a_missing_number_with_a_newer_time_is_not_late():
    assert receive(watermark_after(1, 5), make_message(3), at(100)).verdict is Arrival.REPEATED


def test_the_device_can_number_anew():
    receipt = restart(watermark_after(4710, 4712), make_message(1), at(9000))

    assert (receipt.verdict, receipt.missed) == (Arrival.RESTARTED, None)
    assert receipt.watermark == Watermark(1, None, (), at(9000))


def test_a_total_that_began_again_tells_what_was_lost_since_the_restart():
    watermark = receive(None, make_message(4711, total=9000), at(0)).watermark

    receipt = restart(watermark, make_message(3, total=30, quantity=12), at(1))

    assert receipt.missed == Gap(None, None, Decimal(18))


def test_a_total_that_goes_on_tells_what_was_lost_around_the_restart():
    watermark = receive(None, make_message(4711, total=9000), at(0)).watermark

    assert restart(watermark, make_message(1, total=9001), at(1)).missed is None
    assert restart(watermark, make_message(3, total=9003), at(1)).missed == Gap(None, None, Decimal(2))


def test_an_unknown_message_older_than_the_watermark_is_late_not_a_restart():
    watermark = watermark_after(17)

    receipt = restart(watermark, make_message(16), at(16))

    assert (receipt.verdict, receipt.watermark) == (Arrival.LATE, watermark)


def test_a_message_without_a_number_is_new():
    watermark = watermark_after(17)

    assert receive(None, make_message(), None).watermark is None
    assert receive(watermark, make_message(total=3), at(99)) == receive(watermark, make_message(), at(99))
    assert receive(watermark, make_message(), at(99)).watermark is watermark


def test_totals_alone_show_a_loss():
    first = receive(None, make_message(total=12, quantity=12), at(1))
    second = receive(first.watermark, make_message(total=24, quantity=12), at(2))

    third = receive(second.watermark, make_message(total=48, quantity=12), at(3))

    assert [first.verdict, second.verdict, third.verdict] == [Arrival.NEW, Arrival.NEW, Arrival.GAP]
    assert third.missed == Gap(None, None, Decimal(12))


def test_a_total_that_was_there_already_is_repeated():
    watermark = receive(None, make_message(total=12, quantity=12), at(1)).watermark

    assert receive(watermark, make_message(total=12, quantity=12), at(1)).verdict is Arrival.REPEATED


def test_a_number_after_totals_alone_sets_the_watermark():
    watermark = receive(None, make_message(total=12, quantity=12), at(1)).watermark

    assert receive(watermark, make_message(5, total=24, quantity=12), at(2)).watermark.sequence == 5


def test_the_missing_ranges_are_bounded():
    watermark = watermark_after(*range(1, 2 * MOST_RANGES + 100, 2))

    assert len(watermark.missing) == MOST_RANGES
    assert watermark.missing[-1] == (2 * MOST_RANGES + 98, 2 * MOST_RANGES + 98)


def test_the_key_is_the_devices_id():
    assert message_key(make_message(17, id="PACKER-1-1-17"), at(0)) == "PACKER-1-1-17"


def test_a_number_alone_is_no_key_for_ever_the_time_goes_with_it():
    assert message_key(make_message(17), at(0)) == "17@2026-11-21T10:00:00+00:00"
    assert message_key(make_message(17), None) == "17"


def test_content_is_the_same_for_each_delivery_and_another_for_other_content():
    first = content(make_message(17, order="A"), at(0))

    assert first == content(make_message(17, order="A"), at(0))
    assert len(first) == 16
    assert len({first, content(make_message(17, order="B"), at(0)), content(make_message(17, order="A"), None)}) == 3

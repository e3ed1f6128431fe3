"""Messages that were put aside when they came and are read later: the watermark has gone on meanwhile."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gateway.counting.messages import Arrival, Settled, Watermark, again
from gateway.signals.sample import Message

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
EARLIER, LATER = NOON - timedelta(minutes=1), NOON + timedelta(minutes=1)


def arrival(watermark, message, at=None):
    receipt = again(watermark, message, at)
    return receipt.verdict, receipt.watermark


def test_the_first_message_of_all_sets_the_watermark():
    assert (Arrival.NEW, Watermark(7)) == arrival(None, Message(sequence=7))


def test_what_is_missing_is_filled():
    receipt = again(Watermark(9, missing=((7, 7),)), Message(sequence=7), None)

    assert (Arrival.LATE, Watermark(9), 7) == (receipt.verdict, receipt.watermark, receipt.filled.first)


def test_the_newest_message_moves_the_watermark():
    assert (Arrival.NEW, Watermark(10)) == arrival(Watermark(9), Message(sequence=10))


@pytest.mark.parametrize("at", [None, EARLIER])
def test_a_number_that_was_never_missed_begins_no_new_numbering(at):
    before = Watermark(9, source_time=NOON)

    assert (Arrival.LATE, before) == arrival(before, Message(sequence=3), at)


def test_a_higher_number_of_an_earlier_numbering_opens_no_gap():
    before = Watermark(9, source_time=NOON)

    assert (Arrival.LATE, before) == arrival(before, Message(sequence=5000), EARLIER)


def test_by_the_devices_clock_newer_it_may_begin_a_new_numbering():
    before = Watermark(9, source_time=NOON)

    assert (Arrival.REPEATED, before) == arrival(before, Message(sequence=1), LATER)


def test_a_lower_total_does_not_begin_anew():
    before = Watermark(None, Decimal(50), (), NOON)

    assert (Arrival.LATE, before) == arrival(before, Message(total=Decimal(40)), EARLIER)


@pytest.mark.parametrize("settled", [Settled(3, 4, 1, "eva", NOON), Settled(None, None, 1, "eva", NOON)])
def test_what_a_person_has_settled_is_too_late(settled):
    before = Watermark(9, source_time=NOON, settled=(settled,))
    receipt = again(before, Message(sequence=3), EARLIER)

    assert (Arrival.TOO_LATE, settled) == (receipt.verdict, receipt.settled)

"""Messages that were put aside when they came and are read later: the watermark has gone on meanwhile."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gateway.counting.messages import MOST_RANGES, Arrival, Gap, Settled, Watermark, again, receive, restart, settle
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


def totals(*sent, begin=None):
    """Return the watermark after messages of (total, quantity), all by the same device's clock."""
    watermark = begin
    for total, quantity in sent:
        watermark = receive(watermark, Message(total=Decimal(total), quantity=Decimal(quantity)), NOON).watermark
    return watermark


def redriven(watermark, total, quantity, at=EARLIER):
    receipt = again(watermark, Message(total=Decimal(total), quantity=Decimal(quantity)), at)
    left = [(int(first), int(last)) for first, last in receipt.watermark.unreported]
    return receipt.verdict, receipt.filled, left


@pytest.mark.parametrize(
    ("total", "quantity", "left"),
    [(24, 12, []), (18, 6, [(18, 24)]), (24, 6, [(12, 18)]), (20, 4, [(12, 16), (20, 24)])],
    ids=["all of it", "its beginning", "its end", "amid"],
)
@pytest.mark.parametrize("at", [None, EARLIER])
def test_a_total_within_a_loss_fills_that_much_of_it(total, quantity, left, at):
    watermark = totals((12, 12), (36, 12))

    assert (Arrival.LATE, Gap(None, None, Decimal(quantity)), left) == redriven(watermark, total, quantity, at)


@pytest.mark.parametrize(("total", "quantity"), [(6, 6), (30, 6), (18, 12), (30, 12)])
def test_a_total_that_no_loss_spans_fills_none(total, quantity):
    watermark = totals((12, 12), (36, 12))

    assert (Arrival.LATE, None, [(12, 24)]) == redriven(watermark, total, quantity)


def test_a_total_fills_its_loss_but_once():
    watermark = totals((12, 12), (36, 12))
    filled = again(watermark, Message(total=Decimal(24), quantity=Decimal(12)), EARLIER).watermark

    assert (Arrival.LATE, None, []) == redriven(filled, 24, 12)


def test_what_was_lost_earlier_stays_known_as_the_source_goes_on():
    watermark = totals((12, 12), (36, 12), (48, 12), (72, 12))

    assert (Arrival.LATE, Gap(None, None, Decimal(12)), [(48, 60)]) == redriven(watermark, 24, 12)


def test_a_message_that_comes_late_by_itself_fills_its_loss_too():
    receipt = restart(totals((12, 12), (36, 12)), Message(total=Decimal(24), quantity=Decimal(12)), EARLIER)

    assert (Arrival.LATE, Gap(None, None, Decimal(12)), ()) == (
        receipt.verdict,
        receipt.filled,
        receipt.watermark.unreported,
    )


def test_what_a_person_settled_is_filled_no_more():
    settled = Settled(None, None, 1, "eva", NOON)
    watermark = settle(totals((12, 12), (36, 12)), [settled])

    assert (Arrival.TOO_LATE, None, []) == redriven(watermark, 24, 12)


def test_a_settled_number_leaves_what_only_totals_show():
    watermark = settle(totals((12, 12), (36, 12)), [Settled(3, 4, 1, "eva", NOON)])

    assert (Arrival.LATE, Gap(None, None, Decimal(12)), []) == redriven(watermark, 24, 12)


def test_where_numbers_began_anew_the_totals_show_what_was_lost_around_it():
    before = Watermark(9, Decimal(90), source_time=EARLIER)
    anew = restart(before, Message(sequence=3, total=Decimal(93)), NOON).watermark
    receipt = again(anew, Message(sequence=2, total=Decimal(92)), EARLIER)

    assert (Arrival.LATE, Gap(None, None, Decimal(1)), ((Decimal(90), Decimal(91)),)) == (
        receipt.verdict,
        receipt.filled,
        receipt.watermark.unreported,
    )


def test_a_total_that_began_again_forgets_what_was_lost_of_the_one_before():
    watermark = restart(totals((12, 12), (36, 12)), Message(total=Decimal(8), quantity=Decimal(3)), LATER).watermark

    assert ((Decimal(0), Decimal(5)),) == watermark.unreported


def test_a_restart_without_a_total_shows_no_loss():
    watermark = restart(Watermark(9, source_time=EARLIER), Message(sequence=1), NOON).watermark

    assert () == watermark.unreported


def test_of_very_many_losses_the_newest_are_known():
    watermark = totals(*((10 * number, 1) for number in range(1, MOST_RANGES + 10)))

    assert MOST_RANGES == len(watermark.unreported)


def test_a_total_that_began_again_with_less_than_the_message_says_shows_no_loss():
    receipt = restart(totals((36, 12)), Message(total=Decimal(2), quantity=Decimal(5)), LATER)

    assert (None, ()) == (receipt.missed, receipt.watermark.unreported)

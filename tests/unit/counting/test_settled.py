"""What a person settled: messages that come too late for it, and catch-ups that are held to be settled."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gateway.counting.counter import Verdict
from gateway.counting.messages import MOST_RANGES, Arrival, Settled, Watermark, receive, restart, settle
from gateway.counting.outcomes import hold_for_split
from gateway.signals.sample import Message


def at(seconds: float) -> datetime:
    return datetime(2026, 11, 21, 10, tzinfo=UTC) + timedelta(seconds=seconds)


def settled(first: int | None = 2, last: int | None = 4, until: float = 5) -> Settled:
    return Settled(first, last, 7, "anna", at(until))


@pytest.fixture
def watermark() -> Watermark:
    """Messages 2 to 4 and 6 to 7 are missing, and the first three were settled."""
    return settle(Watermark(8, None, ((2, 4), (6, 7)), at(8)), [settled()])


def test_what_was_settled_is_missing_no_more(watermark):
    assert (((6, 7),), (settled(),)) == (watermark.missing, watermark.settled)


def test_what_was_left_of_a_range_is_settled_with_it():
    assert () == settle(Watermark(8, None, ((2, 2), (4, 4)), at(8)), [settled()]).missing


@pytest.mark.parametrize("number", [2, 3, 4])
def test_a_message_of_it_comes_too_late(watermark, number):
    receipt = receive(watermark, Message(sequence=number), at(number))

    assert (Arrival.TOO_LATE, settled(), watermark) == (receipt.verdict, receipt.settled, receipt.watermark)


@pytest.mark.parametrize(("number", "verdict"), [(1, Arrival.REPEATED), (5, Arrival.REPEATED), (6, Arrival.LATE)])
def test_any_other_message_is_what_it_was(watermark, number, verdict):
    receipt = receive(watermark, Message(sequence=number), at(number))

    assert (verdict, None) == (receipt.verdict, receipt.settled)


def test_a_newer_message_of_such_a_number_is_a_new_numbering(watermark):
    assert Arrival.REPEATED is receive(watermark, Message(sequence=3), at(100)).verdict


@pytest.mark.parametrize("message", [Message(sequence=9), Message(sequence=12)], ids=["next", "after a gap"])
def test_it_stays_known_as_the_source_goes_on(watermark, message):
    assert (settled(),) == receive(watermark, message, at(9)).watermark.settled


def test_it_stays_known_when_the_device_numbers_anew(watermark):
    assert (settled(),) == restart(watermark, Message(sequence=1), at(100)).watermark.settled


@pytest.mark.parametrize(("second", "verdict"), [(4, Arrival.TOO_LATE), (5, Arrival.TOO_LATE), (6, Arrival.LATE)])
def test_of_a_loss_without_numbers_the_time_tells(second, verdict):
    watermark = settle(Watermark(None, Decimal(9), (), at(8)), [settled(None, None)])

    assert verdict is restart(watermark, Message(total=Decimal(3)), at(second)).verdict


def test_without_numbers_it_stays_known_too():
    watermark = settle(Watermark(None, Decimal(9), (), at(8)), [settled(None, None)])

    assert watermark.settled == receive(watermark, Message(total=Decimal(10)), at(9)).watermark.settled


def test_of_very_many_the_newest_are_known(watermark):
    assert MOST_RANGES == len(settle(watermark, [settled(one, one) for one in range(0, 2 * MOST_RANGES, 2)]).settled)


@pytest.mark.parametrize(
    ("ranges", "joined"),
    [
        ([(12, 14), (10, 11)], [(10, 14)]),
        ([(10, 20), (12, 14), (19, 22)], [(10, 22)]),
        ([(10, 11), (13, 14)], [(10, 11), (13, 14)]),
        ([(None, None), (10, 10), (None, None), (11, 11)], [(None, None), (10, 11)]),
    ],
    ids=["adjacent", "overlapping", "apart", "without numbers"],
)
def test_ranges_of_one_settlement_are_joined(ranges, joined):
    watermark = settle(Watermark(30, None, (), at(8)), [settled(*one) for one in ranges])

    assert tuple(settled(*one) for one in joined) == watermark.settled


def test_ranges_of_two_settlements_stay_apart():
    both = [settled(10, 11), settled(12, 13)._replace(exception=8)]

    assert tuple(both) == settle(Watermark(30, None, (), at(8)), both).settled


def test_a_catch_up_that_is_held_counts_and_says_what_to_do(feed):
    line = feed()
    begin = line.wall
    booked = line.read(500, after=60)

    held = hold_for_split(booked, begin, line.wall, ["100045", "100046"])

    assert (Verdict.GAP_HELD, 0, 400, booked.checkpoint) == (
        held.verdict,
        held.delta,
        held.held.quantity,
        held.checkpoint,
    )
    assert held.held.reason == (
        "Nobody was looking from 2026-11-21T10:00:11.000Z to 2026-11-21T10:01:11.000Z, and the line worked on orders "
        "100045, 100046 meanwhile: split the units between them."
    )

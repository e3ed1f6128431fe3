"""Catch-ups over a gap in which the line's order changed: held, with the units divided by time where that is known."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from gateway.counting.counter import GapPolicy
from gateway.domain.command import SettledPart
from gateway.domain.exception import ExceptionKind
from gateway.errors import CommandRefused
from gateway.pipeline.splits import Share, Stretch, proposal
from tests.factories import NOON
from tests.unit.pipeline.held import OTHER, detail, held_line, make_held_model


@pytest.fixture
async def line(tmp_path):
    """A line whose filler doesn't say which order it works on."""
    async with held_line(tmp_path, make_held_model(reported=False)) as plant:
        yield plant


async def unwatched(line, *, made: int = 100, before: int = 40, after: int = 20, to: str = OTHER, **shown) -> None:
    """Change the order while nobody looks at the counter."""
    line.clock.advance(before)
    await line.start(to)
    line.read(good=100 + made, seconds=after, **shown)
    await line.turn()


def second(number: float):
    return NOON + timedelta(seconds=number)


async def test_a_gap_with_a_change_of_order_is_held_with_a_proposal_by_time(line):
    await unwatched(line)
    held = line.only(ExceptionKind.COUNTER)
    said = detail(held)

    assert "gap_held" == held.code
    assert "the order went from 100045 to 100046 meanwhile: split the units between them." in held.reason
    assert ["2026-11-21T12:00:01.000Z", "2026-11-21T12:01:01.000Z"] == said["interval"]
    assert ["100045", OTHER] == said["orders"]
    assert [
        {"quantity": "67", "order": "100045", "at": "2026-11-21T12:00:41.000Z"},
        {"quantity": "33", "order": OTHER, "at": "2026-11-21T12:01:01.000Z"},
    ] == said["proposal"]


async def test_the_proposal_can_be_settled_as_it_is(line):
    await unwatched(line)
    held = line.only(ExceptionKind.COUNTER)
    await line.settle(held, *(SettledPart(**_read(one)) for one in detail(held)["proposal"]))

    assert [("100045", "67"), (OTHER, "33")] == await line.outputs()
    assert ("100", "100", "0", "0", "0") == line.totals()


async def test_units_without_an_order_are_refused_where_it_changed(line):
    await unwatched(line)
    with pytest.raises(CommandRefused, match="the order changed meanwhile"):
        await line.settle(line.only(ExceptionKind.COUNTER), "100")


async def test_an_order_in_between_is_noticed_although_the_first_one_runs_again(line):
    line.clock.advance(20)
    await line.start(OTHER)
    line.clock.advance(20)
    await unwatched(line, before=0, to="100045")
    held = line.only(ExceptionKind.COUNTER)

    assert "the line worked on orders 100045, 100046, 100045 meanwhile" in held.reason
    assert [("34", "100045"), ("33", OTHER), ("33", "100045")] == [
        (one["quantity"], one["order"]) for one in detail(held)["proposal"]
    ]


async def test_a_gap_of_one_order_is_booked_at_once(line):
    line.read(good=200, seconds=60)
    await line.turn()

    assert [("100045", "100")] == await line.outputs()


async def test_a_change_of_order_without_a_gap_is_booked_at_once(line):
    await unwatched(line, made=10, before=5, after=1)

    assert [(OTHER, "10")] == await line.outputs()


async def test_where_the_device_reports_the_order_with_the_count_that_one_counts(tmp_path):
    async with held_line(tmp_path, make_held_model()) as line:
        line.read(good=100, order="100045")
        await unwatched(line, order="100045")

        assert [("100045", "100")] == await line.outputs()


async def test_the_policy_split_asks_although_the_device_reports_one_order(tmp_path):
    async with held_line(tmp_path, make_held_model(gap=GapPolicy.SPLIT)) as line:
        line.read(good=100, order="100045")
        await unwatched(line, order="100045")
        held = line.only(ExceptionKind.COUNTER)

        assert "the line worked on orders 100045, 100046 meanwhile" in held.reason
        assert ["100045", "100045"] == detail(held)["orders"]


async def test_the_policy_split_books_what_one_order_made(tmp_path):
    async with held_line(tmp_path, make_held_model(gap=GapPolicy.SPLIT)) as line:
        line.read(good=200, seconds=60)
        await line.turn()

        assert [("100045", "100")] == await line.outputs()


async def test_the_policy_hold_says_when_it_was_and_proposes_nothing_of_one_order(tmp_path):
    async with held_line(tmp_path, make_held_model(gap=GapPolicy.HOLD)) as line:
        line.read(good=200, seconds=60)
        await line.turn()
        held = line.only(ExceptionKind.COUNTER)
        await line.settle(held, "100")

        assert {"interval"} == detail(held).keys() - {"candidates", "key", "order", "at"}
        assert [("100045", "100")] == await line.outputs()
        assert [("2026-11-21T12:00:01.000Z",)] == await line.rows("SELECT since FROM event WHERE key = 'settled:1:1'")


async def test_a_change_that_nobody_told_has_no_proposal(tmp_path):
    async with held_line(tmp_path, make_held_model()) as line:
        line.read(good=100, order="100045")
        line.read(good=200, order=OTHER, seconds=60)
        await line.turn()
        said = detail(line.only(ExceptionKind.COUNTER))

        assert (["100045", OTHER], []) == (said["orders"], said["proposal"])


def stretches(*what: tuple[str, float]) -> list[Stretch]:
    """Return stretches one after another, each an order and its seconds."""
    found, begin = [], 0.0
    for order, seconds in what:
        found.append(Stretch(order, second(begin), second(begin + seconds)))
        begin += seconds
    return found


@pytest.mark.parametrize(
    ("units", "ran", "shares"),
    [
        (10, [("A", 1), ("B", 1)], [5, 5]),
        (1, [("A", 1), ("B", 1)], [1]),
        (10, [("A", 1), ("B", 2)], [3, 7]),
        (5, [("A", 1), ("B", 1), ("C", 1)], [2, 2, 1]),
        (9, [("A", 1), ("", 100), ("B", 2)], [3, 6]),
        (0, [("A", 1), ("B", 1)], []),
    ],
)
def test_units_are_divided_in_whole_ones_by_the_largest_remainder(units, ran, shares):
    assert shares == [one.quantity for one in proposal(units, stretches(*ran), first=None, last=None)]


def test_a_share_was_made_until_its_order_ended():
    ran = stretches(("A", 10), ("B", 30))

    assert [Share(1, "A", second(10)), Share(3, "B", second(40))] == proposal(4, ran, first="A", last="B")


@pytest.mark.parametrize(("first", "last"), [("X", "B"), ("A", "X")])
def test_what_contradicts_the_device_is_no_proposal(first, last):
    assert [] == proposal(10, stretches(("A", 1), ("B", 1)), first=first, last=last)


def _read(said: dict) -> dict:
    return {"quantity": Decimal(said["quantity"]), "order": said["order"], "at": datetime.fromisoformat(said["at"])}

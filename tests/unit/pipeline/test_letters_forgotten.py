"""Closed letters and settled refusals go with the postings of their time; open ones never."""

from datetime import timedelta

import pytest

from gateway.domain.command import DiscardLetter, RedriveLetter, RedrivePosting, SettlePosting
from gateway.store import retention
from gateway.store.batch import ConsumerKey, ConsumerKind
from gateway.store.retention import prune
from gateway.store.store import Registration
from tests.unit.pipeline.office import Office, office
from tests.unit.pipeline.test_letters import cases, packing, unread

KEEP = timedelta(days=90)


async def acknowledged(shop: Office, through: int, refused: dict[int, str] | None = None) -> None:
    erp = Registration(ConsumerKey(ConsumerKind.SINK, "erp"), required=True)
    await shop.store.register([erp], shop.clock.now().wall)
    await shop.asked(shop.pipeline.commands.deliver("erp", through, refused or {}))


async def pruned(shop: Office, through: int | None = None) -> int:
    return await prune(shop.store, KEEP, shop.clock.now().wall + KEEP + timedelta(days=1), through)


async def letters(shop: Office) -> list[int]:
    return [number for (number,) in await shop.rows("SELECT id FROM dead_letter ORDER BY id")]


async def five_letters(shop: Office) -> None:
    """Close the first before posting 2, the second before posting 3, the fourth after it; the third stays open."""
    for number in range(1, 6):
        await unread(shop, id=f"l-{number}")
    await shop.ask(RedriveLetter(1))  # posting 1
    await cases(shop, 1)
    await shop.ask(DiscardLetter(2, "a test message"))
    await cases(shop, 2)
    await shop.ask(DiscardLetter(4, "a test message"))


@pytest.mark.parametrize(("through", "left"), [(1, [2, 3, 4, 5]), (2, [2, 3, 4, 5]), (3, [3, 4, 5])])
async def test_a_closed_letter_goes_with_the_posting_after_it(tmp_path, through, left):
    async with packing(tmp_path) as shop:
        await five_letters(shop)
        await acknowledged(shop, through)

        assert through == await pruned(shop)
        assert left == await letters(shop)


async def test_what_is_not_archived_stays(tmp_path):
    async with packing(tmp_path) as shop:
        await five_letters(shop)
        await acknowledged(shop, 3)
        await pruned(shop, through=2)

        assert [2, 3, 4, 5] == await letters(shop)


async def test_the_number_of_a_letter_is_never_given_again(tmp_path):
    async with packing(tmp_path) as shop:
        await unread(shop, id="l-1")
        await shop.ask(DiscardLetter(1, "a test message"))
        await cases(shop, 1)
        await acknowledged(shop, 1)
        await pruned(shop)
        await unread(shop, id="l-2")

        assert [1, 2] == await letters(shop)


async def test_a_wrong_clock_takes_no_letter_before_its_posting(tmp_path):
    async with packing(tmp_path) as shop:
        await unread(shop, id="l-1")
        await unread(shop, id="l-2")
        await cases(shop, 1)
        shop.clock.advance(-10 * 365 * 86_400)  # no battery: closed long before it came
        await shop.ask(DiscardLetter(1, "a test message"))
        shop.clock.advance(10 * 365 * 86_400)
        await acknowledged(shop, 1)

        assert 1 == await pruned(shop)
        assert [1, 2] == await letters(shop)


async def test_a_settled_refusal_goes_and_one_that_was_booked_on_another_try(tmp_path):
    async with office(tmp_path, None, {"quantity": "20"}) as shop:
        await shop.pack("1", "2", "3")
        await acknowledged(shop, 3, {1: "unknown item", 2: "unknown item"})
        await shop.ask(SettlePosting("erp", 1, "booked by hand"))
        await shop.ask(RedrivePosting("erp", 2))
        await shop.asked(shop.pipeline.commands.tried_again("erp", 2, ""))
        await shop.pack("4")
        await acknowledged(shop, 4, {4: "unknown item"})

        assert 3 == await pruned(shop)
        assert [(1,), (2,), (4,)] == await shop.rows("SELECT seq FROM sink_rejection ORDER BY seq")

        await shop.ask(SettlePosting("erp", 4, "booked by hand"))
        await pruned(shop)

        assert [(4,)] == await shop.rows("SELECT seq FROM sink_rejection")


@pytest.mark.parametrize("statement", retention._DELETE_CLOSED)
async def test_what_the_journal_closes_is_found_without_reading_every_letter_or_refusal(tmp_path, statement):
    async with office(tmp_path, None) as shop:
        plan = [row[3] for row in await shop.rows(f"EXPLAIN QUERY PLAN {statement.replace('?', '5')}")]

    assert [] == [step for step in plan if step.startswith("SCAN") and "max" not in step]

"""Returns to the warehouse and cycle counts."""

from decimal import Decimal

import pytest

from gateway.domain.lot import Owner
from gateway.errors import CommandRefused
from tests.unit.pipeline.office import ORDER, office
from tests.unit.pipeline.stock_room import CARTONS, KEY, count, give_back

# --- returns ----------------------------------------------------------------------------------------


async def test_a_return_posts_once_by_its_transfer(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        answers = [await plant.ask(give_back()) for _ in range(2)]

        body = await plant.posting(1)
        assert [True, False] == answers
        assert ("return", "", []) == (body["posting_type"], body["order"], body["deviations"])
        assert [("returned", "CARTON-12", "C-1", "30")] == await plant.lines(1)
        assert [("R-1", "return", "100", "30")] == await plant.rows("SELECT id, kind, book, quantity FROM transfer")
        assert 70 == plant.left()


async def test_exposed_stock_goes_back_in_quarantine(tmp_path):
    async with office(tmp_path, None, {**CARTONS, "owner": ORDER}) as plant:
        await plant.ask(give_back("100", key=KEY._replace(owner=ORDER), exposed=True))

        body = await plant.posting(1)
        assert ("100045", "exposed") == (body["order"], body["deviations"][0]["code"])
        assert {} == plant.state.lots


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (give_back("101"), "101 EA is more than lot C-1 has left, 100"),
        (give_back("0"), "quantity 0 is not above zero"),
        (give_back(reason="whim"), "unknown reason code 'whim'"),
        (give_back(uom="kg"), "return R-1: no conversion from kg to EA"),
        (give_back(key=KEY._replace(lot="C-2")), "lot C-2 of CARTON-12 in L1-FILL was never staged to line L1"),
        (give_back(key=KEY._replace(owner=Owner("order", "7"))), "was never staged to order 7"),
    ],
)
async def test_a_return_that_cant_be_is_refused(tmp_path, command, why):
    async with office(tmp_path, None, CARTONS) as plant:
        with pytest.raises(CommandRefused, match=why):
            await plant.ask(command)


async def test_a_return_of_an_item_that_is_gone_from_the_master_data_is_refused(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.change(items={}, hash="sha256:gone")
        with pytest.raises(CommandRefused, match="return R-1: item CARTON-12 is not in the master data"):
            await plant.ask(give_back())


@pytest.mark.parametrize(
    ("first", "second"),
    [(give_back("30"), give_back("31")), (count("90"), count("91")), (give_back(), count("1", "R-1"))],
)
async def test_an_id_with_other_content_is_refused(tmp_path, first, second):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.ask(first)
        with pytest.raises(CommandRefused, match="was applied before with other content"):
            await plant.ask(second)


# --- cycle counts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("found", "line"), [("90", "10"), ("103", "-3")])
async def test_what_a_count_finds_is_what_is_left(tmp_path, found, line):
    async with office(tmp_path, None, CARTONS) as plant:
        answers = [await plant.ask(count(found)) for _ in range(2)]

        body = await plant.posting(1)
        assert [True, False] == answers
        assert Decimal(found) == plant.left()
        assert ("count", "count", line) == (
            body["posting_type"],
            body["lines"][0]["method"],
            body["lines"][0]["quantity"],
        )
        assert [("count", "100", found)] == await plant.rows("SELECT kind, book, quantity FROM transfer")


async def test_a_count_that_agrees_posts_nothing_and_is_kept(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.ask(count("100"))

        assert [(0,)] == await plant.rows("SELECT count(*) FROM posting")
        assert [("100", "100")] == await plant.rows("SELECT book, quantity FROM transfer")


async def test_a_count_finds_what_the_books_had_used_up(tmp_path):
    async with office(tmp_path, None, {"quantity": "4"}) as plant:
        await plant.pack("4")
        await plant.ask(count("2"))

        assert 2 == plant.left()


async def test_nobody_finds_less_than_nothing(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        with pytest.raises(CommandRefused, match="count I-1: nobody finds -1 EA"):
            await plant.ask(count("-1"))

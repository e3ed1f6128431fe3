"""Order close over a real store: what it clears, what it books, and what it refuses; windows closed by hand."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from gateway.backflush.close import Made
from gateway.domain.bom import BomOperation, Method, Shortage
from gateway.domain.command import AllowOverrun, CloseOrder, CloseWindow, CountLot, Residual, Reverse
from gateway.domain.line import Cumulation
from gateway.domain.lot import LotFacts, LotKey, LotStatus
from gateway.domain.posting import Output
from gateway.domain.signature import Author
from gateway.errors import CommandRefused
from gateway.pipeline.order_books import read_books
from tests.factories import NOON, day, make_component, make_order
from tests.unit.pipeline.office import ORDER, make_packed, make_packers, make_packing, office
from tests.unit.pipeline.plant import WEIGHT

CARTONS = {"quantity": "100"}
OWN = {"quantity": "20", "owner": ORDER}
KEY = LotKey(ORDER, "CARTON-12", "C-1", "L1-FILL")
BOB = Author("bob")


def close(residuals: Residual = Residual.LEAVE, reason: str = "surplus", order: str = "100045", **more) -> CloseOrder:
    return CloseOrder(order, residuals, reason, **more)


async def variances(plant) -> dict[str, tuple]:
    rows = await plant.rows("SELECT item, standard, actual, usage, mix, yields, scrap, line FROM variance")
    return {item: tuple(rest) for item, *rest in rows}


async def test_an_order_closes_with_its_variances(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("8")
        await plant.pack("2", signal=WEIGHT)
        seq = await plant.ask(close())

        body = await plant.posting(3)
        assert (3, "close", [], "surplus") == (seq, body["posting_type"], body["lines"], body["reason"]["code"])
        assert {"CARTON-12": ("8", "10", "0", "0", "0", "2", "L1")} == await variances(plant)
        assert "scrap +2 EA: rejects and rework were counted" == body["variances"][0]["cause"]
        assert plant.clock.now().wall == plant.state.order_states["100045"].closed_at


async def test_reversed_units_are_neither_made_nor_used(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("8", "2")
        await plant.ask(Reverse(2, "miscount"))
        await plant.ask(close())

        assert {"CARTON-12": ("8", "8", "0", "0", "0", "0", "L1")} == await variances(plant)


async def test_an_order_is_read_as_sums_not_posting_by_posting(tmp_path):
    async with office(tmp_path, None, {**CARTONS, "facts": LotFacts(supplier="PAPER INC")}) as plant:
        await plant.pack("3", "3", "2")
        await plant.ask(Reverse(3, "miscount"))
        writer = plant.pipeline.writer
        books = await read_books(writer, writer.working_copy(), "100045")

        assert (Made("0030", "3", Output(Decimal(6), Decimal(0), Decimal(0), "EA")),) == books.made
        assert [("CARTON-12", 6, "PAPER INC"), ("COLA-CASE-12", 6, "")] == sorted(
            (one.item, one.quantity, one.supplier) for one in books.lines
        )


async def test_counted_differences_and_rests_are_usage(tmp_path):
    async with office(tmp_path, None, OWN) as plant:
        await plant.pack("8")
        await plant.ask(CountLot("I-1", KEY, Decimal(11), "EA", "miscount"))
        await plant.ask(close(Residual.CONSUME))

        cause = "usage +12 EA: residuals 11, cycle counts 1 (lots C-1)"
        assert [("8", "20", "12", cause)] == await plant.rows("SELECT standard, actual, usage, cause FROM variance")


@pytest.mark.parametrize(
    ("residuals", "lines", "left"),
    [
        (Residual.LEAVE, [], 12),
        (Residual.RETURN, [("returned", "CARTON-12", "C-1", "12")], 0),
        (Residual.CONSUME, [("consumed", "CARTON-12", "C-1", "12")], 0),
    ],
)
async def test_the_orders_own_rests_are_cleared(tmp_path, residuals, lines, left):
    async with office(tmp_path, None, OWN, {"quantity": "5", "lot": "C-2", "received_at": day(1)}) as plant:
        await plant.pack("8")
        await plant.ask(close(residuals))

        assert lines == await plant.lines(2)
        assert (left, 5) == (plant.left(owner=ORDER), plant.left("C-2"))


async def test_a_rest_of_an_item_that_no_component_has_is_consumed_too(tmp_path):
    master = make_packed(more=(make_packing(make_component("GLUE"), bom="GLUED"),))
    async with office(tmp_path, make_packers(master), {**OWN, "item": "GLUE", "lot": "G-1"}) as plant:
        await plant.ask(close(Residual.CONSUME))

        assert [("", "GLUE", "20")] == await plant.rows(
            "SELECT bom_line, item, actual FROM variance WHERE item = 'GLUE'"
        )


async def test_restricted_rests_are_not_consumed(tmp_path):
    async with office(tmp_path, None, {**OWN, "status": LotStatus.QUARANTINE}) as plant:
        with pytest.raises(CommandRefused, match=r"isn't consumed: lot C-1 is in quarantine \(20 EA\)"):
            await plant.ask(close(Residual.CONSUME))


async def test_expired_rests_are_not_consumed(tmp_path):
    async with office(tmp_path, None, {**OWN, "expires_at": NOON + timedelta(seconds=30)}) as plant:
        plant.clock.advance(60)
        with pytest.raises(CommandRefused, match=r"isn't consumed: lot C-1 expired 2026-11-21T.* \(20 EA\)"):
            await plant.ask(close(Residual.CONSUME))


async def test_open_windows_and_deferred_issues_are_closed_first(tmp_path):
    operation = BomOperation("0030", "EA", receipt=True, defer=timedelta(hours=1))
    model = make_packers(make_packed(bom={"operations": (operation,)}), cumulate=Cumulation(window=timedelta(hours=1)))
    async with office(tmp_path, model, CARTONS) as plant:
        await plant.pack("8")
        seq = await plant.ask(close())

        assert (3, {}) == (seq, plant.state.documents)
        assert {"CARTON-12": ("8", "8", "0", "0", "0", "0", "L1")} == await variances(plant)


async def test_what_comes_after_the_close_waits(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.ask(close())
        await plant.pack("1")

        assert ["order-closed"] == [one.code for one in plant.state.exceptions.values()]


async def test_lots_with_a_density_of_their_own_have_their_standard_by_it(tmp_path):
    drink = make_component("DRINK", "6", uom="l", operation="0030")
    master = make_packed(drink, stocked_in={"DRINK": "kg"})
    lot = {"quantity": "100", "item": "DRINK", "uom": "kg", "facts": LotFacts(density=Decimal("1.05"))}
    async with office(tmp_path, make_packers(master), lot) as plant:
        await plant.pack("2")
        await plant.ask(close())

        assert [("12.6",)] == await plant.rows("SELECT standard FROM variance")


async def test_without_any_conversion_an_order_cant_be_closed(tmp_path):
    drink = make_component("DRINK", "6", uom="l", operation="0030", method=Method.MEASURED)
    async with office(tmp_path, make_packers(make_packed(drink, stocked_in={"DRINK": "kg"}))) as plant:
        with pytest.raises(CommandRefused, match="order 100045: no conversion from l to kg"):
            await plant.ask(close())


# --- tolerance --------------------------------------------------------------------------------------


def make_tolerant():
    return make_packers(make_packed(order={"under_tolerance": Fraction(1, 10), "over_tolerance": Fraction(1, 10)}))


@pytest.mark.parametrize("units", ["9", "11"])
async def test_an_order_within_its_tolerance_closes_unsigned(tmp_path, units):
    async with office(tmp_path, make_tolerant(), CARTONS) as plant:
        await plant.pack(units)
        await plant.ask(close(), BOB)

        assert [] == (await plant.posting(2))["deviations"]


async def test_an_order_outside_its_tolerance_closes_only_as_a_signed_deviation(tmp_path):
    async with office(tmp_path, make_tolerant(), CARTONS) as plant:
        await plant.pack("8")
        for author, deviation, why in ((BOB, False, "at least 9 have to be"), (BOB, True, "needs a signature")):
            with pytest.raises(CommandRefused, match=why):
                await plant.ask(close(deviation=deviation), author)
        await plant.ask(close(deviation=True))

        assert ["8 EA were received, at least 9 have to be"] == [
            one["text"] for one in (await plant.posting(2))["deviations"]
        ]


async def test_a_signed_overrun_is_the_upper_limit(tmp_path):
    async with office(tmp_path, make_tolerant(), CARTONS) as plant:
        await plant.ask(AllowOverrun("100045", Decimal(15)))
        await plant.pack("15")

        assert 2 == await plant.ask(close(), BOB)


# --- refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (close(order="7"), "order 7 is not in the master data"),
        (close(reason="whim"), "unknown reason code 'whim'"),
    ],
)
async def test_a_close_that_cant_be_is_refused(tmp_path, command, why):
    async with office(tmp_path) as plant:
        with pytest.raises(CommandRefused, match=why):
            await plant.ask(command)


async def test_an_order_closes_once(tmp_path):
    async with office(tmp_path) as plant:
        await plant.ask(close())
        with pytest.raises(CommandRefused, match="order 100045 was closed already, 2026-11-21T12"):
            await plant.ask(close())


async def test_an_order_whose_units_wait_is_not_closed(tmp_path):
    async with office(tmp_path) as plant:
        await plant.pack("8")
        with pytest.raises(CommandRefused, match=r"it still has exception 1 \([a-z-]+: 8 EA at operation 0030\)"):
            await plant.ask(close())


async def test_an_order_that_is_owed_something_is_not_closed(tmp_path):
    split = make_component("CARTON-12", "1", operation="0030", on_shortage=Shortage.SPLIT)
    async with office(tmp_path, make_packers(make_packed(split)), {"quantity": "5"}) as plant:
        await plant.pack("8")
        with pytest.raises(CommandRefused, match=r"it still has backlog 1 \(3 EA of BOM line 0010\)"):
            await plant.ask(close())


@pytest.mark.parametrize(("version", "named"), [("9", "9"), ("", "none effective")])
async def test_an_order_without_its_bom_is_not_closed(tmp_path, version, named):
    async with office(tmp_path) as plant:
        order = make_order(bom_version=version, bom="GONE")
        await plant.change(orders={order.order: order}, hash="sha256:gone")
        with pytest.raises(CommandRefused, match=rf"BOM GONE version \(?{named}\)? of order 100045"):
            await plant.ask(close())


# --- windows ----------------------------------------------------------------------------------------


async def test_a_window_is_closed_by_hand(tmp_path):
    async with office(tmp_path, make_packers(cumulate=Cumulation(window=timedelta(hours=1))), CARTONS) as plant:
        await plant.pack("8")

        assert 1 == await plant.ask(CloseWindow(1))
        assert "by hand" == (await plant.posting(1))["window"]["why"]


async def test_a_document_that_isnt_open_is_not_closed(tmp_path):
    async with office(tmp_path) as plant:
        with pytest.raises(CommandRefused, match="there is no open document 3"):
            await plant.ask(CloseWindow(3))

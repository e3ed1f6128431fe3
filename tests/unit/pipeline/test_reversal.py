"""Reversals over a real store: whole, cut, and what is as if it had never been posted."""

from decimal import Decimal
from fractions import Fraction

from gateway.domain.bom import Alternate, BomOperation
from gateway.domain.command import SetLotStatus
from gateway.domain.lot import LotStatus
from gateway.domain.quantity import Rounding, RoundingMode
from tests.factories import make_component
from tests.unit.pipeline.office import make_packed, make_packers, office
from tests.unit.pipeline.plant import CASE, REJECT, WEIGHT
from tests.unit.pipeline.reversals import CARTONS, WINDOW, undo

UP = Rounding(0, RoundingMode.UP)


async def test_a_reversal_mirrors_the_posting_and_restores_everything(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("4")
        seqs = await plant.ask(undo(1))

        body = await plant.posting(2)
        assert [2] == seqs
        assert {"seq": 1} == body["reverses"]
        assert {"code": "miscount", "text": "counted wrongly"} == body["reason"]
        assert ("anna", "Anna Arndt") == (body["person"], body["signature"]["name"])
        assert "-4" == body["output"]["good"]
        assert [
            ("produced", "COLA-CASE-12", "C261121-1", "-4"),
            ("consumed", "CARTON-12", "C-1", "-4"),
        ] == await plant.lines(2)
        assert 100 == plant.left()
        assert ("4", "0", "0", "0") == plant.tally(CASE)
        assert [("4",)] == await plant.rows("SELECT reversed FROM tally")
        assert {0} == {value for one in plant.state.progress.values() for value in one}
        assert [(0, Decimal(0))] == [(one.numerator, one.committed) for one in plant.state.requirements.values()]


async def test_a_used_up_lot_comes_back_with_the_status_it_has_now(tmp_path):
    async with office(tmp_path, None, {"quantity": "4"}) as plant:
        await plant.pack("4")
        await plant.ask(SetLotStatus("CARTON-12", "C-1", LotStatus.QUARANTINE, "tear found"))
        await plant.ask(undo(1))

        (lot,) = plant.state.lots.values()
        assert (4, LotStatus.QUARANTINE) == (lot.left, lot.status)


async def test_what_waits_for_the_restored_lot_posts(tmp_path):
    async with office(tmp_path, None, {"quantity": "4"}) as plant:
        await plant.pack("3", "2")
        await plant.ask(undo(1))

        assert [(3,)] == await plant.rows("SELECT count(*) FROM posting")
        assert 2 == plant.left()


async def test_a_cumulated_document_is_reversed_newest_trigger_first(tmp_path):
    master = make_packed(
        make_component("CARTON-12", "1", operation="0030", rounding=UP), bom={"base_quantity": Decimal(3)}
    )
    async with office(tmp_path, make_packers(master, cumulate=WINDOW), CARTONS) as plant:
        await plant.pack("3", "3", "3")
        plant.clock.advance(60)
        await plant.turn()
        await plant.ask(undo(1, "4"))

        links = await plant.rows("SELECT trigger_id, units FROM link WHERE document_id = 2 ORDER BY trigger_id")
        assert [(2, "-1"), (3, "-3")] == links
        assert [
            ("produced", "COLA-CASE-12", "C261121-1", "-4"),
            ("consumed", "CARTON-12", "C-1", "-1"),
        ] == await plant.lines(2)


async def test_partial_reversals_add_up_to_the_whole(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("4")
        for units in ("1", "2", None):
            await plant.ask(undo(1, units))

        quantities = [[one[3] for one in await plant.lines(seq)] for seq in (2, 3, 4)]
        assert [["-1", "-1"], ["-2", "-2"], ["-1", "-1"]] == quantities
        assert 100 == plant.left()


async def test_units_after_a_reversal_commit_as_if_the_reversed_ones_had_never_been(tmp_path):
    master = make_packed(
        make_component("CARTON-12", "4", operation="0030", rounding=UP), bom={"base_quantity": Decimal(9)}
    )
    async with office(tmp_path, make_packers(master), CARTONS) as plant:
        await plant.pack("3", "3")
        await plant.ask(undo(1))
        await plant.pack("3", "3")

        assert [4, 96] == [next(iter(plant.state.requirements.values())).committed, plant.left()]


async def test_rejects_and_rework_are_taken_out_where_they_were_counted(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("2", signal=WEIGHT)
        await plant.pack("3", signal=REJECT)
        await plant.ask(undo(1))
        await plant.ask(undo(2, "1"))

        assert [("0", "2")] == await plant.rows("SELECT scrapped, reversed FROM tally WHERE device = 'SCALE-1'")
        assert [("2", "1")] == await plant.rows("SELECT posted, reversed FROM tally WHERE device = 'FILLER-1'")
        assert ["0", "-1"] == [(await plant.posting(4))["output"][name] for name in ("scrap", "rework")]


async def test_reversed_places_in_the_order_are_free_again(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("2", "2")
        await plant.ask(undo(1))
        await plant.pack("2")

        spans = await plant.rows("SELECT trigger_id, span_start, reversed FROM span ORDER BY trigger_id")
        assert [(1, 0, 1), (2, 2_000_000, 0), (3, 0, 0)] == spans


async def test_a_cut_trigger_gives_back_the_places_of_its_newest_units(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("4")
        await plant.ask(undo(1, "1"))
        await plant.ask(undo(1, "1"))
        await plant.pack("3")

        spans = await plant.rows("SELECT span_start, span_end, reversed FROM span ORDER BY trigger_id, span_start")
        reach = await plant.rows("SELECT span_start, span_end FROM posting_line WHERE seq = 2 AND use = 'consumed'")
        unit = 1_000_000
        assert [(0, 2, 0), (2, 3, 1), (3, 4, 1), (2, 4, 0), (4, 5, 0)] == [
            (start // unit, end // unit, gone) for start, end, gone in spans
        ]
        assert [(3 * unit, 4 * unit)] == reach


async def test_the_orders_open_windows_are_posted_before_a_reversal(tmp_path):
    async with office(tmp_path, make_packers(cumulate=WINDOW), CARTONS) as plant:
        await plant.pack("3")
        plant.clock.advance(60)
        await plant.pack("2")
        await plant.ask(undo(1, "1"))

        assert [("3", "time"), ("2", "reversal"), ("-1", None)] == [
            (body["output"]["good"], body["window"] and body["window"]["why"])
            for body in [await plant.posting(seq) for seq in (1, 2, 3)]
        ]


async def test_units_in_another_unit_than_the_operations_are_counted_back_in_their_own(tmp_path):
    master = make_packed(
        units={("COLA-CASE-12", "EA", "case"): 2}, bom={"operations": (BomOperation("0030", "case", receipt=True),)}
    )
    async with office(tmp_path, make_packers(master), CARTONS) as plant:
        await plant.pack("3")
        await plant.ask(undo(1, "2"))
        await plant.ask(undo(1))

        assert ["-2", "-4"] == [(await plant.posting(seq))["output"]["good"] for seq in (2, 3)]
        assert [("3", "0", "3")] == await plant.rows("SELECT counted, posted, reversed FROM tally")


async def test_cuts_that_never_terminate_take_the_rest_with_the_last_unit(tmp_path):
    master = make_packed(units={("COLA-CASE-12", "roll", "EA"): Fraction(3)})
    async with office(tmp_path, make_packers(master), CARTONS) as plant:
        await plant.send(CASE, quantity=Decimal(1), uom="roll", id="r-1")
        await plant.turn()
        for _ in range(3):
            await plant.ask(undo(1, "1"))

        tally = plant.state.tallies[CASE]
        assert (1, 0, 1) == (tally.counted, tally.posted, tally.reversed)


async def test_a_lot_that_two_draws_took_comes_back_in_parts(tmp_path):
    shared = make_component("CARTON-12", "10", operation="0030", alternates=(Alternate("CARTON-B", 1, Fraction(2, 5)),))
    few, many = {"quantity": "3"}, {"quantity": "100", "item": "CARTON-B", "lot": "B-1"}
    async with office(tmp_path, make_packers(make_packed(shared)), few, many) as plant:
        await plant.pack("2")
        for _ in range(2):
            await plant.ask(undo(1, "1"))

        assert [["2", "3", "17"], ["-1", "-1.5", "-8.5"], ["-1", "-1.5", "-8.5"]] == [
            [one[3] for one in await plant.lines(seq)] for seq in (1, 2, 3)
        ]
        assert (3, 100) == (plant.left(), plant.left("B-1"))


async def test_places_that_are_free_beside_each_other_are_one(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("1", "1", "1", "1")
        for seq in (3, 1, 2):
            await plant.ask(undo(seq))

        assert [((0, 3_000_000),)] == [one.free for one in plant.state.span_heads.values()]

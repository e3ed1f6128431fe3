"""Reversals over a real store: whole, cut, with what is drawn once, deferred or owed; and what is refused."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from gateway.domain.bom import Activity, Alternate, BomOperation, Method, Shortage
from gateway.domain.command import (
    CloseOrder,
    CountLot,
    EditedLine,
    EnterOutput,
    IssueLot,
    Residual,
    ReturnLot,
    Reverse,
    SetLotStatus,
)
from gateway.domain.event import EventKind
from gateway.domain.line import Cumulation
from gateway.domain.lot import LotKey, LotStatus
from gateway.domain.quantity import Rounding, RoundingMode
from gateway.domain.signature import Author
from gateway.errors import CommandRefused
from gateway.pipeline.model import LineModel, Point
from gateway.pipeline.overlay import Shrinking
from tests.factories import LINE, make_component
from tests.unit.pipeline.office import PACKING, make_packed, make_packers, make_packing, office
from tests.unit.pipeline.plant import CASE, REJECT, WEIGHT, make_rule

CARTONS = {"quantity": "100"}
UP = Rounding(0, RoundingMode.UP)
WINDOW = Cumulation(window=timedelta(minutes=1))


def undo(seq: int, units: str | None = None, reason: str = "miscount") -> Reverse:
    return Reverse(seq, reason, None if units is None else Decimal(units))


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


# --- once an order ----------------------------------------------------------------------------------


def make_fixed():
    label = make_component("LABEL", "5", line="0020", operation="0030", fixed=True)
    return make_packers(make_packed(make_component("CARTON-12", "1", operation="0030"), label))


LABELS = {"quantity": "50", "item": "LABEL", "lot": "L-1"}


async def test_what_is_drawn_once_stays_until_the_last_unit_and_reverses_then_wherever_it_was_posted(tmp_path):
    async with office(tmp_path, make_fixed(), CARTONS, LABELS) as plant:
        await plant.pack("2", "2")
        first = await plant.ask(undo(1))
        kept = plant.left("L-1")
        last = await plant.ask(undo(2))

        assert [[3], [4, 5]] == [first, last]
        assert (45, 50) == (kept, plant.left("L-1"))
        assert [("consumed", "LABEL", "L-1", "-5")] == await plant.lines(4)
        assert {"seq": 1} == (await plant.posting(4))["reverses"]
        assert not any(one.once for one in plant.state.requirements.values())


async def test_what_another_operation_draws_once_is_not_asked_for(tmp_path, monkeypatch):
    operations = (BomOperation("0010", "EA"), *PACKING)
    label = make_component("LABEL", "5", line="0020", operation="0010", fixed=True)
    master = make_packed(make_component("CARTON-12", "1", operation="0030"), label, bom={"operations": operations})
    rules = (make_rule(CASE, EventKind.GOOD_UNITS, "0030"), make_rule(WEIGHT, EventKind.GOOD_UNITS, "0010"))
    points = {one.signal: Point(one.signal, "L1", rule=one, is_event=True) for one in rules}
    async with office(tmp_path, LineModel(points, master, {"L1": "100045"}), CARTONS, LABELS) as plant:
        await plant.pack("2", signal=WEIGHT)
        await plant.pack("2")
        monkeypatch.setattr(plant.store, "once_holders", None)

        assert [3] == await plant.ask(undo(2))


async def test_what_an_operation_before_it_drew_once_reverses_with_its_last_unit(tmp_path):
    operations = (BomOperation("0010", "EA", reporting_point=False), *PACKING)
    label = make_component("LABEL", "5", line="0020", operation="0010", fixed=True)
    master = make_packed(make_component("CARTON-12", "1", operation="0030"), label, bom={"operations": operations})
    async with office(tmp_path, make_packers(master), CARTONS, LABELS) as plant:
        await plant.pack("2", "2")
        await plant.ask(undo(1))
        await plant.ask(undo(2))

        assert (100, 50) == (plant.left(), plant.left("L-1"))


async def test_it_is_drawn_again_after_everything_was_reversed(tmp_path):
    async with office(tmp_path, make_fixed(), CARTONS, LABELS) as plant:
        await plant.pack("2")
        await plant.ask(undo(1))
        await plant.pack("1", "1")
        await plant.ask(undo(4))
        await plant.ask(undo(3))

        assert (100, 50) == (plant.left(), plant.left("L-1"))


# --- deferred and owed ------------------------------------------------------------------------------


async def test_deferred_issues_are_closed_and_mirrored_with_their_receipt(tmp_path):
    operation = BomOperation("0030", "EA", receipt=True, defer=timedelta(hours=1))
    async with office(tmp_path, make_packers(make_packed(bom={"operations": (operation,)})), CARTONS) as plant:
        await plant.pack("4")
        seqs = await plant.ask(undo(1))

        assert [3, 4] == seqs
        assert [("produced", "COLA-CASE-12", "C261121-1", "-4")] == await plant.lines(3)
        assert [("consumed", "CARTON-12", "C-1", "-4")] == await plant.lines(4)
        assert [1, 2] == [(await plant.posting(seq))["reverses"]["seq"] for seq in seqs]
        assert [("-4",), ("0",)] == await plant.rows(
            "SELECT units FROM link WHERE document_id > 2 ORDER BY document_id"
        )
        assert 100 == plant.left()


async def test_cuts_too_small_for_a_line_give_their_requirement_back_once(tmp_path):
    operation = BomOperation("0030", "EA", receipt=True, defer=timedelta(hours=1))
    glue = make_component("GLUE", "1", operation="0030", rounding=Rounding(0))
    async with office(
        tmp_path, make_packers(make_packed(glue, bom={"operations": (operation,), "base_quantity": Decimal(4)})), GLUE
    ) as plant:
        await plant.pack("4")
        for _ in range(4):
            await plant.ask(undo(1, "1"))

        assert [(0, 0)] == [(one.numerator, one.committed) for one in plant.state.requirements.values()]


async def test_a_scanned_lot_of_deferred_issues_is_taken_back_by_its_main_posting(tmp_path):
    operation = BomOperation("0030", "EA", receipt=True, defer=timedelta(hours=1))
    async with office(tmp_path, make_scanned(bom={"operations": (operation,)}), DRINK) as plant:
        await plant.ask(SCAN)
        await plant.ask(undo(1))

        assert 50 == plant.left("D-1")


def make_split():
    return make_packers(make_packed(make_component("CARTON-12", "1", operation="0030", on_shortage=Shortage.SPLIT)))


async def test_what_is_still_owed_is_cancelled_in_proportion(tmp_path):
    async with office(tmp_path, make_split(), {"quantity": "2"}) as plant:
        await plant.pack("8")
        await plant.ask(undo(1, "4"))

        (backlog,), (requirement,) = plant.state.backlogs.values(), plant.state.requirements.values()
        assert (2, 4) == (backlog.quantity, requirement.committed)  # the carton that came back settles one of three
        assert 0 == plant.left()


async def test_what_is_owed_of_the_once_quantity_stays_owed(tmp_path):
    split = make_component("CARTON-12", "5", operation="0030", fixed=True, on_shortage=Shortage.SPLIT)
    async with office(tmp_path, make_packers(make_packed(split)), {"quantity": "2"}) as plant:
        await plant.pack("8", "1")
        await plant.ask(undo(1))
        owed = [one.quantity for one in plant.state.backlogs.values()]
        await plant.ask(undo(2))

        assert [3] == owed
        assert ({}, 2) == (plant.state.backlogs, plant.left())


async def test_nothing_is_owed_after_the_whole_is_reversed(tmp_path):
    async with office(tmp_path, make_split(), {"quantity": "2"}) as plant:
        await plant.pack("8")
        await plant.ask(undo(1))

        assert ({}, {}) == (plant.state.backlogs, plant.state.exceptions)
        assert 2 == plant.left()


async def test_what_is_owed_is_looked_through_once_for_all_triggers(tmp_path, monkeypatch):
    split = make_packed(make_component("CARTON-12", "1", operation="0030", on_shortage=Shortage.SPLIT))
    async with office(tmp_path, make_packers(split, cumulate=WINDOW), {"quantity": "2"}) as plant:
        await plant.pack("2", "2", "2", "2")
        plant.clock.advance(60)
        await plant.turn()
        items, walked, short = Shrinking.items, [], len(plant.state.backlogs)

        def walk(overlay):
            walked.extend([overlay] if overlay.base is plant.state.backlogs else [])
            return items(overlay)

        monkeypatch.setattr(Shrinking, "items", walk)
        await plant.ask(undo(1))

        assert (3, 1) == (short, len(walked))
        assert {} == plant.state.backlogs


async def test_settled_backlogs_are_mirrored_with_what_was_short(tmp_path):
    async with office(tmp_path, make_split(), {"quantity": "2"}) as plant:
        await plant.pack("8")
        await plant.put("S-9", "4", lot="C-2")
        seqs = await plant.ask(undo(1))

        assert [3, 4] == seqs
        assert (2, 4, {}) == (plant.left(), plant.left("C-2"), plant.state.backlogs)


# --- what else a posting has ------------------------------------------------------------------------


async def test_activities_are_taken_back(tmp_path):
    machine = Activity("machine", Decimal("0.25"), "h", Rounding(2))
    operation = BomOperation("0030", "EA", receipt=True, activities=(machine,))
    async with office(tmp_path, make_packers(make_packed(bom={"operations": (operation,)})), CARTONS) as plant:
        await plant.pack("3")
        await plant.ask(undo(1, "1"))
        await plant.ask(undo(1))

        hours = [(await plant.posting(seq))["activities"][0]["quantity"] for seq in (1, 2, 3)]
        assert ["0.75", "-0.25", "-0.50"] == hours


async def test_an_edited_line_is_mirrored_with_its_standard(tmp_path):
    entry = EnterOutput("E-1", "100045", "0030", good=Decimal(4), lines=(EditedLine("0010", Decimal(6)),))
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.ask(entry)
        await plant.ask(undo(1, "1"))
        await plant.ask(undo(1))

        edited = [(await plant.posting(seq))["lines"][1] for seq in (1, 2, 3)]
        assert ["6", "-1.5", "-4.5"] == [one["quantity"] for one in edited]
        assert ["4", "-1", "-3"] == [one["standard"] for one in edited]
        assert 100 == plant.left()


def make_scanned(**changes):
    scanned = make_component("DRINK", "6", line="0020", operation="0030", method=Method.SCAN)
    return make_packers(make_packed(make_component("CARTON-12", "1", operation="0030"), scanned, **changes))


GLUE = {"quantity": "50", "item": "GLUE", "lot": "G-1"}
DRINK = {"quantity": "50", "item": "DRINK", "lot": "D-1"}
SCAN = IssueLot("I-1", "100045", "0030", "DRINK", "D-1", Decimal(7), "EA")


async def test_a_scanned_lot_that_was_issued_is_taken_back_whole(tmp_path):
    async with office(tmp_path, make_scanned(), DRINK) as plant:
        await plant.ask(SCAN)
        with pytest.raises(CommandRefused, match="posting 1 counts no units"):
            await plant.ask(undo(1, "7"))
        await plant.ask(undo(1))

        assert 50 == plant.left("D-1")
        with pytest.raises(CommandRefused, match="posting 1 is already reversed, by posting 2"):
            await plant.ask(undo(1))


async def test_a_posting_without_its_bom_is_mirrored_all_the_same(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("3")
        await plant.change(boms={}, hash="sha256:gone")
        await plant.ask(undo(1, "1"))

        assert 98 == plant.left()


async def test_a_posting_whose_bom_cant_be_exploded_any_more_is_mirrored_all_the_same(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("3")
        bom = make_packing(make_component("LEGS", "4", operation="0030", phantom=True))
        await plant.change(boms={("COLA-CASE-12", "3"): bom}, hash="sha256:changed")
        await plant.ask(undo(1, "1"))

        assert 98 == plant.left()


# --- refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (undo(9), "there is no posting 9"),
        (undo(0), "there is no posting 0"),
        (undo(1, reason="whim"), r"unknown reason code 'whim' \(known are: miscount, surplus\)"),
        (undo(1, "0"), "0 EA is nothing to reverse"),
        (undo(1, "5"), r"5 EA is more than posting 1 has left: 4 \(reverse 4 or less; the newest, trigger 1, has 4 of"),
    ],
)
async def test_a_reversal_of_what_isnt_there_is_refused(tmp_path, command, why):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("4")
        with pytest.raises(CommandRefused, match=why):
            await plant.ask(command)


async def test_a_reversal_without_a_signature_is_refused(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("4")
        with pytest.raises(CommandRefused, match="reversal needs a signature"):
            await plant.ask(undo(1), Author("anna"))


async def test_what_is_reversed_already_is_refused_by_name(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("4")
        await plant.ask(undo(1, "1"))
        await plant.ask(undo(1))
        with pytest.raises(CommandRefused, match="posting 1 is already reversed, by posting 2, 3"):
            await plant.ask(undo(1))


async def test_more_than_is_left_is_refused_and_says_how_much_is(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("4")
        await plant.ask(undo(1, "3"))
        with pytest.raises(CommandRefused, match="2 EA is more than posting 1 has left: 1"):
            await plant.ask(undo(1, "2"))


async def test_a_reversal_is_not_reversed(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("4")
        await plant.ask(undo(1))
        with pytest.raises(CommandRefused, match="posting 2 is a reversal, of posting 1"):
            await plant.ask(undo(2))


async def test_deferred_issues_are_reversed_by_their_main_posting(tmp_path):
    operation = BomOperation("0030", "EA", receipt=True, defer=timedelta(hours=1))
    async with office(tmp_path, make_packers(make_packed(bom={"operations": (operation,)})), CARTONS) as plant:
        await plant.pack("4")
        plant.clock.advance(3600)
        await plant.turn()
        with pytest.raises(CommandRefused, match="reverse posting 1: they are reversed with it"):
            await plant.ask(undo(2))


async def test_returns_and_counts_are_not_reversed(tmp_path):
    key = LotKey(LINE, "CARTON-12", "C-1", "L1-FILL")
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.ask(ReturnLot("R-1", key, Decimal(1), "EA", "surplus"))
        await plant.ask(CountLot("I-1", key, Decimal(90), "EA", "miscount"))
        for seq, why in ((1, "posting 1 is a return"), (2, "posting 2 is a count")):
            with pytest.raises(CommandRefused, match=why):
                await plant.ask(undo(seq))


async def test_postings_of_a_closed_order_are_not_reversed(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("4")
        await plant.ask(CloseOrder("100045", Residual.LEAVE, "surplus"))
        with pytest.raises(CommandRefused, match="order 100045 of posting 1 was closed"):
            await plant.ask(undo(1))


async def test_what_retention_deleted_is_not_reversed(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("4", "1")
        plant.store.posting_at = _nothing
        with pytest.raises(CommandRefused, match="retention has deleted posting 1"):
            await plant.ask(undo(1))


async def _nothing(_seq: int) -> None:
    return None


async def test_a_trigger_of_which_retention_has_deleted_a_posting_is_not_reversed(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("4", "1")
        plant.store.postings_of = _none
        with pytest.raises(CommandRefused, match="retention has deleted a posting of trigger 1"):
            await plant.ask(undo(1))


async def _none(_documents) -> list:
    return []


async def test_a_document_that_counted_and_moved_nothing_has_nothing_to_reverse(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("0")
        with pytest.raises(CommandRefused, match="posting 1 has nothing that could be reversed"):
            await plant.ask(undo(1))

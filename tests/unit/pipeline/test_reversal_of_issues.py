"""Reversals of what a posting drew otherwise than by the piece: once an order, entered, scanned, by another BOM."""

from decimal import Decimal

import pytest

from gateway.domain.bom import Activity, BomOperation
from gateway.domain.command import EditedLine, EnterOutput
from gateway.domain.event import EventKind
from gateway.domain.quantity import Rounding
from gateway.errors import CommandRefused
from gateway.pipeline.model import LineModel, Point
from tests.factories import make_component
from tests.unit.pipeline.office import PACKING, make_packed, make_packers, make_packing, office
from tests.unit.pipeline.plant import CASE, WEIGHT, make_rule
from tests.unit.pipeline.reversals import CARTONS, DRINK, SCAN, make_scanned, undo

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


# --- what else a posting has ------------------------------------------------------------------------


async def test_activities_are_taken_back(tmp_path):
    machine = Activity("machine", Decimal("0.25"), "h", Rounding(2))
    operation = BomOperation("0030", "EA", receipt=True, activities=(machine,))
    async with office(tmp_path, make_packers(make_packed(bom={"operations": (operation,)})), CARTONS) as plant:
        await plant.pack("3")
        await plant.ask(undo(1, "1"))
        await plant.ask(undo(1))

        hours = [(await plant.posting(seq))["activities"][0]["quantity"] for seq in (1, 2, 3)]
        assert ["0.75", "-0.25", "-0.5"] == hours


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

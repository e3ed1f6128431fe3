"""Reversals of postings whose issues were deferred, or fell short and are still owed."""

from datetime import timedelta
from decimal import Decimal

from gateway.domain.bom import BomOperation, Shortage
from gateway.domain.quantity import Rounding
from gateway.pipeline.overlay import Shrinking
from tests.factories import make_component
from tests.unit.pipeline.office import make_packed, make_packers, office
from tests.unit.pipeline.reversals import CARTONS, DRINK, SCAN, WINDOW, make_scanned, undo

GLUE = {"quantity": "50", "item": "GLUE", "lot": "G-1"}


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

"""Reversals that are refused, and why."""

from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.domain.bom import BomOperation
from gateway.domain.command import CloseOrder, CountLot, Residual, ReturnLot
from gateway.domain.lot import LotKey
from gateway.domain.signature import Author
from gateway.errors import CommandRefused
from tests.factories import LINE
from tests.unit.pipeline.office import make_packed, make_packers, office
from tests.unit.pipeline.reversals import CARTONS, undo


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

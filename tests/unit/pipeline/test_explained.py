"""`gateway explain` says of every kind of document what it moved, why, and who answers for it."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.cli.explain import explain as printed
from gateway.domain.bom import BomOperation, Shortage
from gateway.domain.command import CloseOrder, CountLot, EditedLine, EnterOutput, Residual, ReturnLot, Reverse
from gateway.domain.lot import LotKey
from gateway.store.explanation import explain
from gateway.store.reading import read
from tests.factories import LINE, make_component
from tests.unit.pipeline.office import ORDER, Office, make_packed, make_packers, office
from tests.unit.store.by_hand import check_by_hand

CARTONS = {"quantity": "100"}
KEY = LotKey(LINE, "CARTON-12", "C-1", "L1-FILL")
SIGNED = "signed by Anna Arndt (anna, supervisor)"

Printed = Callable[[Office, int], str]


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Printed:
    def show(plant: Office, seq: int) -> str:
        printed(plant.path, seq)
        return capsys.readouterr().out

    return show


def explained(plant: Office, seq: int) -> dict:
    return read(plant.path, lambda raw: explain(raw, seq))


async def test_a_return_says_lot_quantity_person_and_reason(tmp_path, shown):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.ask(ReturnLot("T-1", KEY, Decimal(5), "EA", "surplus"))
        text = shown(plant, 1)

    assert text.startswith("posting 1  return  CARTON-12\n")
    assert "line 1: returned 5 EA CARTON-12 lot C-1 in L1-FILL, of line L1" in text
    assert "reason surplus: more than was needed" in text
    assert "by anna" in text
    assert "snapshot" not in text


async def test_a_count_says_who_signed_it(tmp_path, shown):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.ask(CountLot("C-7", KEY, Decimal(97), "EA", "miscount"))
        text, whole = shown(plant, 1), explained(plant, 1)

    assert "line 1: consumed 3 EA CARTON-12 lot C-1 in L1-FILL, of line L1, method count" in text
    assert SIGNED in text
    assert ("anna", "3") == (whole["signature"]["user"], whole["lines"][0]["quantity"])


async def test_a_closed_order_says_residuals_variances_and_signer(tmp_path, shown):
    async with office(tmp_path, None, CARTONS, {"quantity": "20", "owner": ORDER}) as plant:
        await plant.pack("10")
        await plant.ask(CloseOrder("100045", Residual.RETURN, "surplus", deviation=True))
        text = shown(plant, 2)

    assert text.startswith("posting 2  close  order 100045  COLA-CASE-12 lot")
    assert "line 1: returned 10 EA CARTON-12 lot C-1 in L1-FILL, of order 100045" in text
    assert "variance CARTON-12 BOM line 0010: actual 10 − standard 10 = 0 EA" in text
    assert SIGNED in text


async def test_a_reversal_says_what_it_mirrors_line_by_line(tmp_path, shown):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.pack("10")
        for units in (4, 3):
            await plant.ask(Reverse(1, "miscount", Decimal(units)))
        first, second, whole = shown(plant, 2), shown(plant, 3), explained(plant, 3)

    assert "trigger 1 posted 10, reversed 4 of 10 units → -4 EA" in first
    assert "trigger 1 posted 10, 4 reversed before, reversed 3 of 10 units → -3 EA" in second
    assert SIGNED in second
    assert "a unit" not in second
    assert ("mirrored", None) == tuple(whole["triggers"][0]["draws"][0][name] for name in ("how", "formula"))
    assert ("10", "3") == tuple(whole["triggers"][0]["mirrors"][name] for name in ("units_posted", "units_reversed"))


async def test_an_entry_says_who_made_it_and_what_was_edited(tmp_path, shown):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.ask(EnterOutput("E-1", "100045", "0030", Decimal(5), lines=(EditedLine("0010", Decimal(6)),)))
        text = shown(plant, 1)

    assert "entered by anna" in text
    assert "edited: 6 for BOM line 0010 instead of the standard" in text
    assert "consumed 6 EA CARTON-12 lot C-1 in L1-FILL, of line L1, BOM line 0010" in text
    assert "standard 5" in text
    assert "CARTON-12 BOM line 0010 (entered)" in text


async def test_a_replenishment_says_what_is_left_and_wanted(tmp_path, shown):
    facts = {"CARTON-12": {"reorder_point": Decimal(20), "reorder_quantity": Decimal(500)}}
    async with office(tmp_path, make_packers(make_packed(item_facts=facts)), {"quantity": "24"}) as plant:
        await plant.pack("5")
        text = shown(plant, 2)

    assert text.startswith("posting 2  replenishment  CARTON-12\n")
    assert "line L1 has 19 EA of CARTON-12 left, at or below the reorder point 20: 500 EA are asked for" in text


async def test_deferred_issues_are_recomputed_from_the_units_they_follow(tmp_path, shown):
    packing = (BomOperation("0030", "EA", receipt=True, defer=timedelta(minutes=10)),)
    model = make_packers(make_packed(bom={"operations": packing}))
    async with office(tmp_path, model, CARTONS) as plant:
        await plant.pack("5")
        plant.clock.advance(601)
        await plant.turn()
        text, whole = shown(plant, 2), explained(plant, 2)

    assert text.startswith("posting 2  component deferred issues  order 100045")
    assert "follows posting 1" in text
    assert "trigger 1: 5 EA" in text
    assert "R = 0 + 5 + 0 = 5 EA" in text
    assert "5" == whole["triggers"][0]["units"]


async def test_a_mirror_of_deferred_issues_knows_the_units_it_takes(tmp_path, shown):
    packing = (BomOperation("0030", "EA", receipt=True, defer=timedelta(minutes=10)),)
    async with office(tmp_path, make_packers(make_packed(bom={"operations": packing})), CARTONS) as plant:
        await plant.pack("5")
        plant.clock.advance(601)
        await plant.turn()
        for units in (2, 3):
            plant.clock.advance(1)
            await plant.ask(Reverse(1, "miscount", Decimal(units)))
        first, second = shown(plant, 4), shown(plant, 6)

    assert "mirrors seq 2: of 5 EA posted, 2 are reversed" in first
    assert "trigger 1 posted 5, 2 reversed before, reversed 3 of 5 units → -3 EA" in second


async def test_a_backlog_says_what_was_short_and_what_came(tmp_path, shown):
    short = make_component("CARTON-12", "1", operation="0030", on_shortage=Shortage.SPLIT)
    async with office(tmp_path, make_packers(make_packed(short)), {"quantity": "3"}) as plant:
        await plant.pack("5")
        await plant.put("S-9", "1")
        text, whole = shown(plant, 2), explained(plant, 2)

    assert text.startswith("posting 2  component backlog issues  order 100045")
    assert "follows posting 1" in text
    assert "short of 2 EA when its trigger posted; 1 EA of it are taken here" in text
    assert "R and C stay as they are: it was committed then" in text
    assert 0 == check_by_hand(whole)

"""Staging with facts, scanning in and lot status; and what the journal has of the signature."""

from datetime import timedelta
from decimal import Decimal

import orjson
import pytest

from gateway.domain.command import ScanIn, Stage
from gateway.domain.line import Line
from gateway.domain.lot import LotFacts
from gateway.errors import CommandRefused
from tests.factories import LINE, NOON, make_staging
from tests.unit.pipeline.office import ORDER, make_packed, make_packers, office
from tests.unit.pipeline.stock_room import CARTONS, QUARANTINE, UNRESTRICTED, count, set_status


def facts(plant, lot: str = "C-1") -> LotFacts:
    return next(one.facts for key, one in plant.state.lots.items() if key.lot == lot)


# --- staging ----------------------------------------------------------------------------------------


async def test_a_lot_carries_when_it_came_and_what_was_told_of_it(tmp_path):
    async with office(tmp_path) as plant:
        await plant.put("S-1", "5", facts=LotFacts(supplier="ACME", potency=Decimal("0.9"), priority=2), scanned=True)

        assert LotFacts("ACME", 2, potency=Decimal("0.9"), staged_at=NOON, scanned_at=NOON) == facts(plant)


async def test_more_of_a_lot_is_no_new_arrival(tmp_path):
    async with office(tmp_path) as plant:
        await plant.put("S-1", "5", facts=LotFacts(supplier="ACME"), scanned=True)
        plant.clock.advance(60)
        await plant.put("S-2", "5")

        assert LotFacts("ACME", staged_at=NOON, scanned_at=NOON) == facts(plant)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (LotFacts(density=Decimal(0)), "density 0 is not above zero"),
        (LotFacts(potency=Decimal("10.1")), "potency 10.1 is not above zero and at most 10"),
        (LotFacts(temperature_coefficient=Decimal("0.01")), "needs a density and its reference_temperature"),
    ],
)
async def test_a_lot_that_can_not_be_like_that_is_not_staged(tmp_path, said, why):
    async with office(tmp_path) as plant:
        with pytest.raises(CommandRefused, match=f"staging S-1: .*{why}"):
            await plant.put("S-1", "5", facts=said)

        assert {} == plant.state.lots


async def test_a_used_up_lot_that_comes_again_is_a_new_arrival_and_needs_its_scan(tmp_path):
    async with office(tmp_path) as plant:
        await plant.put("S-1", "5", scanned=True)
        await plant.pack("5")
        plant.clock.advance(60)
        await plant.put("S-2", "5")

        assert (NOON + timedelta(seconds=60), None) == (facts(plant).staged_at, facts(plant).scanned_at)


@pytest.mark.parametrize("used_up", [False, True])
async def test_a_lot_in_quarantine_is_not_staged_as_unrestricted_to_another_owner(tmp_path, used_up):
    async with office(tmp_path, None, {"quantity": "5", "owner": ORDER}) as plant:
        if used_up:
            await plant.pack("5")
        await plant.ask(set_status(QUARANTINE))
        with pytest.raises(CommandRefused, match="lot C-1 has status quarantine in the store, unrestricted here"):
            await plant.put("S-9", "5", owner=LINE)
        await plant.put("S-9", "5", owner=LINE, status=QUARANTINE)

        assert {QUARANTINE} == {one.status for one in plant.state.lots.values()}


async def test_a_lot_has_one_supplier(tmp_path):
    async with office(tmp_path) as plant:
        await plant.put("S-1", "5", facts=LotFacts(supplier="ACME"))
        with pytest.raises(CommandRefused, match="lot C-1 has supplier ACME in the store, ZENITH here"):
            await plant.put("S-2", "5", facts=LotFacts(supplier="ZENITH"))


async def test_a_transfer_that_was_applied_before_changes_nothing(tmp_path):
    async with office(tmp_path) as plant:
        command = Stage(make_staging("S-1", "5", item="CARTON-12", lot="C-1"))

        assert [True, False] == [await plant.ask(command) for _ in range(2)]
        assert [(2,)] == await plant.rows("SELECT count(*) FROM input WHERE kind IN ('command', 'activation')")


# --- scanning in ------------------------------------------------------------------------------------


async def test_a_scan_makes_every_balance_of_the_lot_at_the_line_eligible(tmp_path):
    async with office(tmp_path, None, CARTONS, {**CARTONS, "owner": ORDER}) as plant:
        plant.clock.advance(60)

        assert [2, 0] == [await plant.ask(ScanIn("L1", "CARTON-12", "C-1")) for _ in range(2)]
        assert {NOON + timedelta(seconds=60)} == {one.facts.scanned_at for one in plant.state.lots.values()}


@pytest.mark.parametrize("command", [ScanIn("L2", "CARTON-12", "C-1"), ScanIn("L1", "CARTON-12", "C-2")])
async def test_a_lot_that_is_not_at_the_line_is_not_scanned_in(tmp_path, command):
    async with office(tmp_path, None, CARTONS) as plant:
        with pytest.raises(
            CommandRefused, match=f"lot {command.lot} of CARTON-12 is not staged at line {command.line}"
        ):
            await plant.ask(command)


async def test_units_wait_for_the_scan_of_their_lot(tmp_path):
    master = make_packed(lines={"L1": Line("L1", lot_scan=True)})
    async with office(tmp_path, make_packers(master), CARTONS) as plant:
        await plant.pack("4")
        held = plant.tally(("PACKER-1", "case_sealed"))
        await plant.ask(ScanIn("L1", "CARTON-12", "C-1"))

        assert (("4", "0", "0", "4"), 96) == (held, plant.left())


# --- status -----------------------------------------------------------------------------------------


async def test_a_status_holds_for_every_balance_of_the_lot(tmp_path):
    async with office(tmp_path, None, CARTONS, {**CARTONS, "owner": ORDER}) as plant:
        changed = await plant.ask(set_status(QUARANTINE))
        await plant.pack("1")

        assert (2, 200) == (changed, plant.left() + plant.left(owner=ORDER))
        ((body,),) = await plant.rows("SELECT body FROM journal WHERE kind = 'lot-status'")
        assert ["line L1", "order 100045"] == orjson.loads(body)["owners"]


async def test_a_lot_that_is_set_free_again_is_used(tmp_path):
    async with office(tmp_path, None, {**CARTONS, "status": QUARANTINE}) as plant:
        await plant.pack("1")
        await plant.ask(set_status(UNRESTRICTED))

        assert 99 == plant.left()


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (set_status(QUARANTINE, "C-9"), "lot C-9 of CARTON-12 was never staged here"),
        (set_status(UNRESTRICTED), "lot C-1 of CARTON-12 is unrestricted already"),
    ],
)
async def test_a_status_that_cant_be_set_is_refused(tmp_path, command, why):
    async with office(tmp_path, None, CARTONS) as plant:
        with pytest.raises(CommandRefused, match=why):
            await plant.ask(command)


# --- signatures -------------------------------------------------------------------------------------

SIGNED = [
    ("count", count("100"), "2026-11-21T12:00:00.000Z"),
    ("lot-status", set_status(QUARANTINE), "2026-11-21T12:00:00.000Z"),
]


@pytest.mark.parametrize(("kind", "command", "signed_at"), SIGNED)
async def test_the_journal_has_the_signature(tmp_path, kind, command, signed_at):
    async with office(tmp_path, make_packers(), CARTONS) as plant:
        await plant.ask(command)
        ((body,),) = await plant.rows(f"SELECT body FROM journal WHERE kind = '{kind}'")

    signature = orjson.loads(body)["signature"]
    assert ("anna", signed_at) == (signature["user"], signature["signed_at"])

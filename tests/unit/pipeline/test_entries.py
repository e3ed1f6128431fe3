"""Operators' entries where the data aren't what they should be, and where retention has been."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.domain.bom import Method, Shortage
from gateway.domain.command import EnterOutput, IssueLot, Reverse, ScanIn
from gateway.errors import CommandRefused, DataError, StoreError
from gateway.pipeline.commands import HANDLERS, CommandDesk
from gateway.store.batch import ConsumerKey, ConsumerKind
from gateway.store.retention import prune
from gateway.store.store import Registration
from tests.factories import NOON, make_component, make_phantom
from tests.unit.pipeline.office import ANNA, make_packed, make_packers, office

DAY = timedelta(days=1)
TWENTY = {"quantity": "20"}


def make_phantom_model():
    """Return packers whose cartons are in a phantom that became effective an hour before noon."""
    phantom = make_phantom(
        "PACK", make_component("CARTON-12", "1", operation=""), effective_from=NOON - timedelta(hours=1)
    )
    master = make_packed(make_component("PACK", "1", operation="0030", phantom=True))
    items = {**master.items, "CARTON-12": make_packed(make_component("CARTON-12")).items["CARTON-12"]}
    return make_packers(replace(master, boms={**master.boms, (phantom.bom, phantom.version): phantom}, items=items))


async def forget(plant) -> None:
    """Let the ERP have everything, and retention delete it."""
    await plant.store.register([Registration(ConsumerKey(ConsumerKind.PULLER, "erp"), True)], NOON)
    await plant.asked(plant.pipeline.commands.acknowledge("erp", plant.store.store, plant.state.head.seq))
    plant.clock.advance(40 * 86_400)
    await prune(plant.store, 30 * DAY, plant.clock.now().wall)


async def test_an_entry_of_a_time_without_its_phantom_waits_and_says_why(tmp_path):
    async with office(tmp_path, make_phantom_model(), TWENTY) as plant:
        await plant.ask(EnterOutput("E-1", "100045", "0030", Decimal(1), at=NOON - timedelta(hours=3)))
        (waiting,) = plant.state.exceptions.values()

        assert "data" == waiting.code
        assert "phantom PACK" in waiting.reason


async def test_data_that_a_handler_cannot_use_are_its_callers_refusal(tmp_path):
    async def broken(*_):
        raise DataError("phantom PACK has no BOM", "approve one")

    async with office(tmp_path) as plant:
        desk = CommandDesk(plant.pipeline.writer, lambda: None, {**HANDLERS, ScanIn: broken})
        with pytest.raises(CommandRefused, match="phantom PACK has no BOM"):
            await desk.execute_now(ScanIn("L1", "CARTON-12", "C-1"), ANNA)


async def test_a_posting_whose_main_one_is_deleted_is_not_reversed(tmp_path):
    carton = make_component("CARTON-12", "1", operation="0030", on_shortage=Shortage.SPLIT)
    async with office(tmp_path, make_packers(make_packed(carton)), {"quantity": "2"}) as plant:
        await plant.pack("8")
        plant.clock.advance(40 * 86_400)
        await plant.put("S-9", "20", lot="C-2")
        await plant.store.register([Registration(ConsumerKey(ConsumerKind.PULLER, "erp"), True)], NOON)
        await plant.asked(plant.pipeline.commands.acknowledge("erp", plant.store.store, 2))
        await prune(plant.store, 30 * DAY, plant.clock.now().wall)

        with pytest.raises(CommandRefused, match="retention has deleted the posting that posting 2 follows"):
            await plant.ask(Reverse(2, "miscount"))


ENTRIES = [
    EnterOutput("E-1", "100045", "0030", Decimal(1), at=NOON),
    IssueLot("I-1", "100045", "0030", "CARTON-12", "C-1", Decimal(1), "EA"),
]


@pytest.mark.parametrize("entry", ENTRIES)
async def test_an_entry_is_known_after_retention_has_deleted_its_events(tmp_path, entry):
    scanned = make_component("CARTON-12", "1", operation="0030", method=Method.SCAN)
    async with office(tmp_path, make_packers(make_packed(scanned)), TWENTY) as plant:
        first = await plant.ask(entry)
        await forget(plant)
        seq = plant.state.head.seq
        again = await plant.ask(entry)

        assert (True, False, seq) == (first, again, plant.state.head.seq)
        assert [(0,)] == await plant.rows("SELECT count(*) FROM event")


async def test_an_activation_that_is_committed_stays_in_force_when_what_follows_it_fails(tmp_path):
    async with office(tmp_path) as plant:
        await plant.pack("1")  # nothing is staged: it waits
        model = replace(plant.model, master=replace(plant.model.master, hash="sha256:other"))
        plant.pipeline.commands.desk.retry = _break
        answer = asyncio.ensure_future(plant.pipeline.commands.activate(model))
        await asyncio.sleep(0)  # the command takes its place in the queue
        with pytest.raises(StoreError):
            await plant.turn()
        del plant.pipeline.commands.desk.retry
        await answer

        assert "sha256:other" == plant.pipeline.writer.model.master.hash


async def _break(number: int) -> None:
    raise StoreError(f"exception {number}: disk I/O error")

"""Trying again what waits: no more is read than has to be, and nothing is left out."""

from datetime import timedelta
from decimal import Decimal

from gateway.domain.command import StartOrder
from gateway.domain.exception import ExceptionKind
from gateway.pipeline.model import LineModel
from tests.factories import NOON
from tests.unit.pipeline.office import make_packers, office

MANY = 700  # more than one page


def make_idle() -> LineModel:
    """Return packers whose line has no order."""
    model = make_packers()
    return LineModel(model.points, model.master, {"L1": None})


def watch(plant) -> list[int]:
    """Return how many triggers each question to the store brought."""
    brought: list[int] = []
    asked = plant.store.held_triggers

    async def held(*parameters):
        found = await asked(*parameters)
        brought.append(len(found))
        return found

    plant.store.held_triggers = held
    return brought


async def test_only_the_first_trigger_is_read_while_it_still_waits(tmp_path):
    async with office(tmp_path) as plant:
        await plant.pack(*["1"] * 5)
        brought = watch(plant)
        await plant.put("S-9", "1", item="COLA-CASE-12")

        assert [1] == brought


async def test_what_waits_for_an_order_is_read_in_pages(tmp_path):
    async with office(tmp_path, make_idle(), {"quantity": "2000"}) as plant:
        for _ in range(MANY):
            await plant.send(quantity=Decimal("0.01"), uom="EA", id=f"m-{plant.delivered}")
            if plant.delivered % 100 == 0:
                await plant.turn()
        await plant.turn()
        brought = watch(plant)
        await plant.ask(StartOrder("L1", "100045", NOON - timedelta(hours=1)))

        assert [] == plant.exceptions(ExceptionKind.TRIGGER)
        assert MANY == sum(brought)
        assert max(brought) < 500

"""Rests that were short of something measured or edited: they were never committed, and never will be."""

from decimal import Decimal

import pytest

from gateway.domain.bom import Method, Shortage
from gateway.domain.command import EditedLine, EnterOutput, Reverse
from tests.factories import make_component
from tests.unit.pipeline.office import make_packed, make_packers, office

TWO = {"quantity": "2"}


def make_short(**component):
    """Return packers whose cartons may be short."""
    carton = make_component("CARTON-12", "1", operation="0030", on_shortage=Shortage.SPLIT, **component)
    return make_packers(make_packed(carton))


@pytest.fixture
async def plant(tmp_path):
    """Eight cartons were measured, two of them were there."""
    async with office(tmp_path, make_short(method=Method.MEASURED), TWO) as plant:
        await plant.pack("8")
        yield plant


def owed(plant) -> list[tuple[Decimal, bool]]:
    return [(one.quantity, one.calculated) for one in plant.state.backlogs.values()]


def committed(plant) -> list[Decimal]:
    return [one.committed for one in plant.state.requirements.values()]


async def test_a_measured_rest_is_owed_but_not_committed(plant):
    assert ([(6, False)], []) == (owed(plant), committed(plant))


async def test_a_measured_rest_is_settled_without_being_committed(plant):
    await plant.put("S-9", "4", lot="C-2")
    short = owed(plant)
    await plant.put("S-10", "10", lot="C-3")

    assert ([(2, False)], [], []) == (short, owed(plant), committed(plant))
    assert (0, 0, 8) == (plant.left(), plant.left("C-2"), plant.left("C-3"))


async def test_the_reversal_of_a_measured_trigger_takes_back_what_was_settled(plant):
    await plant.put("S-9", "4", lot="C-2")
    await plant.ask(Reverse(1, "miscount", None))

    assert (2, 4, []) == (plant.left(), plant.left("C-2"), owed(plant))
    assert [] == committed(plant)


async def test_a_part_of_a_measured_rest_is_cancelled_with_its_units(plant):
    await plant.ask(Reverse(1, "miscount", Decimal(4)))

    assert ([(2, False)], []) == (owed(plant), committed(plant))


async def test_an_edited_rest_is_settled_without_being_committed(tmp_path):
    async with office(tmp_path, make_short(), TWO) as plant:
        edited = (EditedLine("0010", Decimal(9)),)
        await plant.ask(EnterOutput("E-1", "100045", "0030", good=Decimal(8), lines=edited))
        short = owed(plant)
        await plant.put("S-9", "10", lot="C-2")

        assert ([(7, False)], [], []) == (short, owed(plant), committed(plant))
        assert 3 == plant.left("C-2")

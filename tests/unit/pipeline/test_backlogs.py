"""Rests that were short of something measured or edited: they were never committed, and never will be."""

from decimal import Decimal

import pytest

from gateway.domain.bom import LateStage, Method, Shortage
from gateway.domain.command import (
    AcceptDeviation,
    CloseException,
    CloseOrder,
    EditedLine,
    EnterOutput,
    Residual,
    Reverse,
)
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.lot import LotStatus
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


# --- what holds a rest up, and who may write it off -------------------------------------------------


@pytest.fixture
async def late(tmp_path):
    """Six cartons are owed, and those that came after their use need a signature."""
    async with office(tmp_path, make_short(late_stage=LateStage.SIGN), TWO) as plant:
        await plant.pack("8")
        plant.clock.advance(60)
        yield plant


def entry(plant) -> ExceptionRecord:
    (record,) = plant.exceptions(ExceptionKind.BACKLOG)
    return record


async def test_a_rest_that_cannot_be_settled_says_why(late):
    await late.put("S-9", "20", lot="C-2")

    assert "staged-after-use" == entry(late).code
    assert entry(late).reason.startswith("order 100045 is owed at operation 0030: 6 EA of CARTON-12 (BOM line 0010); ")
    assert "the deviation has to be signed" in entry(late).reason


async def test_a_rest_that_grows_still_says_why(late):
    await late.put("S-9", "20", lot="C-2", item="CARTON-12", status=LotStatus.QUARANTINE)
    before = entry(late).code
    await late.pack("2")

    assert ("shortage", "shortage") == (before, entry(late).code)
    assert "8 EA of CARTON-12" in entry(late).reason
    assert "quarantine" in entry(late).reason


async def test_an_accepted_deviation_settles_a_rest(late):
    await late.put("S-9", "20", lot="C-2")
    answer = await late.ask(AcceptDeviation(entry(late).id))

    assert (1, [], 14) == (answer, owed(late), late.left("C-2"))
    assert [] == late.exceptions(ExceptionKind.BACKLOG)


async def test_a_rest_that_is_written_off_is_not_owed_nor_committed(late):
    before = committed(late)
    await late.ask(CloseException(entry(late).id, "surplus"))

    assert ([8], [], [2]) == (before, owed(late), committed(late))
    assert [] == late.exceptions(ExceptionKind.BACKLOG)


async def test_an_order_whose_rest_is_written_off_can_be_closed(late):
    await late.ask(CloseException(entry(late).id, "surplus"))
    await late.ask(CloseOrder("100045", Residual.RETURN, "surplus", deviation=True))

    assert late.state.order_states["100045"].closed_at is not None


async def test_units_whose_rest_is_written_off_can_be_reversed(late):
    await late.ask(CloseException(entry(late).id, "surplus"))
    await late.ask(Reverse(1, "miscount", None))

    assert ([0], 2) == (committed(late), late.left())


async def test_a_measured_rest_that_is_written_off_was_never_committed(plant):
    await plant.ask(CloseException(entry(plant).id, "surplus"))

    assert ([], []) == (owed(plant), committed(plant))

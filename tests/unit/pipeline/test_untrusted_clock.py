"""No time, no posting: neither by a rule nor by hand, and nothing is lost meanwhile."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.domain.clock import ClockTrust
from gateway.domain.command import CloseOrder, CloseWindow, CountLot, Residual, ReturnLot, Reverse
from gateway.domain.line import Cumulation
from gateway.domain.lot import LotKey
from gateway.errors import CommandRefused
from tests.factories import LINE
from tests.unit.pipeline.office import make_packers, office
from tests.unit.pipeline.plant import VirtualClock

KEY = LotKey(LINE, "CARTON-12", "C-1", "L1-FILL")
WINDOW = {"cumulate": Cumulation(window=timedelta(hours=1))}
POSTING = [
    CloseWindow(2),
    CloseOrder("100045", Residual.LEAVE, "surplus", deviation=True),
    Reverse(1, "miscount"),
    ReturnLot("R-1", KEY, Decimal(1), "EA", "surplus"),
    CountLot("I-1", KEY, Decimal(1), "EA", "miscount"),
]


class DoubtfulClock(VirtualClock):
    trusted = ClockTrust("assume", 0)

    def trust(self) -> ClockTrust:
        return self.trusted


@pytest.fixture
async def plant(tmp_path):
    """Three cases were packed in a window and posted, two in the next one; then the clock is doubted."""
    async with office(tmp_path, make_packers(**WINDOW), {"quantity": "20"}) as plant:
        plant.clock = plant.pipeline.writer.clock = DoubtfulClock()
        await plant.pack("3")
        await plant.ask(CloseWindow(1))
        await plant.pack("2")
        plant.clock.trusted = ClockTrust("none", None, "not synchronised since boot")
        yield plant


@pytest.mark.parametrize("command", POSTING, ids=lambda one: type(one).__name__)
async def test_what_posts_by_hand_is_refused_with_the_clocks_reason(plant, command):
    with pytest.raises(CommandRefused, match="clock isn't trusted: not synchronised since boot"):
        await plant.ask(command)

    assert (1, 15) == (plant.state.head.seq, plant.left())


async def test_a_window_of_former_master_data_waits_for_the_clock(plant):
    await plant.change(hash="sha256:other")
    before = plant.state.head.seq
    plant.clock.trusted = ClockTrust("kernel", 8)
    await plant.turn()

    assert (1, 2) == (before, plant.state.head.seq)
    assert "master data" == (await plant.posting(2))["window"]["why"]


async def test_a_window_of_former_master_data_waits_for_the_clock_over_a_restart(plant):
    plant.model = replace(plant.model, master=replace(plant.model.master, hash="sha256:other"))
    await plant.crash()
    before = plant.state.head.seq
    plant.clock.trusted = ClockTrust("kernel", 8)
    await plant.turn()

    assert (1, 2) == (before, plant.state.head.seq)
    assert [] == list(plant.state.documents)

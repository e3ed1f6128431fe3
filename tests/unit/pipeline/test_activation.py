"""A configuration that has to be signed before anything posts by it."""

from dataclasses import replace

import pytest

from gateway.domain.command import Activate
from gateway.errors import CommandRefused
from tests.unit.pipeline.panel import SIGNER, entries, give, panel, waits


@pytest.fixture
async def plant(tmp_path):
    async with panel(tmp_path) as plant:
        yield plant


async def test_an_unsigned_configuration_holds_until_it_is_signed(plant):
    unsigned = replace(plant.model, activated=False, configuration="sha256:b")
    await plant.asked(plant.pipeline.commands.activate(unsigned))
    plant.read(good=110)
    await plant.turn()
    before = waits(plant)
    await give(plant, Activate("sha256:b"), SIGNER)

    assert [("not-activated", "100045/0010")] == before
    assert [] == waits(plant)
    assert ["anna"] == await entries(plant, "activated")


async def test_a_signed_configuration_stays_in_force_over_a_restart_and_a_reload(plant):
    plant.model = replace(plant.model, activated=False, configuration="sha256:b")
    await plant.asked(plant.pipeline.commands.activate(plant.model))
    await give(plant, Activate("sha256:b"), SIGNER)
    await plant.crash()
    seen = [plant.pipeline.writer.model.activated]
    await plant.asked(plant.pipeline.commands.activate(replace(plant.model, configuration="sha256:c")))
    seen.append(plant.pipeline.writer.model.activated)

    assert [True, False] == seen


async def test_only_the_loaded_configuration_can_be_signed(plant):
    with pytest.raises(CommandRefused, match="configuration sha256:c is not the one that is loaded"):
        await give(plant, Activate("sha256:c"), SIGNER)

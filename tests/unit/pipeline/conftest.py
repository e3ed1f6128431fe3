import pytest

from tests.unit.pipeline.plant import Plant


@pytest.fixture
async def empty(tmp_path):
    """A plant without stock; whatever a test does to it, it has to be consistent at the end."""
    plant = Plant(tmp_path / "gateway.db")
    await plant.open()
    try:
        yield plant
        while plant.pipeline.failure:
            await plant.settled()
        await plant.check()
    finally:
        await plant.close()


@pytest.fixture
async def plant(empty):
    """A plant with stock, its counters read for the first time."""
    await empty.stage("S-1", "1000")
    await empty.stage("S-2", "100", item="CARTON-12", lot="C-1")
    await empty.stage("S-3", "1000", item="DRINK", lot="D-1", uom="kg")
    empty.read(good=100, reject=0, total=100)
    await empty.turn()
    return empty

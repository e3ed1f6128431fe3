"""A full disk: the intake is paused, people are told, and it goes on by itself."""

import asyncio

import pytest

from gateway.domain.exception import ExceptionKind
from gateway.errors import StoreFull, TransientError
from gateway.pipeline import pipeline as module
from gateway.store.ballast import Ballast
from simulators.until import until


class FakeBallast(Ballast):
    """A disk that is full until it is told otherwise; the ballast's room is enough for an alarm."""

    full = False
    freed = 0

    needed = 1 << 20

    def make(self) -> bool:
        return not self.full

    def free(self) -> None:
        self.freed += 1

    def is_full(self, error) -> bool:
        return isinstance(error, StoreFull)


@pytest.fixture
async def ballast(plant, monkeypatch):
    """The plant's disk, empty; the pipeline looks often."""
    monkeypatch.setattr(module, "_PERIOD", 0.001)
    plant.pipeline._ballast = FakeBallast(plant.store.path, 1 << 20)
    yield plant.pipeline._ballast
    plant.pipeline._ballast.full = False


async def fill(plant, ballast) -> None:
    """Let a commit find the disk full, and wait until the pipeline has told so."""
    plant.run()
    await plant.settled()
    ballast.full = True
    whole = plant.store.commit

    async def commit(batch) -> None:
        plant.store.commit = whole
        raise StoreFull("store gateway.db: database or disk is full")

    plant.store.commit = commit
    await plant.send(id="c1")
    await until(lambda: alarms(plant))


def alarms(plant) -> list[str]:
    return [one.code for one in plant.state.exceptions.values() if one.kind is ExceptionKind.ALARM]


async def counting(plant) -> None:
    await until(lambda: not plant.pipeline.failure)


async def test_it_is_an_alarm_written_in_the_room_of_the_ballast(plant, ballast):
    await fill(plant, ballast)

    assert ballast.freed == 1
    assert ["disk-full"] == alarms(plant)


async def test_meanwhile_it_is_paused_and_refuses_commands(plant, ballast):
    await fill(plant, ballast)

    assert plant.pipeline.paused
    assert "is full: nothing is counted or acknowledged until 1 MiB are free" in plant.pipeline.failure
    with pytest.raises(TransientError, match="is full"):
        await plant.pipeline.commands.stage(None, "operator")


async def test_meanwhile_nothing_is_taken_or_acknowledged(plant, ballast):
    await fill(plant, ballast)
    await plant.send(id="c2")
    await asyncio.sleep(0.05)  # some looks at the disk: nothing shall come of them

    assert [] == plant.drivers["PACKER-1"].acknowledged
    assert len(plant.pipeline.intake) == 1


async def test_with_room_again_the_alarm_is_closed_and_the_sources_are_asked(plant, ballast):
    await fill(plant, ballast)
    plant.drivers["PACKER-1"].redelivered = 0
    ballast.full = False
    await counting(plant)

    assert [] == alarms(plant)
    assert not plant.pipeline.paused
    assert plant.drivers["PACKER-1"].redelivered == 1


async def test_a_disk_without_room_at_the_start_is_one_that_is_full(plant, ballast):
    ballast.full = True
    plant.run()
    await until(lambda: alarms(plant))
    ballast.full = False
    await counting(plant)

    assert not plant.pipeline.paused
    assert [] == alarms(plant)

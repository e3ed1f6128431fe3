"""A part that fails is started again, and touches no other."""

import asyncio
import contextlib

import pytest

from gateway.runtime.breaker import Rules
from gateway.runtime.supervisor import Supervisor, end
from simulators.until import until

QUICK = Rules(tries=3, within=60, rest=3600, long_run=0.05, first=0.001, at_most=0.001)


class Part:
    """Fails as often as told, then runs on."""

    def __init__(self, failures: int) -> None:
        self.left = failures
        self.runs = asyncio.Event()
        self.starts = 0

    async def run(self) -> None:
        self.starts += 1
        if self.left:
            self.left -= 1
            raise ValueError(f"failure {self.starts}")
        self.runs.set()
        await asyncio.Event().wait()


@pytest.fixture
async def started():
    tasks = []

    def start(supervisor: Supervisor, name: str, part: Part) -> None:
        tasks.append(asyncio.create_task(supervisor.supervise(name, part.run)))

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_part_that_fails_is_started_again(started):
    part = Part(2)
    started(Supervisor(QUICK), "sink erp", part)
    async with asyncio.timeout(60):
        await part.runs.wait()

    assert part.starts == 3


async def test_one_that_fails_again_and_again_rests_and_shows(started):
    supervisor, part = Supervisor(QUICK), Part(1000)
    started(supervisor, "sink erp", part)
    await until(lambda: bool(supervisor.tripped()), within=60)

    assert "failed 3 times, at last with: failure 3" in supervisor.tripped()["sink erp"]
    assert part.starts == 3


async def test_it_touches_no_other(started):
    supervisor, part = Supervisor(QUICK), Part(0)
    started(supervisor, "sink bad", Part(1000))
    started(supervisor, "sink good", part)
    await until(lambda: bool(supervisor.tripped()), within=60)

    assert {"sink bad"} == supervisor.tripped().keys()
    assert part.starts == 1


async def test_after_its_rest_and_a_long_run_it_no_longer_shows(started):
    supervisor, part = Supervisor(QUICK._replace(rest=0.001)), Part(3)
    started(supervisor, "sink erp", part)
    async with asyncio.timeout(60):
        await part.runs.wait()

    assert await until(lambda: not supervisor.tripped(), within=60)
    assert part.starts == 4


async def test_a_part_that_is_ended_is_forgotten():
    supervisor, part = Supervisor(QUICK), Part(0)
    task = asyncio.create_task(supervisor.supervise("device FILLER-1", part.run))
    await part.runs.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert {} == supervisor.tripped()


async def test_a_part_that_drops_a_cancellation_is_ended_all_the_same():
    begun = asyncio.Event()

    async def forgetful():
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    task = asyncio.create_task(forgetful())
    await begun.wait()
    async with asyncio.timeout(60):
        await end([task])

    assert task.cancelled()

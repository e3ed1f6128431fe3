"""An idle hour: the machine is quiet, the gateway asks it now and then, and nothing comes of it but the next unit."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.domain.clock import ClockTrust, Instant
from gateway.domain.event import SignalId
from gateway.ports import Link
from gateway.runtime.bootstrap import load_config, open_gateway
from gateway.runtime.clock import SystemClock
from gateway.runtime.gateway import Gateway
from gateway.store.batch import Tally
from simulators.line import Line
from simulators.until import until
from tests.harness.site import Site

pytestmark = pytest.mark.timeout(60)

FASTER = 600  # an hour in six seconds
IDLE = timedelta(hours=1)
FRESHNESS = 10.0  # s, as in the example
GOOD = SignalId("FILLER-1", "good")


class FastClock:
    """A clock that runs FASTER: what the gateway sees of the time."""

    def __init__(self) -> None:
        self._begun = SystemClock().now()

    def now(self) -> Instant:
        real = SystemClock().now()
        passed = (real.boottime - self._begun.boottime) * FASTER
        wall = self._begun.wall + timedelta(microseconds=passed // 1000)
        return Instant(wall, self._begun.boottime + passed, real.boot)

    def trust(self) -> ClockTrust:
        return ClockTrust("assume", 0)


@pytest.fixture
async def line(site: Site) -> AsyncIterator[Line]:
    """A filler and a capper that make nothing until they are told to."""
    async with Line(site.root, parts=frozenset({"filler", "capper", "broker", "packer"})) as running:
        running.pause("FILLER-1")
        yield running


@asynccontextmanager
async def serving(config: Path) -> AsyncIterator[Gateway]:
    async with open_gateway(load_config(config), FastClock()) as gateway:
        end = asyncio.Event()
        task = asyncio.create_task(gateway.serve(end))
        yield gateway
        end.set()
        await task


async def test_an_idle_hour_rebuilds_no_client_and_holds_nothing(site: Site, line: Line) -> None:
    site.configure(1, line.endpoints | {"erp": {"url": "http://127.0.0.1:1/"}})
    with site.changed("devices/filler-1.yaml") as device:
        device["freshness"] = f"{FRESHNESS / FASTER * 1000:.0f}ms"
        device["sampling_interval"] = "5ms"
    assert line.filler
    connections = count_connections(line)
    async with serving(site.config) as gateway:
        state = gateway.pipeline.writer.state
        await until(lambda: gateway.devices.health()["FILLER-1"].link is Link.CONNECTED)
        await until(lambda: GOOD in state.checkpoints)
        baseline, begun, commits = state.checkpoints[GOOD], time.monotonic(), gateway.pipeline.writer.batches
        await until(lambda: state.checkpoints[GOOD].seen.wall - baseline.seen.wall > IDLE)
        idle = time.monotonic() - begun
        line.resume("FILLER-1")
        await until(lambda: GOOD in state.tallies)

        assert 1 == len(connections)

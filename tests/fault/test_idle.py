"""An idle hour: the machine is quiet, the gateway asks it now and then, and nothing comes of it but the next unit."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.domain.clock import ClockTrust, Instant
from gateway.domain.event import SignalId
from gateway.runtime.clock import SystemClock
from simulators.line import Line
from simulators.link import LOOPBACK, Link
from simulators.until import until
from tests.harness.balance import made
from tests.harness.inside import serving
from tests.harness.ports import NOBODY
from tests.harness.site import Site

pytestmark = pytest.mark.timeout(240)

FASTER = 600  # an hour in six seconds
IDLE = timedelta(hours=1)  # longer than the 55 minutes that 16 bits can tell at 20 units a second
FRESHNESS = 10_000 / FASTER  # ms, as in the example
SAMPLING = "1s"  # so that a notification may be seconds late before the subscription is taken for dead
GOOD = SignalId("FILLER-1", "good")


class FastClock:
    """What the gateway sees of the time."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._begun = self._clock.now()

    def now(self) -> Instant:
        passed = (self._clock.now().boottime - self._begun.boottime) * FASTER
        wall = self._begun.wall + timedelta(microseconds=passed // 1000)
        return Instant(wall, self._begun.boottime + passed, self._begun.boot)

    def trust(self) -> ClockTrust:
        return self._clock.trust()


class CountingLink(Link):
    """The filler's cable, with a counter of the connections made over it."""

    connections = 0

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await super()._connect(reader, writer)


@pytest.fixture
async def line(site: Site) -> AsyncIterator[Line]:
    """The machines; the filler makes nothing until it is told to."""
    async with Line(site.root, parts=frozenset({"filler", "capper", "packer", "broker"})) as running:
        running.pause("FILLER-1")
        yield running


@pytest.fixture
async def cable(line: Line) -> AsyncIterator[CountingLink]:
    assert line.filler
    between = CountingLink()
    await between.open((LOOPBACK, line.filler.link.port))
    yield between
    await between.close()


async def test_an_idle_hour_rebuilds_no_client_and_does_not_hold_the_next_unit(
    site: Site, line: Line, cable: CountingLink
) -> None:
    filler = {"endpoint": f"opc.tcp://{LOOPBACK}:{cable.port}/"}
    site.configure(1, NOBODY | line.endpoints | {"filler": filler})
    with site.changed("devices/filler-1.yaml") as device:
        device["freshness"] = f"{FRESHNESS:.0f}ms"
        device["sampling_interval"] = SAMPLING
    async with serving(site.config, FastClock()) as gateway:
        state = gateway.pipeline.writer.state
        await until(lambda: GOOD in state.checkpoints)
        begun = state.checkpoints[GOOD].seen.wall
        await until(lambda: state.checkpoints[GOOD].seen.wall - begun > IDLE)
        quiet = (state.head.seq, dict(state.exceptions))
        line.resume("FILLER-1")
        await until(lambda: GOOD in state.tallies)
        await line.stop_production()
        total = made(site)[GOOD].total
        await until(lambda: state.tallies[GOOD].counted >= total)

        assert (0, {}) == quiet
        assert (total, Decimal(0)) == (state.tallies[GOOD].posted, state.tallies[GOOD].held)
        assert {} == state.exceptions
        assert cable.connections == 1

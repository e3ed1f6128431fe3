"""The gateway and an OPC UA server that isn't written in Python: node-opcua."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.domain.event import SignalId
from gateway.runtime.clock import SystemClock
from simulators.until import until
from tests.harness.inside import serving
from tests.harness.npm import peer
from tests.harness.ports import NOBODY, free_port
from tests.harness.site import Site, open_site

pytestmark = pytest.mark.timeout(600)  # the first run installs the server

GOOD = SignalId("FILLER-1", "good")
FIRST, MODULUS = 65_400, 65_536  # it rolls over on its way
UNITS = 600


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(("queue", "interval"), [(1, "500ms"), (20, "250ms"), (50, "50ms")])
async def test_no_unit_is_lost_when_the_counter_changes_faster_than_it_is_published(
    site: Site, queue: int, interval: str
) -> None:
    port = free_port()
    server = peer(site, "opcua_server.js", port, site.root, FIRST)
    site.configure(20, NOBODY | {"filler": {"endpoint": f"opc.tcp://127.0.0.1:{port}/"}})
    with site.changed("devices/filler-1.yaml") as device:
        device.update(queue_size=queue, sampling_interval=interval)
    async with serving(site.config, SystemClock()) as gateway:
        state = gateway.pipeline.writer.state
        await until(lambda: GOOD in state.checkpoints)
        server.type(f"count {UNITS} 3")
        await until(lambda: state.checkpoints[GOOD].value == (FIRST + UNITS) % MODULUS)
        tally = state.tallies[GOOD]

        assert [UNITS, UNITS, 0] == [tally.counted, tally.posted, tally.held]
        assert not state.exceptions


async def test_a_server_that_was_restarted_is_found_again_and_its_count_goes_on(site: Site) -> None:
    port = free_port()
    server = peer(site, "opcua_server.js", port, site.root, 100)
    site.configure(20, NOBODY | {"filler": {"endpoint": f"opc.tcp://127.0.0.1:{port}/"}})
    async with serving(site.config, SystemClock()) as gateway:
        state = gateway.pipeline.writer.state
        await until(lambda: GOOD in state.checkpoints)
        server.kill()
        server = peer(site, "opcua_server.js", port, site.root, 130)
        server.type("count 10 5")
        await until(lambda: state.checkpoints[GOOD].value == 140)

        assert state.tallies[GOOD].counted == 40
        assert not state.exceptions

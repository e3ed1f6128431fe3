"""The gateway and a Modbus server that isn't written in Python: modbus-serial."""

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

CAPPED = SignalId("CAPPER-1", "capped")
UNITS = 300


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("first", "last"),
    [
        pytest.param(65_400, 65_700, id="across the low word's end"),
        pytest.param(2**32 - 100, 200, id="across the counter's end"),
    ],
)
async def test_no_unit_is_lost_when_the_counter_changes_faster_than_it_is_polled(
    site: Site, first: int, last: int
) -> None:
    port = free_port()
    server = peer(site, "modbus_server.js", port, first)
    site.configure(20, NOBODY | {"capper": {"controller": f"tcp://127.0.0.1:{port}"}})
    async with serving(site.config, SystemClock()) as gateway:
        state = gateway.pipeline.writer.state
        await until(lambda: CAPPED in state.checkpoints)
        server.type(f"count {UNITS} 3")
        await until(lambda: state.checkpoints[CAPPED].value == last)
        tally = state.tallies[CAPPED]

        assert [UNITS, UNITS, 0] == [tally.counted, tally.posted, tally.held]
        assert not state.exceptions

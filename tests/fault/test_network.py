"""Partitions, loss, a pulled cable and a thin line: postings go on, and everything catches up by itself."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.harness.balance import assert_exact, made, settle
from tests.harness.broker import Mosquitto
from tests.harness.network import Network, own_network
from tests.harness.process import Process
from tests.harness.site import Site, open_site, run_empty, running_line
from tests.harness.until import until

pytestmark = pytest.mark.timeout(600)

SPEED = 3
GOOD, CAPPED, SEALED = ("FILLER-1", "good"), ("CAPPER-1", "capped"), ("PACKER-1", "case_sealed")
ADDRESSES = {GOOD: ("filler-1", "endpoint"), CAPPED: ("capper-1", "controller"), SEALED: ("packer-1", "broker")}


@pytest.fixture
def network() -> Iterator[Network]:
    with own_network(f"backflush-{uuid4().hex[:8]}") as opened:
        yield opened


@pytest.fixture
def site(network: Network, tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as opened:
        opened.environment = network.environment
        yield opened


@pytest.fixture
def line(site: Site) -> Process:
    """A line whose machines run, with its gateway."""
    broker = Mosquitto(site)
    line = running_line(site, speed=SPEED, options=("--broker", broker.url))
    site.gateway()
    site.connected()
    line.type("FILLER-1 resume")
    for signal in ADDRESSES:
        site.counted(*signal, 3)
    return line


def port_of(site: Site, file: str, *path: str | int) -> int:
    """Return the port of an address in a configuration file."""
    with site.changed(file) as data:
        found = data
        for step in path:
            found = found[step]
    port = urlsplit(str(found)).port
    assert port
    return port


def come_to_rest(site: Site, line: Process) -> None:
    run_empty(line)
    settle(site, within=180)


def go_on(site: Site, signal: tuple[str, str], units: int) -> None:
    """Wait until so many more are made."""
    before = made(site)[signal].total
    until(lambda: made(site)[signal].total >= before + units)


@pytest.mark.parametrize("cut", ADDRESSES, ids=lambda signal: signal[0])
def test_a_source_behind_a_partition_slows_no_other_and_catches_up(
    site: Site, line: Process, network: Network, cut: tuple[str, str]
) -> None:
    device, address = ADDRESSES[cut]
    network.swallow(port_of(site, f"devices/{device}.yaml", address))
    stands = site.tally("counted")
    for signal in ADDRESSES.keys() - {cut}:
        site.counted(*signal, stands[signal] + 20)
    go_on(site, cut, 1)
    behind = made(site)[cut].total - site.tally("counted")[cut]
    network.heal()
    come_to_rest(site, line)

    assert behind > 0
    assert_exact(site)


def test_postings_go_on_while_the_erp_is_cut_off_and_the_backlog_drains_once(
    site: Site, line: Process, network: Network
) -> None:
    network.swallow(port_of(site, "gateway.yaml", "sinks", 0, "url"))
    before = site.rows("SELECT max(seq) FROM posting")[0][0]
    until(lambda: site.rows("SELECT max(seq) FROM posting")[0][0] > before + 20)
    network.heal()
    come_to_rest(site, line)

    assert_exact(site)


def test_a_third_of_all_packets_may_be_lost(site: Site, line: Process, network: Network) -> None:
    network.lose(30)
    go_on(site, GOOD, 500)
    network.heal()
    come_to_rest(site, line)

    assert_exact(site)


def test_the_cable_may_be_pulled_and_plugged_in(site: Site, line: Process, network: Network) -> None:
    for _ in range(2):
        network.down()
        go_on(site, GOOD, 100)
        network.up()
        go_on(site, GOOD, 50)
    come_to_rest(site, line)

    assert_exact(site)


def test_a_thin_line_only_delays(site: Site, line: Process, network: Network) -> None:
    network.slow("400kbit")
    go_on(site, GOOD, 300)
    network.heal()
    come_to_rest(site, line)

    assert_exact(site)

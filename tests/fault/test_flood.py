"""A hundred times the normal rate from counters and messages at once: memory stays bounded, and every unit counts."""

from pathlib import Path

import pytest
from paho.mqtt import publish

from tests.harness.balance import assert_exact, assert_sound, lost, made
from tests.harness.load import Load
from tests.harness.site import Site
from tests.harness.until import until

pytestmark = pytest.mark.timeout(900)

NORMAL = 1  # 20 bottles and 1.7 cases a second
FLOOD = 100 * NORMAL
CASES = 1000  # some seconds of it
HUGE = 30
SIZES = (1 << 20, 8 << 20)  # bytes; the larger ones aren't kept whole
MIB = 1024
MOST = 350 * MIB  # KiB resident: what it imports is 130 of them, a full intake some 50


def largest(pid: int) -> int:
    """Return the most memory that the process ever had resident, in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def test_a_flood_costs_bounded_memory_and_no_count(site: Site) -> None:
    load = Load(site, speed=FLOOD)
    load.plenty(100)
    load.begin()
    site.counted("PACKER-1", "case_sealed", CASES, within=300)
    load.end()

    assert made(site)["FILLER-1", "good"].total > 10 * CASES
    assert largest(load.gateway.pid) < MOST
    assert_exact(site)


def test_a_flood_of_huge_messages_costs_bounded_memory_too(site: Site) -> None:
    load = Load(site, speed=NORMAL)
    load.begin()
    for number in range(HUGE):
        publish.multiple(
            [{"topic": "line1/packer/case_sealed", "payload": bytes([number]) * size, "qos": 1} for size in SIZES],
            hostname="127.0.0.1",
            port=load.broker.port,
        )
    until(lambda: site.status().get("dead_letters") == HUGE * len(SIZES), within=400, what=site.status)
    load.end()

    assert largest(load.gateway.pid) < MOST
    assert not lost(site)
    assert_sound(site.store)

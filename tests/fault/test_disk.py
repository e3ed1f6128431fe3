"""Disks that are full or fail: nothing is acknowledged, and all of it is counted as soon as they are well again."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fault.full_disk import closed, disk_of, full_disk, told_full
from tests.harness.balance import assert_exact
from tests.harness.load import Load
from tests.harness.site import Site
from tests.harness.strace import traced
from tests.harness.until import until

pytestmark = pytest.mark.timeout(600)

SPEED = 5
FAULTS = (
    "pwrite64:error=ENOSPC:when=20..60",
    "pwrite64:error=EIO:when=20..60",
    "fdatasync:error=EIO:when=2..6",
    "fdatasync:error=ENOSPC:when=2..6",
    "pwrite64,fdatasync,ftruncate,fallocate,unlink:error=EIO",  # the recovery, too
)
BY_ITSELF = 60.0  # s; it gives up the drain after 4, and one that waits for the disk never ends
REFUSED = "nothing is acknowledged until it is committed"
SHORT = 5.0  # s of full disk; the long run has ten minutes


def test_after_a_full_disk_the_count_is_exact_without_a_restart(site: Site) -> None:
    disk = disk_of(site)
    load = Load(site, speed=SPEED)
    load.begin()
    pid = load.gateway.pid
    said = full_disk(load, disk, SHORT)
    load.end()

    assert (said.ready, said.alive, said.command, said.pull, said.metric) == (503, 200, 503, 200, 1)
    assert "is full: nothing is counted or acknowledged until 16 MiB are free" in said.reason
    assert "disk-full" in said.alarms
    assert closed(site, "disk-full")[0].startswith("there is room again, after 0:0")
    assert load.gateway.pid == pid
    assert "Traceback" not in load.gateway.output
    assert_exact(site)


def test_a_gateway_that_is_killed_on_a_full_disk_starts_on_it_and_catches_up(site: Site) -> None:
    disk = disk_of(site)
    load = Load(site, speed=SPEED)
    load.begin()
    disk.fill()
    told_full(site)
    load.gateway.kill()
    load.gateway.start()
    until(lambda: site.status().get("paused"), what=lambda: load.gateway.output[-3000:])
    disk.free()
    load.end()

    assert closed(site, "disk-full")
    assert_exact(site)


def test_a_gateway_that_is_stopped_on_a_full_disk_ends_in_time(site: Site) -> None:
    disk = disk_of(site)
    load = Load(site, speed=SPEED)
    load.begin()
    disk.fill()
    told_full(site)
    load.gateway.signal(signal.SIGTERM)
    until(lambda: not load.gateway.running, within=BY_ITSELF)
    disk.free()
    load.gateway.start()
    load.end()

    assert_exact(site)


def test_what_a_failing_disk_refuses_comes_again(site: Site, tmp_path: Path) -> None:
    load = Load(site, speed=SPEED)
    load.begin()
    pid = load.gateway.pid
    for fault in FAULTS:
        before = load.gateway.output.count(REFUSED)
        with traced(pid, tmp_path / "strace.log", fault) as trace:
            until(lambda: trace.injected, what=lambda: load.gateway.output[-3000:])
            until(lambda: load.gateway.output.count(REFUSED) > before, what=site.status)  # noqa: B023 - called at once
        until(lambda: site.answers("/readyz"), what=site.status)
    load.end()

    assert load.gateway.pid == pid
    assert_exact(site)


@pytest.mark.parametrize(
    "obstacle",
    [
        lambda store: store.with_name(f"{store.name}.lock").mkdir(parents=True),
        lambda store: store.with_name(f"{store.name}.token").mkdir(parents=True),
        lambda store: store.mkdir(parents=True),
    ],
    ids=["lock", "token", "store"],
)
def test_what_keeps_it_from_starting_is_one_sentence_and_an_exit_code(
    site: Site, obstacle: Callable[[Path], None]
) -> None:
    Load(site)
    obstacle(site.store)
    code, output = site.command("run", site.config)

    assert code == 1
    assert "Traceback" not in output
    assert str(site.store) in output

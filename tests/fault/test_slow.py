"""A slow disk and a reader that doesn't end: people are told, the API answers, and nothing is lost."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.fault.full_disk import alarms, closed, metric
from tests.harness.balance import assert_exact
from tests.harness.load import Load
from tests.harness.site import Site
from tests.harness.strace import traced
from tests.harness.until import until

pytestmark = pytest.mark.timeout(180)

SPEED = 5
SOON = 1.0  # s in which the API answers however slow the disk is


def limits(site: Site, **changed: str) -> None:
    with site.changed("gateway.yaml") as data:
        data["store"].update(changed)


def delayed(seconds: float) -> str:
    return f"fdatasync:delay_exit={round(seconds * 1e6)}"


def slowest_answer(site: Site, times: int) -> float:
    """Return how long the slowest of so many answers took, in seconds."""
    slowest = 0.0
    for _ in range(times):
        begun = time.monotonic()
        site.api.get("/api/v1/status").raise_for_status()
        slowest = max(slowest, time.monotonic() - begun)
    return slowest


@pytest.mark.parametrize("delay", [0.1, 1.0])
def test_while_the_disk_is_slow_the_api_answers_and_no_count_is_lost(site: Site, tmp_path: Path, delay: float) -> None:
    load = Load(site, speed=SPEED)
    load.begin()
    with traced(load.gateway.pid, tmp_path / "strace.log", delayed(delay)):
        until(lambda: metric(site, "backflush_commit_seconds") >= delay, what=site.status)
        slowest = slowest_answer(site, 20)
        sealed = site.tally("counted")["PACKER-1", "case_sealed"]
        site.counted("PACKER-1", "case_sealed", sealed + 10)
    load.end()

    assert slowest < SOON
    assert_exact(site)


def test_a_disk_that_stays_slow_is_an_alarm_until_it_is_quick_again(site: Site, tmp_path: Path) -> None:
    load = Load(site, speed=SPEED)
    limits(site, slow_commit="200ms")
    load.begin()
    with traced(load.gateway.pid, tmp_path / "strace.log", delayed(0.5)):
        until(lambda: "the disk is slow" in site.status().get("troubles", {}).get("disk", ""), what=site.status)
        until(lambda: "slow-disk" in alarms(site), within=60, what=site.exceptions)
    until(lambda: "slow-disk" not in alarms(site), within=60, what=site.exceptions)
    load.end()

    assert closed(site, "slow-disk")[0].startswith("commits are quick again")
    assert_exact(site)


def test_a_reader_that_does_not_end_is_an_alarm_with_its_cause(site: Site) -> None:
    load = Load(site, speed=30)
    limits(site, wal_limit="16MiB")
    load.begin()
    with closing(sqlite3.connect(f"file:{site.store}?mode=ro", uri=True)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM meta").fetchall()
        until(lambda: "wal" in alarms(site), within=100, what=site.status)
        said = next(one["reason"] for one in site.exceptions() if one["code"] == "wal")
    until(lambda: "wal" not in alarms(site), within=60, what=site.status)
    load.end()

    assert "something reads the store for long" in said
    assert closed(site, "wal")[0].startswith("it is short again")
    assert_exact(site)

"""A slow disk and a reader that doesn't end: people are told, the API answers, and nothing is lost."""

import time
from pathlib import Path
from statistics import median

import pytest

from tests.fault.full_disk import alarms, closed, metric
from tests.harness.balance import assert_exact
from tests.harness.load import Load
from tests.harness.site import Site, endless_reader
from tests.harness.strace import traced
from tests.harness.until import until

pytestmark = pytest.mark.timeout(600)

SPEED = 5
SOON = 0.5  # s in which the API mostly answers, however slow the disk is: one that waited for it would take 1


def limits(site: Site, **changed: str) -> None:
    with site.changed("gateway.yaml") as data:
        data["store"].update(changed)


def delayed(seconds: float) -> str:
    return f"fdatasync:delay_exit={round(seconds * 1e6)}"


def answered_within(site: Site, times: int) -> float:
    """Return the time in which half of so many answers came, in seconds."""
    took = []
    for _ in range(times):
        begun = time.monotonic()
        site.api.get("/api/v1/status").raise_for_status()
        took.append(time.monotonic() - begun)
    return median(took)


@pytest.mark.parametrize("delay", [0.1, 1.0])
def test_while_the_disk_is_slow_the_api_answers_and_no_count_is_lost(site: Site, tmp_path: Path, delay: float) -> None:
    load = Load(site, speed=SPEED)
    load.begin()
    with traced(load.gateway.pid, tmp_path / "strace.log", delayed(delay)):
        until(lambda: metric(site, "backflush_commit_seconds") >= delay, what=site.status)
        answered = answered_within(site, 20)
        sealed = site.tally("counted")["PACKER-1", "case_sealed"]
        site.counted("PACKER-1", "case_sealed", sealed + 10)
    load.end()

    assert answered < SOON
    assert_exact(site)


def test_a_disk_that_stays_slow_is_an_alarm_until_it_is_quick_again(site: Site, tmp_path: Path) -> None:
    load = Load(site, speed=SPEED)
    limits(site, slow_commit="1s")
    load.begin()
    with traced(load.gateway.pid, tmp_path / "strace.log", delayed(2)):
        until(lambda: "the disk is slow" in site.status().get("troubles", {}).get("disk", ""), what=site.status)
        until(lambda: "slow-disk" in alarms(site), within=200, what=site.exceptions)
    until(lambda: "slow-disk" not in alarms(site), within=200, what=site.exceptions)
    load.end()

    assert closed(site, "slow-disk")[0].startswith("commits are quick again")
    assert_exact(site)


def test_a_reader_that_does_not_end_is_an_alarm_with_its_cause(site: Site) -> None:
    load = Load(site, speed=30)
    limits(site, wal_limit="16MiB")
    load.begin()
    with endless_reader(site):
        until(lambda: "wal" in alarms(site), within=300, what=site.status)
        said = next(one["reason"] for one in site.exceptions() if one["code"] == "wal")
    until(lambda: "wal" not in alarms(site), within=200, what=site.status)
    load.end()

    assert "something reads the store for long" in said
    assert closed(site, "wal")[0].startswith("it is short again")
    assert_exact(site)

"""A full disk under load, for as long as it takes."""

import time
from typing import NamedTuple

from tests.harness.disk import SmallDisk, small_disk
from tests.harness.load import Load
from tests.harness.site import Site
from tests.harness.until import until

_SIZE = "64m"


class Paused(NamedTuple):
    """What the gateway answered while its disk was full."""

    ready: int
    alive: int
    reason: str
    command: int
    pull: int
    metric: float
    alarms: list[str]


def disk_of(site: Site) -> SmallDisk:
    """Put the site's store on a small disk of its own; before anything else is there."""
    return site.keep(small_disk(site.store.parent, _SIZE))


def full_disk(load: Load, disk: SmallDisk, seconds: float) -> Paused:
    """Fill the disk for so long while the machines run, then free it and wait until the gateway counts again.

    Return what it said meanwhile; AssertionError where it doesn't pause, or doesn't come back by itself.
    """
    disk.fill()
    told_full(load.site)
    said = answers(load.site)
    time.sleep(seconds)  # how long it lasts is the input
    disk.free()
    until(lambda: load.site.answers("/readyz"), within=120, what=load.site.status)
    return said


def told_full(site: Site) -> None:
    """Wait until the gateway pauses and says why; that the disk gets full it may have told before."""
    until(lambda: site.status().get("paused"), within=120, what=site.status)
    until(lambda: "disk-full" in alarms(site), within=120, what=site.exceptions)


def alarms(site: Site) -> list[str]:
    """Return the codes of the open alarms."""
    return [one["code"] for one in site.exceptions() if one["kind"] == "alarm"]


def closed(site: Site, code: str) -> list[str]:
    """Return why the alarms of that code were closed."""
    return [one[0] for one in site.rows(f"SELECT close_reason FROM exception WHERE code = '{code}'")]


def answers(site: Site) -> Paused:
    """Ask everything that has an answer of its own while the intake is paused."""
    ready = site.api.get("/readyz")
    return Paused(
        ready=ready.status_code,
        alive=site.api.get("/healthz").status_code,
        reason=ready.json()["store"],
        command=site.api.post("/api/v1/commands/retry", json={}).status_code,
        pull=site.api.get("/api/v1/postings?after=0").status_code,
        metric=metric(site, "backflush_intake_paused"),
        alarms=alarms(site),
    )


def metric(site: Site, name: str) -> float:
    """Return the value of a metric without labels."""
    lines = site.api.get("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.split()[0] == name)

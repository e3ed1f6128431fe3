"""Somebody sets the clock by an hour: no count changes, and nothing is posted until the clock can be trusted again."""

import re
from datetime import UTC, datetime

import pytest

from gateway.domain.clock import rfc3339
from simulators import books
from tests.harness.balance import assert_exact, made, settle
from tests.harness.broker import Mosquitto
from tests.harness.changes import chrony
from tests.harness.clocks import FakeClock
from tests.harness.process import Process
from tests.harness.site import Site, run_empty, running_line
from tests.harness.until import until

pytestmark = pytest.mark.timeout(400)

SPEED = 2
HOUR = 3600
WAS_SET = re.compile(r"the clock was set by (\S+) s and not synchronised since")
INEXACT = 60.0  # s; two clocks are read one after the other, and much may come between
REFERENCE = 1795255200  # the time at which chrony says that it set the clock last; another one after each correction
GOOD, CAPPED = ("FILLER-1", "good"), ("CAPPER-1", "capped")


def tracking(updates: int) -> str:
    reference = REFERENCE + updates
    return f"C0A80001,time.plant,3,{reference}.8,0.0001,0.0,0.0,0.0,0.0,0.0,0.0123,0.0011,64.2,Normal"


@pytest.fixture
def line(site: Site) -> Process:
    line = running_line(site, speed=SPEED, options=("--broker", Mosquitto(site).url))
    with site.changed("gateway.yaml") as data:
        data["clock_trust"] = "chrony"
    return line


@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["forwards", "backwards"])
def test_a_clock_that_is_set_by_an_hour_changes_no_count_and_holds_postings_until_it_is_trusted(
    site: Site, line: Process, step: int
) -> None:
    clock, programs = FakeClock(site.root), site.root / "programs"
    site.gateway(environment={**chrony(programs, tracking(0)), **clock.environment})
    site.connected()
    line.type("FILLER-1 resume")
    site.counted(*GOOD, 40)
    clock.set(step)  # and chrony hasn't noticed yet
    until(lambda: held(site), what=site.exceptions)
    posted = site.rows("SELECT max(seq) FROM posting")
    before = {name: made(site)[name].total for name in (GOOD, CAPPED)}
    until(
        lambda: all(site.tally("counted").get(name, 0) >= total + 40 for name, total in before.items()),
        what=site.status,
    )
    meanwhile = site.rows("SELECT max(seq) FROM posting")
    said = {one["reason"] for one in held(site)}
    chrony(programs, tracking(1))  # it has looked at the clock as it is now
    run_empty(line)
    settle(site, within=90)

    assert posted == meanwhile
    assert all(about_an_hour(one) for one in said), said
    assert_exact(site)


def about_an_hour(reason: str) -> bool:
    told = WAS_SET.match(reason)
    return bool(told) and abs(float(told[1]) - HOUR) < INEXACT


def held(site: Site) -> list[dict]:
    return [one for one in site.exceptions() if one["code"] == "clock"]


def test_the_hour_shows_in_no_posting_before_it_is_trusted_back(site: Site, line: Process) -> None:
    begun = rfc3339(datetime.now(UTC))
    clock, programs = FakeClock(site.root), site.root / "programs"
    site.gateway(environment={**chrony(programs, tracking(0)), **clock.environment})
    site.connected()
    line.type("FILLER-1 resume")
    site.counted(*GOOD, 50)
    clock.set(HOUR)
    until(lambda: held(site), what=site.exceptions)
    clock.set(0)  # the operator corrects the mistake; the machine's own clocks went on
    site.counted(*GOOD, made(site)[GOOD].total + 50)
    run_empty(line)
    settle(site, within=90)
    moments = sorted(body["posted_at"] for body in books.books(site.root / "erp.db"))

    assert begun <= moments[0]
    assert moments[-1] <= rfc3339(datetime.now(UTC))
    assert_exact(site)

"""What is unfinished while the gateway dies or stops: windows go on or close once, commands are done or not."""

import json
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import httpx
import pytest

from gateway.domain.clock import rfc3339
from gateway.domain.document import Document
from gateway.store.codec import document
from tests.harness.balance import assert_exact, settle
from tests.harness.kills import Killable
from tests.harness.people import enrol, signature
from tests.harness.process import Process
from tests.harness.site import Site, run_empty, running_line
from tests.harness.until import until

pytestmark = pytest.mark.timeout(400)

SPEED = 5
SEED = 20261122
KILLS = 6
WINDOW = "10s"  # longer than a gateway lives here, or starts, so that a window has to survive it
CUMULATED = 3  # devices of which the first units come at once: filler, capper, scale


@pytest.fixture
def line(site: Site) -> Process:
    """A line of which all but the cases are cumulated."""
    line = running_line(site, speed=SPEED)
    with site.changed("triggers.yaml") as data:
        for rule in data["triggers"]:
            if rule["trigger"] != "case-sealed":
                rule["cumulate"] = {"window": WINDOW}
    return line


@pytest.fixture
def gateway(site: Site, line: Process) -> Killable:
    """One that runs with its machines, its first windows open."""
    gateway = site.keep(Killable(site))
    gateway.start()
    site.connected()
    line.type("FILLER-1 resume")
    until(lambda: len(open_windows(site)) >= CUMULATED, what=site.status)
    return gateway


def open_windows(site: Site) -> dict[int, Document]:
    return {number: document(body) for number, body in site.rows("SELECT id, body FROM open_document")}


def linked(site: Site) -> set[tuple[int, int]]:
    """Return which trigger is in which document."""
    return set(site.rows("SELECT document_id, trigger_id FROM link"))


def postings(site: Site, number: int) -> list[dict[str, Any]]:
    """Return what an open document was posted as."""
    return [json.loads(body) for (body,) in site.rows(f"SELECT body FROM posting WHERE document_id = {number}")]


def stop(site: Site, line: Process) -> None:
    run_empty(line)
    settle(site)


def test_windows_survive_kills_and_each_closes_once_with_all_its_units(
    site: Site, line: Process, gateway: Killable
) -> None:
    moments = random.Random(SEED)
    survivors: list[dict[int, Document]] = []
    before: set[tuple[int, int]] = set()
    while len(survivors) < KILLS:
        time.sleep(moments.uniform(0.1, 0.6))  # the moment is the test's input: nothing is waited for
        gateway.kill()
        if windows := open_windows(site):  # else the last one has just closed
            survivors.append(windows)
        before |= linked(site)
        gateway.start()
        gateway.ready()
    stop(site, line)
    went_on = [number for one, other in pairwise(survivors) for number in one.keys() & other.keys()]

    assert went_on
    assert before <= linked(site)
    for number, one in ((number, one) for windows in survivors for number, one in windows.items()):
        (body,) = postings(site, number)
        assert rfc3339(one.opened_at) == body["window"]["opened"]
        assert one.output.units <= sum(Decimal(body["output"][kind]) for kind in ("good", "scrap"))
    assert_exact(site)


def test_a_window_stays_open_at_sigterm_and_closes_once_when_its_time_passed_meanwhile(
    site: Site, line: Process, gateway: Killable
) -> None:
    run_empty(line)
    gateway.signal(signal.SIGTERM)
    gateway.gone()
    left = open_windows(site)
    until(lambda: all(one.due and one.due < datetime.now(UTC) for one in left.values()))
    gateway.start()
    gateway.ready()
    settle(site)
    closed = [postings(site, number) for number in left]

    assert left
    assert [1] * len(left) == [len(bodies) for bodies in closed]
    assert ["time"] * len(left) == [body["window"]["why"] for (body,) in closed]
    assert_exact(site)


def test_a_command_that_a_kill_cuts_short_is_done_whole_or_not_at_all(
    site: Site, line: Process, gateway: Killable
) -> None:
    moments = random.Random(SEED)
    enrol(site)
    for number in range(KILLS):
        site.counted("PACKER-1", "case_sealed", 4 * (number + 1))
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(reverse, site, case(site, number))
            time.sleep(moments.uniform(0.2, 0.6))  # while the password is checked, it is committed or answered
            gateway.kill()
            asked.result()
        gateway.start()
        gateway.ready()
    stop(site, line)
    reversed_ = site.rows("SELECT count(*), count(DISTINCT reverses) FROM posting WHERE reverses IS NOT NULL")
    (units,) = site.rows("SELECT reversed FROM tally WHERE device = 'PACKER-1' AND signal = 'case_sealed'")

    assert reversed_ == [(int(units[0]), int(units[0]))]
    assert_exact(site)


def case(site: Site, number: int) -> int:
    """Return the seq of the case that was posted at that place."""
    query = "SELECT seq FROM posting WHERE operation = '0030' AND reverses IS NULL ORDER BY seq LIMIT 1 OFFSET {}"
    ((seq,),) = site.rows(query.format(2 * number))
    return int(seq)


def reverse(site: Site, seq: int) -> None:
    with suppress(httpx.TransportError):  # it never learns what became of it
        site.api.post("/api/v1/commands/reverse", json={"seq": seq, "reason": "R01", "signature": signature()})

"""The gateway, or the machines, stand still for a while as if suspended: afterwards the true delta is counted."""

import os
import signal
import time

import pytest

from tests.harness.balance import assert_exact, settle
from tests.harness.broker import Mosquitto
from tests.harness.process import Process
from tests.harness.site import Site, run_empty, running_line

pytestmark = pytest.mark.timeout(400)

SPEED = 2


@pytest.fixture
def line(site: Site) -> Process:
    return running_line(site, speed=SPEED, options=("--broker", Mosquitto(site).url))


@pytest.mark.parametrize("seconds", [3, 20], ids="{} s".format)
@pytest.mark.parametrize("stopped", ["gateway", "machines"])
def test_what_was_made_while_nobody_looked_is_counted_afterwards(
    site: Site, line: Process, stopped: str, seconds: float
) -> None:
    gateway = site.gateway()
    site.connected()
    line.type("FILLER-1 resume")
    site.counted("FILLER-1", "good", 50)
    process = gateway if stopped == "gateway" else line
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(seconds)  # the duration is the test's input
    os.kill(process.pid, signal.SIGCONT)
    site.counted("FILLER-1", "good", site.tally("counted")["FILLER-1", "good"] + 50)
    run_empty(line)
    settle(site)

    assert_exact(site)


def test_an_answer_that_waited_while_the_gateway_stood_still_is_known_to_be_late(site: Site, line: Process) -> None:
    """Taken for one of now, it would leave what was made since for no time at all: implausible, and held."""
    with site.changed("devices/capper-1.yaml") as device:
        device["timeout"] = "60s"  # or the answer isn't waited for
    gateway = site.gateway()
    site.connected()
    line.type("FILLER-1 resume")
    site.counted("CAPPER-1", "capped", 50)
    os.kill(line.pid, signal.SIGSTOP)
    time.sleep(0.5)  # a poll and a half: a request waits for its answer now
    os.kill(gateway.pid, signal.SIGSTOP)
    os.kill(line.pid, signal.SIGCONT)
    time.sleep(20)  # far more than the 5 s that any reading may be late
    os.kill(gateway.pid, signal.SIGCONT)
    site.counted("CAPPER-1", "capped", site.tally("counted")["CAPPER-1", "capped"] + 50)
    run_empty(line)
    settle(site)

    assert_exact(site)

"""The gateway, or the machines, stand still for a while as if suspended: afterwards the true delta is counted."""

import os
import signal
import time

import pytest

from tests.harness.balance import assert_exact, settle
from tests.harness.broker import Mosquitto
from tests.harness.process import Process
from tests.harness.site import Site, running_line

pytestmark = pytest.mark.timeout(180)

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
    line.type("stop")
    line.said("stopped", within=60)
    settle(site)

    assert_exact(site)

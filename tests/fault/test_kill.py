"""The gateway killed at random moments under load: the ERP's books equal the machines' ledger."""

import random
import time

import pytest

from tests.fault.runs import kill_often
from tests.harness.balance import assert_exact, settle
from tests.harness.kills import Killable
from tests.harness.load import Load, Moments
from tests.harness.site import Site, run_empty, running_line

pytestmark = pytest.mark.timeout(1200)

SEED = 20261121


@pytest.mark.parametrize(
    ("speed", "moments"),
    [
        pytest.param(10, Moments(0.05, 1.0), id="200 bottles a second"),
        pytest.param(20, Moments(0.2, 0.7), id="400 bottles a second"),
    ],
)
def test_nothing_is_lost_or_doubled_over_a_hundred_kills_at_random_moments(
    site: Site, speed: int, moments: Moments
) -> None:
    load = Load(site, speed=speed)
    load.plenty(10)  # the slower the machine, the more is made meanwhile
    kill_often(load, 100, SEED + speed, moments=moments)

    assert_exact(site)


def test_nothing_is_lost_or_doubled_with_the_broker_of_the_demo(site: Site) -> None:
    moments = random.Random(SEED)
    line = running_line(site, speed=10)
    gateway = site.keep(Killable(site))
    gateway.start()
    site.connected()
    line.type("FILLER-1 resume")
    for _ in range(5):
        time.sleep(moments.uniform(0.05, 1.5))  # the moment is the test's input: nothing is waited for
        gateway.kill()
        gateway.start()
    gateway.ready()
    run_empty(line)
    settle(site)

    assert_exact(site)

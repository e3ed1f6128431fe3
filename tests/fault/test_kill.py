"""The gateway killed at random moments under load: the ERP's books equal the machines' ledger."""

import random
import time

import pytest

from tests.harness.balance import assert_exact, caught_up, lost, settle
from tests.harness.broker import Mosquitto
from tests.harness.kills import Killable
from tests.harness.process import Process
from tests.harness.site import Site, running_line

pytestmark = pytest.mark.timeout(240)

SPEED = 10  # 200 bottles and 17 cases a second
SEED = 20261121


@pytest.fixture(params=["mosquitto"])
def line(site: Site, request: pytest.FixtureRequest) -> Process:
    options = ("--broker", Mosquitto(site).url) if request.param == "mosquitto" else ()
    return running_line(site, speed=SPEED, options=options)


@pytest.fixture
def gateway(site: Site, line: Process) -> Killable:
    return site.keep(Killable(site))


def run_machines(site: Site, line: Process, gateway: Killable) -> None:
    """Let them run once every counter has its baseline: what was made before belongs to nobody."""
    gateway.start()
    site.connected()
    line.type("FILLER-1 resume")
    site.counted("PACKER-1", "case_sealed", 1)


@pytest.mark.parametrize(("line", "kills"), [("mosquitto", 20), ("embedded broker", 5)], indirect=["line"])
def test_nothing_is_lost_or_doubled_over_many_kills_at_random_moments(
    site: Site, line: Process, gateway: Killable, kills: int
) -> None:
    moments = random.Random(SEED)
    run_machines(site, line, gateway)
    for _ in range(kills):
        time.sleep(moments.uniform(0.05, 1.5))  # the moment is the test's input: nothing is waited for
        gateway.kill()
        gateway.start()
    gateway.ready()
    line.type("stop")
    line.said("stopped", within=60)
    settle(site)

    assert_exact(site)


def test_the_same_comparison_finds_lost_units_when_checkpoints_are_committed_apart(
    site: Site, line: Process, gateway: Killable
) -> None:
    run_machines(site, line, gateway)
    for _ in range(3):
        gateway.kill()
        gateway.start("checkpoints-apart")
        gateway.gone()  # it dies between the two transactions
        gateway.start()
        gateway.ready()
    line.type("stop")
    line.said("stopped", within=60)
    caught_up(site)

    assert any(units > 0 for units in lost(site).values())
    with pytest.raises(AssertionError):
        assert_exact(site)

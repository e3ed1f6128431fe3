"""Gateways broken on purpose: the comparisons of the fault tests find what they lose."""

import random

import pytest

from tests.fault.runs import acknowledged, cut_power, lost_messages, powered
from tests.harness.balance import assert_exact, caught_up, lost
from tests.harness.load import Load, Moments
from tests.harness.power import Disk
from tests.harness.site import Site, run_empty
from tests.harness.until import until

pytestmark = pytest.mark.timeout(600)

SEED = 20261124
TRIES = 15  # kills or cuts; each of them loses something, or nothing


def test_checkpoints_committed_apart_lose_units(site: Site) -> None:
    load = Load(site)
    load.begin()
    for _ in range(3):
        load.gateway.kill()
        load.gateway.start("checkpoints-apart")
        load.gateway.gone()  # it dies between the two transactions
        load.gateway.start()
        load.gateway.ready()
    run_empty(load.line)
    caught_up(site)

    assert any(units > 0 for units in lost(site).values())
    with pytest.raises(AssertionError):
        assert_exact(site)


def test_messages_acknowledged_on_receipt_are_lost_over_kills(site: Site) -> None:
    way = "acknowledged-on-receipt slow-commits"  # on a quick disk a kill would rarely come between the two
    load = Load(site)
    load.begin(way)
    site.counted("SCALE-1", "net_weight", 1)  # what is lost before the first message that is kept, nobody ever knows
    for _ in load.faults(TRIES, random.Random(SEED), Moments(0.5, 1.0)):
        load.gateway.kill()
        load.gateway.start(way)
    load.end()

    assert lost_messages(site)
    with pytest.raises(AssertionError):
        assert_exact(site)


def test_commits_that_do_not_wait_for_the_disk_are_lost_in_a_power_cut(site: Site) -> None:
    disk = powered(site)
    load = Load(site)
    load.begin("synchronous-normal")

    assert any(cut_after_a_posting(load, disk, "synchronous-normal") for _ in range(TRIES))


def cut_after_a_posting(load: Load, disk: Disk, way: str) -> int:
    """Cut the power as soon as the ERP has a posting more; return how many the disk hasn't."""
    before = acknowledged(load.site)
    until(lambda: acknowledged(load.site) > before, what=load.site.status)
    return cut_power(load, disk, way)

"""The power of the gateway's disk cut under load: what anybody outside had the gateway's word for is there."""

import random
import time

import pytest

from simulators.books import books
from tests.fault.runs import cut_often, lost_postings, powered
from tests.harness.balance import assert_exact, assert_sound
from tests.harness.load import Load
from tests.harness.site import Site
from tests.harness.until import until

pytestmark = pytest.mark.timeout(600)

SEED = 20261123
FIRST_STARTS = 6


def test_no_acknowledged_posting_or_message_is_lost_over_power_cuts(site: Site) -> None:
    disk = powered(site)
    load = Load(site)
    lost = cut_often(load, disk, 5, SEED)
    load.end()

    assert not lost
    assert_exact(site)


def test_a_store_that_the_erp_knows_survives_a_cut_right_after_its_first_start(site: Site) -> None:
    disk = powered(site)
    load = Load(site)
    load.begin()
    until(lambda: books(site.root / "erp.db"), what=site.status)
    disk.cut()
    load.gateway.kill()
    disk.back()

    assert not lost_postings(site)
    assert_sound(site.store)


def test_a_cut_at_any_moment_of_the_first_start_leaves_what_the_next_start_can_use(site: Site) -> None:
    disk = powered(site)
    load = Load(site)
    chance = random.Random(SEED)
    for _ in range(FIRST_STARTS):
        load.gateway.start()
        time.sleep(chance.uniform(0, 0.5))  # the moment is the input
        disk.cut()
        load.gateway.kill()
        disk.back()
    load.begin()
    load.end()

    assert_exact(site)

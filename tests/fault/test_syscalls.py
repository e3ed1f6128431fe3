"""Single write and sync calls that kill the gateway or fail: it ends clean each time (every one: long.py)."""

import random

import pytest

from tests.fault.syscalls import SUBJECTS, inject, sample
from tests.harness.site import Site

pytestmark = pytest.mark.timeout(900)

SEED = 20261125
MOST = 2  # points of each call


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_fault_at_any_write_or_sync_leaves_no_trace(site: Site, subject: str) -> None:
    one = SUBJECTS[subject](site)
    chosen = sample(one.points(), random.Random(SEED), MOST)
    results = list(inject(one, chosen))

    assert {"pwrite64", "fdatasync"} <= {point.call for point in chosen}
    assert any(result.reached for result in results)
    assert len([result for result in results if not result.reached]) <= len(results) // 5

"""A counter whose modulus is declared too small: the gateway says so instead of counting nothing in silence."""

import pytest

from tests.harness.people import typed
from tests.harness.site import Site, running_line
from tests.harness.until import until

pytestmark = pytest.mark.timeout(300)

CAPPER = "CAPPER-1"


def alarms(site: Site) -> list[str]:
    return [one["reason"] for one in site.exceptions() if one["kind"] == "alarm"]


def test_a_modulus_that_is_too_small_is_told_until_the_counter_is_inside_again(site: Site) -> None:
    line = running_line(site, speed=1)
    with site.changed(f"devices/{CAPPER.lower()}.yaml") as device:
        device["signals"]["capped"]["counter"]["modulus"] = 1000
    gateway = site.gateway()
    site.connected()
    line.type(f"{CAPPER} preset 5000")
    (reason,) = until(lambda: alarms(site), what=site.exceptions)
    health = site.status()["devices"][CAPPER]
    shown = " ".join(typed(site, "status").split())
    line.type(f"{CAPPER} preset 3")
    until(lambda: not alarms(site), what=site.exceptions)

    why = "5000 is outside 0 … 999 (modulus 1000), nothing is counted until it is inside: check modulus and data type"

    assert {"link": "degraded", "detail": f"capped: {why}"} == health
    assert reason.startswith("CAPPER-1.capped, since 20")
    assert reason.endswith(f"Z: {why}")
    assert f"degraded CAPPER-1 capped: {why}" in shown
    assert 1 == gateway.output.count(why)
    until(lambda: not site.status().get("devices", {CAPPER: health})[CAPPER]["detail"], what=site.status)

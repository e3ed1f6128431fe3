"""A counter that leaps and an order that changes in a gap: held, told, and settled on the command line."""

import pytest

from tests.harness.balance import assert_exact, assert_sound, made, no_window, settle
from tests.harness.people import enrol, give, signs, typed
from tests.harness.site import Site, running_line
from tests.harness.until import until

pytestmark = pytest.mark.timeout(300)

SPEED = 4
GOOD, CAPPED = ("FILLER-1", "good"), ("CAPPER-1", "capped")
NEXT = "100046"


def held(site: Site) -> list[dict]:
    return [one for one in site.exceptions() if one["kind"] == "counter"]


def test_what_a_person_says_of_a_leap_is_what_is_booked(site: Site) -> None:
    line = running_line(site, speed=SPEED)
    enrol(site)
    site.gateway()
    site.connected()
    line.type("FILLER-1 preset 40000")
    (entry,) = until(lambda: held(site), what=site.exceptions)
    listed = typed(site, "exceptions")
    said = typed(site, "settle", entry["id"], "--none", "--reason", "R01", *signs(site))
    line.type("FILLER-1 resume")
    site.counted(*GOOD, 30)
    line.type("stop")
    line.said("stopped", within=60)
    settle(site)

    assert f"gateway settle CONFIG_DIR {entry['id']}" in " ".join(listed.split())
    assert f"exception {entry['id']} is settled as 0 units" in said
    assert_exact(site)


def test_a_gap_with_a_change_of_order_is_settled_as_proposed(site: Site) -> None:
    line = running_line(site, speed=SPEED)
    enrol(site)
    with site.changed("devices/capper-1.yaml") as device:
        device["signals"]["capped"]["counter"]["gap_after"] = "1s"
    with site.changed("masterdata/orders.yaml") as data:
        data["orders"].append({**data["orders"][0], "order": NEXT, "active": False, "finished_lot": "F-2"})
    site.gateway()
    site.connected()
    line.type("FILLER-1 resume")
    site.counted(*CAPPED, 10)
    line.type("CAPPER-1 drop 15")  # the order changes before it is back
    _away(site)
    before = made(site)[CAPPED].total
    until(lambda: made(site)[CAPPED].total >= before + 20)
    give(site, "start-order", line="L1", order=NEXT)
    (entry,) = until(lambda: held(site), what=site.exceptions)
    line.type("stop")
    line.said("stopped", within=60)
    said = typed(site, "settle", entry["id"], "--as-proposed", "--reason", "R02", *signs(site))
    until(lambda: no_window(site), what=site.status)
    proposal = entry["detail"]["proposal"]
    parts = site.rows("SELECT order_no, quantity FROM event WHERE flag = 'SETTLED' AND kind <> 'corrected' ORDER BY id")

    assert [(one["order"], one["quantity"]) for one in proposal] == parts
    assert ["100045", NEXT] == [order for order, _ in parts]
    assert f"is settled as {entry['quantity']} units" in said
    assert f"of order {NEXT} operation 0020: " in said
    assert_sound(site.store)


def _away(site: Site) -> None:
    def away() -> bool:
        devices = site.status().get("devices", {})
        return bool(devices) and devices["CAPPER-1"]["link"] != "connected"

    until(away, what=site.status)


def test_in_regulated_mode_a_baseline_is_signed_on_the_command_line(site: Site) -> None:
    line = running_line(site, speed=SPEED)
    enrol(site)
    with site.changed("gateway.yaml") as data:
        data["regulated"] = True
    site.gateway()
    site.connected()
    typed(site, "activate", *signs(site))
    line.type("FILLER-1 resume")
    site.counted(*GOOD, 10)
    listed = typed(site, "baselines")
    waiting = until(lambda: [one for one in site.exceptions() if one["code"] == "baseline"], what=site.exceptions)
    refused = typed(site, "sign-baseline", "FILLER-1.good", "--value", 999_999, *signs(site), code=1)
    for device, signal, value in site.rows("SELECT device, signal, value FROM baseline"):
        typed(site, "sign-baseline", f"{device}.{signal}", "--value", value, *signs(site))
    line.type("stop")
    line.said("stopped", within=60)
    settle(site)

    assert "nobody yet" in listed
    assert all("sign-baseline CONFIG_DIR" in one["reason"] for one in waiting)
    assert "FILLER-1.good began at" in refused
    assert "nobody yet" not in typed(site, "baselines")
    assert_exact(site)

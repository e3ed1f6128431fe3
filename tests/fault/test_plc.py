"""What PLCs do to their counters, over the real protocol: counted right, or held with a reason that says what to do."""

from decimal import Decimal
from typing import Any

import pytest

from tests.harness.balance import assert_exact, assert_sound, caught_up, lost, made, settle
from tests.harness.people import enrol, give, signature
from tests.harness.process import Process
from tests.harness.site import Site, run_empty, running_line
from tests.harness.until import until

pytestmark = pytest.mark.timeout(400)

SPEED = 5
Entry = dict[str, Any]
GOOD, CAPPED = ("FILLER-1", "good"), ("CAPPER-1", "capped")


@pytest.fixture
def line(site: Site) -> Process:
    return running_line(site, speed=SPEED)


def tell(line: Process, *commands: str) -> None:
    """Have commands carried out before anything else is done."""
    for command in commands:
        line.type(command)
    run_empty(line)


def run_machines(site: Site, line: Process) -> None:
    """Let them run once every counter has its baseline."""
    site.gateway()
    site.connected()
    line.type("FILLER-1 resume")
    go_on(site, 40)


def go_on(site: Site, units: int) -> None:
    """Wait until so many more units are made; what they are taken for is the test's question."""
    before = {name: one.total for name, one in made(site).items()}
    until(lambda: all(made(site)[name].total >= before.get(name, 0) + units for name in (GOOD, CAPPED)))


EXACT = {
    "a 16-bit counter rolls over": (("FILLER-1 preset 65500",), (), 100),
    "a 32-bit counter carries while it is read torn": (("CAPPER-1 preset 65500",), ("CAPPER-1 torn",) * 30, 3),
    "a retentive PLC restarts": ((), ("FILLER-1 reset retentive",), 40),
    "a counter is of bad quality for a while": ((), ("FILLER-1 bad 1.5",), 200),
    "the PLC's clock is an hour ahead, then an hour behind": ((), ("FILLER-1 skew 3600", "FILLER-1 skew -3600"), 150),
    "the OPC UA server is silent for a while": ((), ("FILLER-1 silent 4",), 600),
    "the Modbus unit is silent for a while": ((), ("CAPPER-1 silent 4",), 600),
    "the Modbus unit answers with exceptions for a while": ((), ("CAPPER-1 refuse 1.5",), 200),
    "a node stands still for a while": ((), ("FILLER-1 stuck 3",), 400),
    "a counter shows nonsense for a moment": ((), ("CAPPER-1 lie 4000000000 0.4",), 100),
}


@pytest.mark.parametrize("name", EXACT)
def test_it_is_counted_exactly_when(site: Site, line: Process, name: str) -> None:
    before, meanwhile, units = EXACT[name]
    tell(line, *before)
    run_machines(site, line)
    for command in meanwhile:
        line.type(command)
        go_on(site, units)
    run_empty(line)
    settle(site)

    assert_exact(site)


HELD = {
    # A reading between the new boot id and the new value sees the first of them alone: it is a jump then.
    "the filler's PLC is swapped": ("FILLER-1 swap 30000", GOOD, ("swapped", "implausible"), "swapped"),
    "the capper's PLC is swapped": ("CAPPER-1 swap 900000", CAPPED, ("swapped",), "swapped"),
    "a count is set back": ("CAPPER-1 preset 5", CAPPED, ("implausible",), "fell from"),
    "a count is set ahead": ("CAPPER-1 preset 3000000000", CAPPED, ("implausible",), "preset"),
    "a count stands still while the machine runs": ("CAPPER-1 stuck 8", CAPPED, ("implausible",), "stood still"),
    "a count lies for long": ("CAPPER-1 lie 123456789 6", CAPPED, ("implausible",), "preset"),
}
TWICE = "a count lies for long"  # when it begins, and when it ends


@pytest.mark.parametrize("name", HELD)
def test_it_is_held_with_a_reason_and_counting_goes_on_when(site: Site, line: Process, name: str) -> None:
    command, signal, codes, word = HELD[name]
    enrol(site)
    tell(line, "CAPPER-1 preset 100000")  # so far that a count that is set back doesn't come there again
    run_machines(site, line)
    line.type(command)
    until(lambda: len(held(site, signal)) == (2 if name == TWICE else 1), what=site.exceptions)
    go_on(site, 100)
    run_empty(line)
    settle_but(site, signal)
    entries = held(site, signal)
    elsewhere = {about for about in lost(site) if about[0] != signal[0]}

    assert {one["code"] for one in entries} <= set(codes)
    assert all(word in one["reason"] for one in entries), entries
    assert set() == elsewhere
    assert_sound(site.store)

    settle_by_hand(site, signal[0])
    settle(site)

    assert_exact(site)


def held(site: Site, signal: tuple[str, str]) -> list[Entry]:
    return [one for one in site.exceptions() if one["kind"] == "counter" and tuple(one["scope"]) == signal]


def settle_but(site: Site, signal: tuple[str, str]) -> None:
    """Wait until all is counted and posted, and read to the end, but what is held of the signal's device."""
    truth = {name: one.total for name, one in made(site).items() if name[0] != signal[0]}
    until(lambda: all(site.tally("counted").get(name, 0) >= total for name, total in truth.items()), what=site.status)
    caught_up(site)


def settle_by_hand(site: Site, device: str) -> None:
    """Do what a person does who looked at the machine: what it really made belongs to a counter's first entry."""
    posted = {
        name: site.tally("posted")[name] + site.tally("scrapped")[name] for name in made(site) if name[0] == device
    }
    for name, units in posted.items():
        missing = made(site)[name].total - units
        for entry in held(site, name):
            parts = [{"quantity": str(missing)}] if missing else []
            missing = Decimal(0)
            give(site, "settle-hold", exception=entry["id"], reason="R01", parts=parts, signature=signature())


def test_units_before_a_reset_that_nobody_saw_are_told_and_nothing_is_made_up(site: Site, line: Process) -> None:
    run_machines(site, line)
    line.type("CAPPER-1 reset")
    go_on(site, 100)
    run_empty(line)
    until(lambda: notices(site), what=site.exceptions)
    settle_but(site, CAPPED)
    missing = lost(site)
    notice = notices(site)[0]
    most = Decimal(notice["reason"].partition("0 … ")[2].split()[0])

    assert "reset" == notice["code"]
    assert missing.keys() <= {CAPPED}
    assert 0 <= missing.get(CAPPED, Decimal(0)) <= most
    assert_sound(site.store)


def notices(site: Site) -> list[dict]:
    return [one for one in site.exceptions() if one["kind"] == "notice"]


def test_a_node_that_does_not_exist_is_named_and_the_others_count(site: Site, line: Process) -> None:
    with site.changed("devices/filler-1.yaml") as device:
        device["signals"]["reject"]["node"] = "ns=2;s=Filler.Rejct"
    site.gateway()
    until(lambda: site.status().get("devices", {}).get("FILLER-1", {}).get("link") == "degraded", what=site.status)
    line.type("FILLER-1 resume")
    site.counted(*GOOD, 100)
    said = site.status()["devices"]["FILLER-1"]["detail"]

    assert "Filler.Rejct" in said

"""Messages that could not be read, re-driven in a running gateway once the configuration is right."""

import signal

import pytest

from tests.harness.balance import assert_exact, settle
from tests.harness.site import Site, running_line
from tests.harness.until import until

pytestmark = pytest.mark.timeout(300)
_LETTERS = 5


def letters(site: Site) -> int:
    return int(site.status().get("dead_letters", 0))


def test_what_a_wrong_path_made_unreadable_is_booked_once_after_the_correction(site: Site) -> None:
    line = running_line(site, speed=5)
    with site.changed("devices/packer-1.yaml") as data:
        data["signals"]["case_sealed"]["event"]["id"] = "$.nr"
    gateway = site.gateway()
    site.connected()
    line.type("FILLER-1 resume")
    until(lambda: letters(site) >= _LETTERS, what=site.status)
    early, said = site.command("redrive", site.config, "--all")
    _, listed = site.command("letters", site.config)
    _, whole = site.command("letters", site.config, "--id", "1")

    assert early == 0, said
    assert "0 letters closed" in said
    assert "× $.nr is missing" in said
    assert "PACKER-1" in listed
    assert '"seq":' in whole.replace(" ", "")

    with site.changed("devices/packer-1.yaml") as data:
        data["signals"]["case_sealed"]["event"]["id"] = "$.id"
    gateway.signal(signal.SIGHUP)
    until(lambda: "is in force" in gateway.output, what=lambda: gateway.output)
    site.counted("PACKER-1", "case_sealed", 2)
    code, said = site.command("redrive", site.config, "--all")

    assert code == 0, said
    assert "0 remain" in said
    assert letters(site) == 0

    line.type("stop")
    line.said("stopped")
    settle(site)
    assert_exact(site)

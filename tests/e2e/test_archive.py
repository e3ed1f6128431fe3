"""Retention with archives: what is deleted was archived first, and the reading commands find it there."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.clock import Instant
from gateway.domain.command import ClearAlarm, RaiseAlarm
from gateway.errors import StoreError
from gateway.runtime.archiving import Archiving
from gateway.runtime.retention import Retention
from gateway.store.store import Store
from tests.harness.balance import settle
from tests.harness.process import Process
from tests.harness.site import Site, running_line
from tests.harness.until import until

pytestmark = pytest.mark.timeout(300)

PACKER = ("PACKER-1", "case_sealed")


@dataclass
class InAYear:
    """A clock and the commands of a daemon that has run for a year."""

    given: list[Any] = field(default_factory=list)

    def now(self) -> Instant:
        return Instant(datetime.now(UTC) + timedelta(days=365), 0, "boot")

    async def execute(self, command: Any, _: object) -> object:
        self.given.append(command)
        return True


@pytest.fixture
def made(site: Site) -> Site:
    """A line that made a few cases, all of them at the ERP; its gateway is stopped."""
    line = running_line(site, speed=5)
    with site.changed("gateway.yaml") as data:
        data["retention"] = {"keep": "1s", "archive": "archive"}
    gateway = site.gateway()
    site.connected()
    line.type("FILLER-1 resume")
    site.counted(*PACKER, 3)
    line.type("stop")
    line.said("stopped", within=60)
    settle(site)
    stop(gateway)
    return site


def stop(gateway: Process) -> None:
    gateway.signal(15)
    gateway.ended()


def prune(site: Site, year: InAYear, folder: Path) -> int:
    """Have retention do its round, with what the daemon gives it."""

    async def round_() -> int:
        store = await Store.open(site.store, "PLANT1-L1")
        try:
            archiving = Archiving(site.config, folder, year)  # type: ignore[arg-type]  # it only executes
            return await Retention(store, year, timedelta(days=90), archiving).prune()  # type: ignore[arg-type]
        finally:
            await store.close()

    return asyncio.run(round_())


def test_what_goes_is_archived_first_and_found_there_by_those_who_ask(made: Site) -> None:
    (sscc,) = next(iter(made.rows("SELECT sscc FROM event WHERE sscc IS NOT NULL ORDER BY id LIMIT 1")))
    before = made.command("genealogy", made.config, "--sscc", sscc)[1]
    first = json.loads(made.command("explain", made.config, 1, "--json")[1])
    year = InAYear()
    deleted = prune(made, year, made.config / "archive")
    (archive,) = (made.config / "archive").glob("*.db")
    code, said = made.command("verify", archive)
    explained = made.command("explain", made.config, 1, "--json")[1]
    traced = made.command("genealogy", made.config, "--sscc", sscc)[1]

    assert 0 < deleted
    assert [ClearAlarm] == [type(one) for one in year.given]
    assert 0 == code, said
    assert "manifest: archive of" in said
    assert "retention has deleted posting 1; this is from the archive" in explained
    assert first == json.loads(explained[explained.index("{") :])
    assert f"as the archive {archive} has it:" in traced
    assert before.strip() in traced
    assert 0 == made.command("verify", made.config)[0]


def test_without_an_archive_nothing_goes_and_an_alarm_says_why(made: Site) -> None:
    (made.config / "archive").write_text("no folder")
    before, year = made.rows("SELECT count(*) FROM posting"), InAYear()
    with pytest.raises(StoreError, match="can't create"):
        prune(made, year, made.config / "archive")

    assert before == made.rows("SELECT count(*) FROM posting")
    (alarm,) = year.given
    assert isinstance(alarm, RaiseAlarm)
    assert "nothing is deleted, because what goes can't be archived" in alarm.reason


def test_a_daemon_deletes_what_an_archive_made_by_hand_covers(made: Site) -> None:
    code, said = made.command("archive", made.config)
    made.gateway()
    until(lambda: made.rows("SELECT count(*) FROM posting WHERE seq = 1") == [(0,)])

    assert 0 == code, said
    assert 410 == made.api.get("/api/v1/postings").status_code

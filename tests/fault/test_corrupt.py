"""A store that is damaged when the daemon starts, or becomes so: it says so, ends with a code of its own, keeps all."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.harness.process import Process
from tests.harness.site import Site, endless_reader, running_line
from tests.harness.until import until

pytestmark = pytest.mark.timeout(400)

SPEED = 5
DAMAGED = 65
PACKER = ("PACKER-1", "case_sealed")


@pytest.fixture
def line(site: Site) -> Process:
    return running_line(site, speed=SPEED)


@pytest.fixture
def killed(site: Site, line: Process) -> Site:
    """A site whose daemon was killed at work."""
    gateway = site.gateway()
    site.connected()
    with endless_reader(site):  # a log that has just been written back could be lost without harm
        line.type("FILLER-1 resume")
        site.counted(*PACKER, 3)
        gateway.kill()
    return site


def log_of(store: Path) -> Path:
    return store.with_name(f"{store.name}-wal")


def lose_the_log(store: Path) -> None:
    log_of(store).unlink()


def zero_the_log(store: Path) -> None:
    log_of(store).write_bytes(bytes(log_of(store).stat().st_size))


def become_garbage(store: Path) -> None:
    store.write_bytes(b"no store at all\n" * 4096)
    log_of(store).unlink()


def be_cut_off(store: Path) -> None:
    write_back(store)
    store.write_bytes(store.read_bytes()[: store.stat().st_size // 8192 * 4096])


def flip_a_byte(store: Path) -> None:
    write_back(store)
    content = bytearray(store.read_bytes())
    at = content.rindex(b'"posting_type"')
    content[at + 18] ^= 1
    store.write_bytes(content)


def write_back(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


@pytest.mark.parametrize("damage", [lose_the_log, zero_the_log, become_garbage, be_cut_off, flip_a_byte])
def test_a_damaged_store_is_refused_with_the_choice_and_left_as_it_is(
    killed: Site, damage: Callable[[Path], None]
) -> None:
    with killed.changed("gateway.yaml") as data:
        data["store"]["backups"] = "backups"
    backups = killed.config / "backups"
    backups.mkdir()
    assert killed.command("backup", killed.config, backups / "first.db")[0] == 0
    damage(killed.store)
    before = killed.store.read_bytes()
    code, said = killed.command("run", killed.config)

    assert DAMAGED == code, said
    assert f"gateway restore {killed.config} BACKUP" in said
    assert f"{backups / 'first.db'}: of " in said
    assert f"gateway new-store {killed.config}" in said
    assert before == killed.store.read_bytes()
    assert 0 == killed.command("restore", killed.config, backups / "first.db", "--reason", "damaged", within=120)[0]
    killed.gateway()


def test_what_breaks_while_it_runs_stops_the_intake_and_health_says_it(site: Site, line: Process) -> None:
    gateway = site.gateway()
    site.connected()
    line.type("FILLER-1 resume")
    site.counted(*PACKER, 2)
    break_every_table(site)
    until(lambda: "malformed" in site.api.get("/readyz").text, what=lambda: site.api.get("/readyz").text)

    assert 503 == site.api.get("/readyz").status_code
    assert gateway.running
    assert 1 == gateway.output.count("nothing is acknowledged until it is committed")


def break_every_table(site: Site) -> None:
    """Overwrite what the tables' trees begin with; the log has newer pages of some, so it is written back first."""
    with closing(sqlite3.connect(site.store)) as connection:
        roots = [row[0] for row in connection.execute("SELECT rootpage FROM sqlite_master WHERE rootpage > 1")]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        until(lambda: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
    with site.store.open("r+b") as file:
        for root in roots:
            file.seek((root - 1) * size)
            file.write(b"\xff" * 64)

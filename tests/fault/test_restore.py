"""A store goes back to a backup while machines and ERP went on: nothing twice, and what is lost is held or told."""

import sqlite3
from collections import Counter
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.store import manifest
from simulators import books
from tests.harness.balance import assert_sound, lost, made, no_window, nothing_to_send
from tests.harness.people import enrol, give, signature, signs, typed
from tests.harness.process import Process
from tests.harness.site import Site, run_empty, running_line
from tests.harness.until import until

pytestmark = pytest.mark.timeout(600)

SPEED, FAST = 5, 20
FILLER, PACKER = ("FILLER-1", "good"), ("PACKER-1", "case_sealed")
COUNTERS = (FILLER, ("CAPPER-1", "capped"))


@pytest.fixture
def line(site: Site) -> Process:
    return running_line(site, speed=SPEED)


def produce(site: Site, line: Process, *, cases: int) -> None:
    """Let the line make that many cases more, all of them at the ERP."""
    before = site.tally("counted").get(PACKER, Decimal(0))
    line.type("FILLER-1 resume")
    site.counted(*PACKER, before + cases)
    run_empty(line)
    until(lambda: nothing_moves(site), what=site.status)


def nothing_moves(site: Site) -> bool:
    """Tell whether all that the machines made is counted, and all that was posted is at the ERP."""
    counted = site.tally("counted")
    return nothing_waits(site) and all(counted.get(name, 0) >= one.total for name, one in made(site).items())


def nothing_waits(site: Site) -> bool:
    """Tell whether all that was posted is at the ERP, and nothing is about to be."""
    return no_window(site) and nothing_to_send(site.status())


def booked(site: Site) -> list[dict[str, Any]]:
    return books.books(site.root / "erp.db")


def keys(bodies: list[dict[str, Any]]) -> Counter[tuple[str, str, str]]:
    main = (one for one in bodies if not (one.get("reverses") or one.get("follows")))
    return Counter((one["device"], one["signal"], one["key"]) for body in main for one in body["triggers"])


def back_up(site: Site) -> Path:
    copy = site.root / "backup.db"
    code, said = site.command("backup", site.config, copy)
    assert code == 0, said
    return copy


def put_back(site: Site, copy: Path) -> str:
    code, said = site.command("restore", site.config, copy, "--reason", "test", "--by", "tester", within=120)
    assert code == 0, said
    return said


def held(site: Site) -> list[dict[str, Any]]:
    return [one for one in site.exceptions() if one["kind"] == "counter" and one["code"] == "restored"]


def test_what_was_made_since_the_backup_is_held_and_the_erp_has_nothing_twice(site: Site, line: Process) -> None:
    gateway = site.gateway()
    site.connected()
    produce(site, line, cases=3)
    copy = back_up(site)
    before = manifest.read(copy).content
    produce(site, line, cases=3)
    known = keys(booked(site))
    gateway.kill()
    said = put_back(site, copy)
    line.type("FILLER-1 resume")
    site.gateway()
    site.connected()
    until(lambda: set(COUNTERS) <= {tuple(one["scope"]) for one in held(site)})
    seen = site.tally("counted")[FILLER]
    site.counted(*FILLER, seen + 20)
    run_empty(line)
    until(lambda: nothing_moves(site), what=site.status)

    assert f"store {before.store} up to seq {before.seq} goes on as store" in said
    assert {one for one, times in keys(booked(site)).items() if times > 1} == set()
    assert known.items() <= keys(booked(site)).items()
    assert_sound(site.store)
    assert_each_unit_is_booked_or_held(site, since=before.seq, former=before.store)


def assert_each_unit_is_booked_or_held(site: Site, *, since: int, former: str) -> None:
    """What is counted now is what the machines made; of what is held, the ERP has the part booked since the backup."""
    counted, holding = site.tally("counted"), site.tally("held")
    lost = [one for one in booked(site) if one["store"] == former and one["seq"] > since]
    again = books.units(lost)
    now = books.units([one for one in booked(site) if one not in lost])

    for name in COUNTERS:
        assert made(site)[name].total == counted[name]
        assert made(site)[name].total == now[name] + holding[name]
        assert Decimal(0) < again[name] <= holding[name]


def test_hundreds_of_messages_that_came_again_are_settled_together_and_the_books_are_exact(site: Site) -> None:
    line = running_line(site, speed=FAST)
    enrol(site)
    gateway = site.gateway()
    site.connected()
    produce(site, line, cases=2)
    copy = back_up(site)
    produce(site, line, cases=3)  # the ERP has them, the restored store won't
    gateway.kill()
    seal(site, line, cases=100)  # with their weights these are the messages that the broker keeps
    put_back(site, copy)
    site.gateway()
    until(lambda: len(messages_held(site)) >= 200 and nothing_moves(site), what=site.status)
    listed = typed(site, "exceptions")
    numbers = [one["id"] for one in messages_held(site)]
    said = typed(
        site, "settle", "--all", "--code", "restored", "--as-proposed", "--yes", "--reason", "R01", *signs(site)
    )
    until(lambda: nothing_waits(site), what=site.status)
    settle_the_rest(site)
    until(lambda: nothing_waits(site), what=site.status)

    assert "alike (--every lists them)" in listed
    assert f"{len(numbers)} entries are settled" in said
    assert set(numbers) <= {one for (one,) in site.rows("SELECT id FROM exception WHERE closed_by = 'anna'")}
    assert {} == lost(site)
    assert {"notice"} == {one["kind"] for one in site.exceptions()}
    assert {one for one, times in keys(booked(site)).items() if times > 1} == set()
    assert_sound(site.store)


def seal(site: Site, line: Process, *, cases: int) -> None:
    """Let the machines make that many cases while nobody listens."""
    before = made(site)[PACKER].total
    line.type("FILLER-1 resume")
    until(lambda: made(site)[PACKER].total >= before + cases)
    run_empty(line)


def messages_held(site: Site) -> list[dict[str, Any]]:
    return [one for one in held(site) if (one["detail"] or {}).get("proposal")]


def settle_the_rest(site: Site) -> None:
    """Say of each counter and gap what the machines made of it that the ERP has not, as a person finds out."""
    for one in site.exceptions():
        if one["kind"] in ("counter", "gap"):
            new = lost(site).get(tuple(one["scope"]), Decimal(0)) + Decimal(one["quantity"])
            parts = [{"quantity": str(new)}] if new else []
            body = {"exception": one["id"], "seen": one["seen"], "reason": "R01", "parts": parts}
            give(site, "settle-hold", **body, signature=signature())


def test_a_counter_that_stood_still_since_the_backup_goes_on_without_a_question(site: Site, line: Process) -> None:
    gateway = site.gateway()
    site.connected()
    produce(site, line, cases=2)
    copy = back_up(site)
    gateway.kill()
    put_back(site, copy)
    site.gateway()
    site.connected()
    until(lambda: site.rows("SELECT count(*) FROM checkpoint WHERE doubt <> ''") == [(0,)], what="doubts")
    before = made(site)[FILLER].total
    line.type("FILLER-1 resume")
    site.counted(*FILLER, before + 10)
    run_empty(line)
    until(lambda: all(site.tally("counted")[name] >= made(site)[name].total for name in COUNTERS))

    assert set() == {tuple(one["scope"]) for one in held(site)} & set(COUNTERS)
    assert_sound(site.store)


def test_what_the_erp_took_after_the_backup_is_sent_again_under_its_old_identity(site: Site, line: Process) -> None:
    gateway = site.gateway()
    site.connected()
    line.type("ERP pause")
    line.type("FILLER-1 resume")
    site.counted(*PACKER, 2)
    run_empty(line)
    until(lambda: all(site.tally("counted")[name] >= made(site)[name].total for name in COUNTERS))
    until(lambda: site.rows("SELECT count(*) FROM open_document") == [(0,)])
    copy = back_up(site)
    line.type("ERP resume")
    until(lambda: nothing_moves(site), what=site.status)
    known = {(one["store"], one["seq"]): one["hash"] for one in booked(site)}
    gateway.kill()
    put_back(site, copy)
    site.gateway()
    until(lambda: nothing_moves(site), what=site.status)

    former = manifest.read(copy).content
    assert {(former.store, seq) for seq in range(1, former.seq + 1)} == known.keys()
    assert known == {(one["store"], one["seq"]): one["hash"] for one in booked(site)}
    assert all(reason == "duplicate" for reason in refused(site))


def refused(site: Site) -> list[str]:
    with closing(sqlite3.connect(site.root / "erp.db")) as database:
        return [reason for (reason,) in database.execute("SELECT reason FROM refused")]


def test_a_puller_that_names_the_former_store_is_told_where_to_go_on(site: Site, line: Process) -> None:
    gateway = site.gateway()
    site.connected()
    produce(site, line, cases=2)
    copy = back_up(site)
    gateway.kill()
    put_back(site, copy)
    site.gateway()
    former = manifest.read(copy).content
    page = site.api.get("/api/v1/postings", params={"after": 0, "limit": 1}).json()
    answer = site.api.get("/api/v1/postings", params={"store": former.store})

    assert (409, page["store"]) == (answer.status_code, answer.json()["store"])
    assert [{"store": former.store, "last_seq": former.seq}] == answer.json()["former_stores"]
    assert former.store == page["items"][0]["store"] != page["store"]


def test_nothing_is_restored_under_a_running_gateway(site: Site, line: Process) -> None:
    gateway = site.gateway()
    site.connected()
    copy = back_up(site)
    code, said = site.command("restore", site.config, copy, "--reason", "test")

    assert (1, True) == (code, gateway.running)
    assert f"in use by process {gateway.pid}" in said


def test_a_new_store_begins_with_baselines_and_keeps_the_old_one(site: Site, line: Process) -> None:
    gateway = site.gateway()
    site.connected()
    produce(site, line, cases=2)
    gateway.kill()
    before = site.rows("SELECT value FROM meta WHERE key = 'store'")
    code, said = site.command("new-store", site.config, "--reason", "test", within=120)
    site.gateway()
    site.connected()

    assert 0 == code, said
    assert before != site.rows("SELECT value FROM meta WHERE key = 'store'")
    assert f"after store {before[0][0]}, whose last posting is seq" in said
    assert ["restored"] == [one["code"] for one in site.exceptions() if one["kind"] == "notice"]
    assert [("0",)] * 3 == site.rows("SELECT counted FROM checkpoint")
    assert_sound(site.store)
    assert_sound(next(one for one in site.store.parent.glob("*.replaced-*") if one.suffix.endswith("Z")))

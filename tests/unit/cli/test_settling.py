"""Many held entries settled together on the command line: shown and confirmed first, then signed part by part."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import orjson
import pytest

from gateway.api.shapes import body_of
from gateway.domain.command import SettleHolds
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.formats import signed
from gateway.store.batch import Batch
from gateway.store.store import Store
from tests.unit.cli.conftest import Daemon, Outcome

Gateway = Callable[..., Outcome]
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def make_held(number: int, **changes: Any) -> ExceptionRecord:
    """Return a message that is held after a restore."""
    said = {"proposal": [{"quantity": "2", "order": "", "at": None}]}
    held = ExceptionRecord(
        id=number,
        kind=ExceptionKind.COUNTER,
        code="restored",
        reason=f"The store was restored. Look for PACKER-1.case_sealed c{number}.",
        scope=("PACKER-1", "case_sealed"),
        quantity=Decimal(2),
        uom="EA",
        count=1,
        first_event=NOW,
        last_event=NOW,
        opened_at=NOW,
        detail=orjson.dumps(said).decode(),
    )
    return replace(held, **changes)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def settle(daemon: Daemon, gateway: Gateway) -> Callable[..., Outcome]:
    """Settle what is held; `records` are in the store."""
    daemon.answer = {"result": []}

    def run(records: Sequence[ExceptionRecord], *said: object) -> Outcome:
        asyncio.run(_commit(daemon, records))
        return gateway("settle", daemon.config, "--all", "--reason", "COUNT", *said)

    return run


async def _commit(daemon: Daemon, records: Sequence[ExceptionRecord]) -> None:
    store = await Store.open(daemon.config / "var" / "gateway.db", "PLANT1-L1")
    await store.commit(Batch(exceptions={one.id: one for one in records}))
    await store.close()


def settled(daemon: Daemon) -> list[int]:
    """Return the numbers of the entries that the daemon was told."""
    return [one["exception"] for _, body in daemon.asked for one in body["holds"]]


def test_each_entry_is_named_with_what_was_shown_and_what_it_proposes(daemon: Daemon, settle: Any) -> None:
    outcome = settle([make_held(5)], "--code", "restored", "--as-proposed", "--yes")

    assert 0 == outcome.code, outcome.error
    parts = [{"quantity": "2", "order": "", "at": None}]
    said = {"holds": [{"exception": 5, "seen": signed.held(make_held(5)), "parts": parts}], "reason": "COUNT"}
    assert [("/api/v1/commands/settle-holds", {**said, "signature": None})] == daemon.asked
    assert body_of(SettleHolds).model_validate_json(orjson.dumps(said))


def test_none_says_so_of_each(daemon: Daemon, settle: Any) -> None:
    settle([make_held(5), make_held(6, detail="")], "--code", "restored", "--none", "--yes")

    assert [(5, []), (6, [])] == [(one["exception"], one["parts"]) for one in daemon.body["holds"]]


def test_it_shows_what_it_will_settle_and_asks_before_the_password(
    daemon: Daemon, settle: Any, monkeypatch: Any
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("typer.confirm", lambda text, **_: asked.append(text))
    monkeypatch.setattr("typer.prompt", lambda *_, **__: asked.append("password") or "typed")
    other = make_held(9, scope=("SCALE-1", "net_weight"), uom="kg", quantity=Decimal("6.5"))
    outcome = settle([make_held(5), make_held(6), other], "--code", "restored", "--as-proposed", "--user", "eva")
    rows = [" ".join(line.split()) for line in outcome.output.splitlines()]

    assert ["settle these 3 entries?", "password"] == asked
    assert "PACKER-1.case_sealed that ran then 2 4 EA 5-6" in rows
    assert "SCALE-1.net_weight that ran then 1 6.5 kg 9" in rows
    assert "Number 5, for example: The store was restored." in outcome.output
    assert "What the ERP has of them already would be booked twice" in outcome.output
    assert {"user": "eva", "password": "typed", "meaning": "settlement approved"} == daemon.body["signature"]


def test_who_says_no_settles_nothing(daemon: Daemon, settle: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("n\n"))
    outcome = settle([make_held(5)], "--code", "restored", "--none")

    assert (1, []) == (outcome.code, daemon.asked)


@pytest.mark.parametrize(
    ("said", "numbers"),
    [
        ((), [1, 2, 3, 4]),
        (("--device", "SCALE-1"), [3]),
        (("--signal", "reject"), [4]),
        (("--ids", "2-3"), [2, 3]),
    ],
)
def test_only_what_is_meant_is_settled(daemon: Daemon, settle: Any, said: tuple[str, ...], numbers: list[int]) -> None:
    records = [
        *map(make_held, (1, 2)),
        make_held(3, scope=("SCALE-1", "net_weight")),
        make_held(4, scope=("PACKER-1", "reject")),
        make_held(5, code="conflict"),
        make_held(6, kind=ExceptionKind.NOTICE),
        make_held(7, closed_at=NOW),
    ]
    settle(records, "--code", "restored", "--none", "--yes", *said)

    assert numbers == settled(daemon)


def test_many_are_settled_part_by_part(daemon: Daemon, settle: Any) -> None:
    settle([make_held(number) for number in range(1, 451)], "--code", "restored", "--as-proposed", "--yes")

    assert list(range(1, 451)) == settled(daemon)
    assert [200, 200, 50] == [len(body["holds"]) for _, body in daemon.asked]


def test_what_proposes_nothing_is_left_out_and_told(daemon: Daemon, settle: Any) -> None:
    outcome = settle([make_held(5, detail='{"candidates":[7,0]}')], "--code", "restored", "--as-proposed", "--yes")

    assert (0, []) == (outcome.code, daemon.asked)
    assert "1 entries propose nothing and are left out" in outcome.output
    assert "nothing is settled" in outcome.output


def test_the_end_tells_what_was_posted_what_waits_and_what_stays_open(daemon: Daemon, settle: Any) -> None:
    part = {"quantity": "2", "seq": 17, "exception": None, "waits": ""}
    waits = {**part, "seq": None, "exception": 9, "waits": "BOTTLE is short"}
    daemon.answer = {
        "result": [
            {"exception": 5, "refused": "", "parts": [part]},
            {"exception": 6, "refused": "", "parts": [{**part, "seq": 19}, waits]},
            {"exception": 7, "refused": "order 100045 was closed", "parts": []},
        ]
    }
    outcome = settle(list(map(make_held, (5, 6, 7))), "--code", "restored", "--as-proposed", "--yes")

    assert [
        "2 entries are settled; postings 17 to 19",
        "  1 × waiting in exception 9: BOTTLE is short",
        "  1 × still open: order 100045 was closed",
    ] == outcome.output.splitlines()[-3:]
    assert (1, "1 entries stay open") == (outcome.code, outcome.error.splitlines()[0])


def test_a_refusal_ends_it_and_the_rest_is_for_another_time(daemon: Daemon, settle: Any) -> None:
    daemon.status, daemon.answer = 401, {"detail": "unknown user or wrong password"}
    outcome = settle([make_held(number) for number in range(1, 451)], "--code", "restored", "--none", "--yes")

    assert (1, 1) == (outcome.code, len(daemon.asked))
    assert "0 entries are settled" in outcome.output
    assert "unknown user or wrong password" in outcome.error


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (("--none",), "--all takes --code"),
        (("--code", "restored", "--units", "5"), "--all takes --code"),
        (("--code", "restored", "--none", "7"), "say which: the number of an entry, or --all"),
        (("--code", "restored", "--none", "--ids", "7"), "write FIRST-LAST"),
    ],
)
def test_what_cannot_be_meant_is_refused(daemon: Daemon, settle: Any, said: tuple[str, ...], fault: str) -> None:
    outcome = settle([make_held(5)], *said)

    assert (2, []) == (outcome.code, daemon.asked)
    assert fault in outcome.error


def test_without_all_an_entry_has_to_be_named(daemon: Daemon, gateway: Gateway) -> None:
    outcome = gateway("settle", daemon.config, "--none", "--reason", "COUNT")

    assert (2, []) == (outcome.code, daemon.asked)


def listed(daemon: Daemon, gateway: Gateway, records: Sequence[ExceptionRecord], *said: str) -> list[str]:
    """Return the work list's lines below the head."""
    asyncio.run(_commit(daemon, records))
    outcome = gateway("exceptions", daemon.config, *said)
    assert 0 == outcome.code, outcome.error
    joined = [" ".join(line.split()) for line in outcome.output.splitlines()]
    return [line for line in joined if line[:1].isdigit()]


def test_many_entries_alike_are_one_line_with_the_way_to_settle_them(
    daemon: Daemon, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "800")
    records = [make_held(2, code="conflict"), *map(make_held, range(3, 3003))]
    first, second = listed(daemon, gateway, records)

    assert first.startswith("2 counter PACKER-1/case_sealed 2 EA")
    assert second.startswith("3-3002 counter PACKER-1/case_sealed 6000 EA 2026-11-21 10:00:00Z 3000 alike")
    assert "the first: The store was restored. Look for PACKER-1.case_sealed c3." in second
    assert (
        "→ gateway settle CONFIG_DIR --all --code restored --device PACKER-1 --signal case_sealed --as-proposed or "
        "--none --reason CODE --user NAME; --ids FIRST-LAST for some of them"
    ) in second


def test_a_few_alike_and_every_one_that_is_asked_for_have_a_line_each(daemon: Daemon, gateway: Gateway) -> None:
    few = [make_held(number) for number in range(1, 11)]

    assert 10 == len(listed(daemon, gateway, few))
    assert 1 == len(listed(daemon, gateway, [make_held(11)]))
    assert 11 == len(listed(daemon, gateway, [], "--every"))


def test_closed_ones_alike_are_those_that_were_closed_together(daemon: Daemon, gateway: Gateway) -> None:
    closed = [make_held(number, closed_at=NOW, closed_by="eva", close_reason="none") for number in range(1, 21)]
    other = make_held(21, closed_at=NOW.replace(hour=11), closed_by="eva", close_reason="none")
    lines = listed(daemon, gateway, [*closed, other], "--closed")

    assert ["21", "1-20"] == [line.split()[0] for line in lines]
    assert "gateway settle" not in " ".join(lines)


def test_what_nobody_settles_is_grouped_without_a_way_to(daemon: Daemon, gateway: Gateway) -> None:
    (line,) = listed(daemon, gateway, [make_held(one, kind=ExceptionKind.NOTICE) for one in range(1, 21)])

    assert "20 alike" in line
    assert "gateway settle" not in line


def test_the_status_groups_them_too(daemon: Daemon, gateway: Gateway) -> None:
    daemon.is_away()
    asyncio.run(_commit(daemon, [make_held(number) for number in range(1, 1101)]))
    output = gateway("status", daemon.config).output

    assert "blocked: 1100" in output
    assert "#1-1100 PACKER-1/case_sealed holds 2200 EA: 1100 alike, the first: The store was restored." in output

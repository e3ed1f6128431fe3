"""Settling holds and signing baselines on the command line, and the lists that say how."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from gateway.api.shapes import body_of
from gateway.cli.work_list import way_out
from gateway.counting.counter import Baseline
from gateway.domain.command import SettleHold, SignBaseline
from gateway.domain.event import SignalId
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.store.batch import Batch
from gateway.store.store import Store
from tests.unit.cli.conftest import Daemon, Outcome

Gateway = Callable[..., Outcome]
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
PROPOSED = [
    {"quantity": "67", "order": "100045", "at": "2026-11-21T09:00:00.000Z"},
    {"quantity": "33", "order": "100046", "at": "2026-11-21T10:00:00.000Z"},
]
SHOWN = {
    "id": 7,
    "kind": "gap",
    "reason": "3 messages are missing",
    "quantity": "3",
    "uom": "EA",
    "detail": {"proposal": PROPOSED},
    "seen": "sha256:shown",
}
HELD = ExceptionRecord(
    id=7,
    kind=ExceptionKind.COUNTER,
    code="implausible",
    reason="The counter went from 100 to 40000.",
    scope=("FILLER-1", "good"),
    quantity=Decimal(0),
    uom="",
    count=1,
    first_event=NOW,
    last_event=NOW,
    opened_at=NOW,
    detail='{"candidates":[0,39900]}',
)


def became(**changes: Any) -> dict[str, Any]:
    """Return what a part became: a posting, unless it is said otherwise."""
    part = {"quantity": "5", "order": "100045", "operation": "0010", "document": 9, "seq": 17, "exception": None}
    return {**part, "waits": "", **changes}


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        (("--units", "12"), [{"quantity": "12", "order": "", "at": None}]),
        (
            ("--part", "5@100045", "--part", "7@100046@2026-11-21T10:00:00Z"),
            [
                {"quantity": "5", "order": "100045", "at": None},
                {"quantity": "7", "order": "100046", "at": "2026-11-21T10:00:00Z"},
            ],
        ),
        (("--none",), []),
        (("--as-proposed",), PROPOSED),
    ],
)
def test_it_says_what_a_hold_really_was(daemon: Daemon, gateway: Gateway, said: tuple[str, ...], parts: Any) -> None:
    daemon.exceptions = [{"id": 6, "detail": None}, SHOWN]
    daemon.answer = {"result": []}

    outcome = gateway("settle", daemon.config, 7, *said, "--reason", "COUNT")

    assert (0, "exception 7 is settled as 0 units\n") == (outcome.code, outcome.output), outcome.error
    ((path, body),) = daemon.asked
    assert ("/api/v1/commands/settle-hold", 7, "COUNT", parts) == (
        path,
        body["exception"],
        body["reason"],
        body["parts"],
    )
    del body["signature"]
    assert body_of(SettleHold).model_validate_json(orjson.dumps(body))


def test_it_says_which_state_of_the_entry_was_shown(daemon: Daemon, gateway: Gateway) -> None:
    daemon.exceptions = [SHOWN]
    daemon.answer = {"result": []}

    outcome = gateway("settle", daemon.config, 7, "--units", "3", "--reason", "COUNT")

    assert ("exception 7 holds 3 EA: 3 messages are missing", "sha256:shown") == (
        outcome.error.strip(),
        daemon.body["seen"],
    )


def test_an_older_gateway_that_does_not_say_which_state_it_shows_is_to_be_restarted(
    daemon: Daemon, gateway: Gateway
) -> None:
    daemon.exceptions = [{name: value for name, value in SHOWN.items() if name != "seen"}]

    outcome = gateway("settle", daemon.config, 7, "--units", "3", "--reason", "COUNT")

    assert (1, []) == (outcome.code, daemon.asked)
    assert "the running gateway is older than this command: restart it" == outcome.error.splitlines()[-1]


@pytest.mark.parametrize(("kind", "seen"), [("gap", "sha256:shown"), ("trigger", None)])
def test_closing_a_gap_says_so_too(daemon: Daemon, gateway: Gateway, kind: str, seen: str | None) -> None:
    daemon.exceptions = [SHOWN | {"kind": kind}]

    outcome = gateway("close-exception", daemon.config, 7, "--reason", "COUNT")

    assert "exception 7 holds 3 EA: 3 messages are missing" == outcome.error.strip()
    assert seen == daemon.body.get("seen")


def test_it_tells_what_was_posted_and_what_waits_for_what(daemon: Daemon, gateway: Gateway) -> None:
    waits = became(quantity="7", seq=None, document=None, exception=8, waits="BOTTLE is short")
    daemon.answer = {"result": [became(), became(seq=None), waits]}

    outcome = gateway("settle", daemon.config, 7, "--units", "17", "--reason", "COUNT")

    assert (
        "exception 7 is settled as 17 units; 5 of order 100045 operation 0010: posting 17; "
        "5 of order 100045 operation 0010: in the open document 9; "
        "7 of order 100045 operation 0010: waiting in exception 8: BOTTLE is short\n"
    ) == outcome.output


def test_it_is_signed(daemon: Daemon, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "typed")
    daemon.answer = {"result": []}

    gateway("settle", daemon.config, 7, "--none", "--reason", "COUNT", "--user", "eva")

    assert {"user": "eva", "password": "typed", "meaning": "settlement approved"} == daemon.body["signature"]


@pytest.mark.parametrize("said", [(), ("--none", "--units", "5"), ("--as-proposed", "--part", "5@100045")])
def test_a_hold_was_one_thing(daemon: Daemon, gateway: Gateway, said: tuple[str, ...]) -> None:
    outcome = gateway("settle", daemon.config, 7, *said, "--reason", "COUNT")

    assert (2, []) == (outcome.code, daemon.asked)
    assert "say what it was" in outcome.error


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (("--units", "-4"), "--units -4: '-4' is no quantity above 0"),
        (("--part", "@100045"), "--part @100045: '' is no quantity above 0"),
        (("--part", "0.0@100045"), "--part 0.0@100045: '0.0' is no quantity above 0"),
    ],
)
def test_a_wrong_quantity_names_its_option(
    daemon: Daemon, gateway: Gateway, said: tuple[str, ...], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    outcome = gateway("settle", daemon.config, 7, *said, "--reason", "COUNT")

    assert (2, []) == (outcome.code, daemon.asked)
    assert fault in outcome.error


@pytest.mark.parametrize(("command", "list_"), [("settle", "exceptions"), ("discard", "letters")])
def test_the_help_says_where_the_number_is_from(
    gateway: Gateway, command: str, list_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    outcome = gateway(command, "--help")

    assert f"its number, as `gateway {list_}` shows it" in outcome.output


def test_what_proposes_nothing_cannot_be_settled_so(daemon: Daemon, gateway: Gateway) -> None:
    daemon.exceptions = [{"id": 7, "detail": {"proposal": []}}]

    outcome = gateway("settle", daemon.config, 7, "--as-proposed", "--reason", "COUNT")

    assert (1, []) == (outcome.code, daemon.asked)
    assert "exception 7 proposes nothing" in outcome.error


def test_a_baseline_is_signed_with_the_value_that_is_there(daemon: Daemon, gateway: Gateway) -> None:
    outcome = gateway("sign-baseline", daemon.config, "FILLER-1.good", "--value", 41)

    assert "FILLER-1.good began at 41\n" == outcome.output
    assert [
        (
            "/api/v1/commands/sign-baseline",
            {"device": "FILLER-1", "signal": "good", "value": 41, "signature": None},
        )
    ] == daemon.asked
    assert body_of(SignBaseline).model_validate({"device": "FILLER-1", "signal": "good", "value": 41})


def test_a_baseline_is_of_a_device_and_a_signal(daemon: Daemon, gateway: Gateway) -> None:
    outcome = gateway("sign-baseline", daemon.config, "good", "--value", 41)

    assert (2, []) == (outcome.code, daemon.asked)


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ({"candidates": [0, 39900]}, "--units 39900, whatever it was, or --none"),
        ({"missing": [[2, 3]]}, "--units 2, whatever it was, or --none"),
        ({"orders": ["100045", "100046"], "proposal": PROPOSED}, "--as-proposed (67 of 100045, 33 of 100046)"),
        ({"orders": ["100045", "100046"], "proposal": []}, "--part UNITS@ORDER …"),
    ],
)
def test_a_hold_says_how_it_is_settled(detail: dict[str, Any], told: str) -> None:
    record = replace(HELD, quantity=Decimal(2), detail=orjson.dumps(detail).decode())

    assert way_out(record).startswith(" → gateway settle CONFIG_DIR 7 --reason CODE --user NAME ")
    assert told in way_out(record)


@pytest.mark.parametrize("changes", [{"closed_at": NOW}, {"kind": ExceptionKind.TRIGGER}])
def test_nothing_else_does(changes: dict[str, Any]) -> None:
    assert "" == way_out(replace(HELD, **changes))


def test_baselines_say_who_has_signed_them(daemon: Daemon, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    daemon.is_away()
    began = {
        SignalId("FILLER-1", "good"): Baseline(41, "7", NOW, "eva", NOW),
        SignalId("FILLER-1", "reject"): Baseline(3, None, NOW),
    }
    asyncio.run(_commit(daemon, Batch(baselines=began, exceptions={7: HELD})))
    first, second = gateway("baselines", daemon.config).output.strip().splitlines()[-2:]

    assert "FILLER-1.good 41 7 2026-11-21 10:00:00Z eva 2026-11-21 10:00:00Z" == " ".join(first.split())
    assert "FILLER-1.reject 3 – 2026-11-21 10:00:00Z nobody yet –" == " ".join(second.split())
    assert "gateway settle CONFIG_DIR 7" in gateway("exceptions", daemon.config).output.replace("\n", " ")
    assert "baselines: 1 not signed yet" in gateway("status", daemon.config).output


async def _commit(daemon: Daemon, batch: Batch) -> None:
    store = await Store.open(daemon.config / "var" / "gateway.db", "PLANT1-L1")
    await store.commit(batch)
    await store.close()

"""Each command says to the running gateway what its arguments mean, and to the person what happened."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from gateway.api.commands import name_of
from gateway.api.shapes import body_of
from gateway.domain.command import Command
from tests.unit.cli.conftest import Daemon, Outcome

Gateway = Callable[..., Outcome]

SHARED = ("--line", "L1", "--location", "L1-BIN-4")
KEY = {"owner": {"kind": "line", "name": "L1"}, "item": "CAP-28", "lot": "L-7", "location": "L1-BIN-4"}
# Command line → endpoint, what it says there, and what it prints.
COMMANDS: dict[str, tuple[tuple[str, ...], str, dict[str, Any], str]] = {
    "stage": (
        (
            *("stage", "CAP-28", "L-7", "12000.5", "EA", *SHARED, "--id", "TO-1"),
            *("--supplier", "ACME", "--scanned", "--received", "2026-11-20T06:00:00Z"),
        ),
        "stage",
        {
            "staging": {
                "staging": "TO-1",
                "key": KEY,
                "quantity": "12000.5",
                "uom": "EA",
                "received_at": "2026-11-20T06:00:00Z",
                "expires_at": None,
                "status": "unrestricted",
                "facts": {"supplier": "ACME"},
                "scanned": True,
            }
        },
        "12000.5 EA of CAP-28 lot L-7 are staged at L1-BIN-4 (staging TO-1)",
    ),
    "scan-in": (
        ("scan-in", "L1", "CAP-28", "L-7"),
        "scan-in",
        {"line": "L1", "item": "CAP-28", "lot": "L-7"},
        "lot L-7 of CAP-28 is scanned in at L1; balances that became eligible: 3",
    ),
    "issue": (
        ("issue", "100045", "0010", "CO2", "G-1", "1.25", "kg", "--id", "I-1", "--temperature", "-4.5"),
        "issue-lot",
        {
            "issue": "I-1",
            "order": "100045",
            "operation": "0010",
            "item": "CO2",
            "lot": "G-1",
            "quantity": "1.25",
            "uom": "kg",
            "bom_line": "",
            "location": "",
            "temperature": "-4.5",
        },
        "1.25 kg of CO2 lot G-1 are issued to order 100045 operation 0010",
    ),
    "enter": (
        ("enter", "100045", "0010", "--good", "12", "--scrap", "1", "--line", "0020=2.5", "--id", "E-1"),
        "enter-output",
        {
            "entry": "E-1",
            "order": "100045",
            "operation": "0010",
            "good": "12",
            "scrap": "1",
            "rework": "0",
            "lines": [{"bom_line": "0020", "quantity": "2.5"}],
        },
        "order 100045 operation 0010: 12 good, 1 scrap, 0 rework are entered",
    ),
    "return": (
        ("return", "CAP-28", "L-7", "5", "EA", *SHARED, "--reason", "SURPLUS", "--exposed", "--id", "R-1"),
        "return-lot",
        {"transfer": "R-1", "key": KEY, "quantity": "5", "uom": "EA", "reason": "SURPLUS", "exposed": True},
        "5 EA of CAP-28 lot L-7 are returned in quarantine",
    ),
    "count": (
        ("count", "CAP-28", "L-7", "95", "EA", *SHARED, "--reason", "COUNT", "--id", "C-1"),
        "count-lot",
        {"count": "C-1", "key": KEY, "found": "95", "uom": "EA", "reason": "COUNT"},
        "CAP-28 lot L-7 was counted: 95 EA",
    ),
    "lot-status": (
        ("lot-status", "CAP-28", "L-7", "blocked", "--reason", "DAMAGED"),
        "set-lot-status",
        {"item": "CAP-28", "lot": "L-7", "status": "blocked", "reason": "DAMAGED"},
        "lot L-7 of CAP-28 is blocked now; balances changed: 3",
    ),
    "start-order": (
        ("start-order", "L1", "100046", "--at", "2026-11-21T10:00:00Z"),
        "start-order",
        {"line": "L1", "order": "100046", "at": "2026-11-21T10:00:00Z"},
        "L1 works on order 100046",
    ),
    "clear-line": (
        ("clear-line", "L1", "100046"),
        "clear-line",
        {"line": "L1", "order": "100046"},
        "L1 is cleared for order 100046",
    ),
    "approve-label": (
        ("approve-label", "100046"),
        "approve-label",
        {"order": "100046"},
        "the label of order 100046 is approved",
    ),
    "pin-bom": (
        ("pin-bom", "100045", "4", "--since", "2026-11-21T10:00:00Z"),
        "pin-bom",
        {"order": "100045", "bom_version": "4", "since": "2026-11-21T10:00:00Z"},
        "order 100045 is made by BOM version 4 since 2026-11-21T10:00:00Z",
    ),
    "allow-overrun": (
        ("allow-overrun", "100045", "20500"),
        "allow-overrun",
        {"order": "100045", "quantity": "20500"},
        "order 100045 may produce 20500 in all",
    ),
    "trust-clock": (("trust-clock",), "trust-clock", {}, "the clock is trusted until the next boot"),
    "retry": (("retry",), "retry", {}, "everything that waits was tried again; it still waits: 3"),
    "retry one": (("retry", "7"), "retry", {"exception": 7}, "exception 7 was tried again; it still waits: 3"),
    "accept": (
        ("accept", "7"),
        "accept-deviation",
        {"exception": 7},
        "exception 7: the deviation is accepted for 3 triggers",
    ),
    "close-exception": (
        ("close-exception", "7", "--reason", "TEST: trial run"),
        "close-exception",
        {"exception": 7, "reason": "TEST: trial run"},
        "exception 7 is closed without posting",
    ),
    "reverse": (
        ("reverse", "17", "--reason", "MISCOUNT"),
        "reverse",
        {"seq": 17, "reason": "MISCOUNT"},
        "posting 17 is reversed by posting 3",
    ),
    "reverse units": (
        ("reverse", "17", "--units", "2.5", "--reason", "MISCOUNT"),
        "reverse",
        {"seq": 17, "reason": "MISCOUNT", "units": "2.5"},
        "2.5 units of posting 17 are reversed by posting 3",
    ),
    "close-window": (("close-window", "9"), "close-window", {"document": 9}, "document 9 is closed: posting 3"),
    "close-order": (
        ("close-order", "100045", "--residuals", "return", "--reason", "DONE"),
        "close-order",
        {"order": "100045", "residuals": "return", "reason": "DONE", "deviation": False},
        "order 100045 is closed by posting 3, residuals: return",
    ),
}
KINDS = {name_of(kind): kind for kind in get_args(Command)}


@pytest.mark.parametrize("case", COMMANDS)
def test_it_asks_the_gateway_and_says_what_happened(daemon: Daemon, gateway: Gateway, case: str) -> None:
    (name, *arguments), endpoint, body, sentence = COMMANDS[case]
    daemon.answer = {"result": 3}

    outcome = gateway(name, daemon.config, *arguments)

    assert (0, f"{sentence}\n") == (outcome.code, outcome.output), outcome.error
    assert [(f"/api/v1/commands/{endpoint}", {**body, "signature": None})] == daemon.asked
    assert body_of(KINDS[endpoint]).model_validate(body)


def test_it_shows_the_token_of_this_machine(daemon: Daemon, gateway: Gateway) -> None:
    gateway("retry", daemon.config)

    assert ["Bearer local secret"] == daemon.tokens


def test_activate_signs_the_hash_of_the_folders_configuration(daemon: Daemon, gateway: Gateway) -> None:
    gateway("activate", daemon.config)
    rules = daemon.config / "triggers.yaml"
    rules.write_text(rules.read_text("utf-8").replace("version: 1", "version: 2"), "utf-8")
    gateway("activate", daemon.config)

    (_, first), (_, second) = daemon.asked
    assert first["configuration"].startswith("sha256:")
    assert first["configuration"] != second["configuration"]


def test_a_signature_is_user_password_and_meaning(daemon: Daemon, gateway: Gateway, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("correct horse\n", "utf-8")

    gateway("reverse", daemon.config, 17, "--reason", "MISCOUNT", "--user", "eva", "--password-file", password)

    assert {"user": "eva", "password": "correct horse", "meaning": "reversal approved"} == daemon.body["signature"]


def test_the_password_is_asked_for(daemon: Daemon, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "typed")

    gateway("accept", daemon.config, 7, "--user", "eva", "--meaning", "checked the lot")

    assert {"user": "eva", "password": "typed", "meaning": "checked the lot"} == daemon.body["signature"]


def test_an_entry_that_has_to_wait_says_why(daemon: Daemon, gateway: Gateway) -> None:
    other = {"id": 6, "scope": ["100045", "0010"], "reason": "CO2 is short"}
    daemon.exceptions = [other, {"id": 7, "scope": ["100045", "0030"], "reason": "CARTON-12 is short"}]

    outcome = gateway("enter", daemon.config, "100045", "0030", "--good", 1)

    assert outcome.output.endswith("are entered; waiting in exception 7: CARTON-12 is short\n")


def test_two_transfers_without_an_id_are_two(daemon: Daemon, gateway: Gateway) -> None:
    for _ in range(2):
        gateway("stage", daemon.config, "CAP-28", "L-7", "5", "EA", *SHARED)

    first, second = (body["staging"]["staging"] for _, body in daemon.asked)
    assert first != second


def test_a_retry_that_clears_says_nothing_more(daemon: Daemon, gateway: Gateway) -> None:
    daemon.answer = {"result": ""}

    assert "exception 7 was tried again\n" == gateway("retry", daemon.config, 7).output


def test_a_reversal_of_several_documents_names_each(daemon: Daemon, gateway: Gateway) -> None:
    daemon.answer = {"result": [18, 19]}

    outcome = gateway("reverse", daemon.config, 17, "--reason", "MISCOUNT")

    assert "posting 17 is reversed by postings 18, 19\n" == outcome.output


@pytest.mark.parametrize(
    "arguments",
    [("stage", "CAP-28", "L-7", "-5", "EA", *SHARED), ("allow-overrun", "100045", "-.5")],
)
def test_a_quantity_below_zero_is_no_option(daemon: Daemon, gateway: Gateway, arguments: tuple[str, ...]) -> None:
    outcome = gateway(arguments[0], daemon.config, *arguments[1:])

    assert (2, []) == (outcome.code, daemon.asked)
    assert "is below zero" in outcome.error


def test_trust_in_an_assumed_clock_changes_nothing(daemon: Daemon, gateway: Gateway) -> None:
    daemon.answer = {"result": False}

    assert "nothing depends on it" in gateway("trust-clock", daemon.config).output


def test_what_was_applied_before_says_so(daemon: Daemon, gateway: Gateway) -> None:
    daemon.answer = {"result": False}

    outcome = gateway("stage", daemon.config, "CAP-28", "L-7", "5", "EA", *SHARED, "--id", "TO-1")

    assert (0, "nothing new: it is so already\n") == (outcome.code, outcome.output)


@pytest.mark.parametrize("owner", [(), ("--line", "L1", "--order", "100045")])
def test_stock_is_of_one_owner(daemon: Daemon, gateway: Gateway, owner: tuple[str, ...]) -> None:
    outcome = gateway("stage", daemon.config, "CAP-28", "L-7", "5", "EA", "--location", "B", *owner)

    assert (2, []) == (outcome.code, daemon.asked)
    assert "either --order or --line" in outcome.error


def test_an_edited_line_is_line_and_quantity(daemon: Daemon, gateway: Gateway) -> None:
    outcome = gateway("enter", daemon.config, "100045", "0010", "--line", "0020")

    assert (2, []) == (outcome.code, daemon.asked)


def test_a_refusal_is_the_message_with_its_hint_and_exit_1(daemon: Daemon, gateway: Gateway) -> None:
    daemon.status, daemon.answer = 409, {"detail": "posting 17 is reversed already", "hint": "by posting 18"}

    outcome = gateway("reverse", daemon.config, 17, "--reason", "MISCOUNT")

    assert (1, "") == (outcome.code, outcome.output)
    assert "posting 17 is reversed already\n→ by posting 18\n" == outcome.error


def test_a_faulty_member_is_named(daemon: Daemon, gateway: Gateway) -> None:
    faults = [{"loc": ["body", "units"], "msg": "1,5 is not a number", "type": "value_error"}]
    daemon.status, daemon.answer = 422, {"detail": faults}

    outcome = gateway("reverse", daemon.config, 17, "--reason", "MISCOUNT", "--units", "1,5")

    assert (1, "units: 1,5 is not a number\n") == (outcome.code, outcome.error)


def test_an_answer_that_is_none_of_ours_is_told(daemon: Daemon, gateway: Gateway) -> None:
    daemon.status, daemon.answer = 500, "oops"

    outcome = gateway("retry", daemon.config)

    assert (1, "the gateway answered 500\n") == (outcome.code, outcome.error)


def test_without_a_gateway_it_says_how_to_start_one(daemon: Daemon, gateway: Gateway) -> None:
    token = next((daemon.config / "var").glob("*.token"))
    token.unlink()

    outcome = gateway("retry", daemon.config)

    assert 1 == outcome.code
    assert f"no gateway answers at 127.0.0.1:{daemon.port}\n→ start it: gateway run" in outcome.error


def test_a_faulty_configuration_is_exit_2(daemon: Daemon, gateway: Gateway) -> None:
    (daemon.config / "gateway.yaml").write_text("gateway: 7\n", "utf-8")

    outcome = gateway("retry", daemon.config)

    assert (2, []) == (outcome.code, daemon.asked)

"""Every command over HTTP, its signature, and each way in which it is refused and written down."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest

from gateway.api.commands import PERMISSIONS, name_of
from gateway.api.refusals import ONE_BY_ONE
from gateway.domain.command import (
    AllowOverrun,
    CloseException,
    CloseOrder,
    Command,
    EditedLine,
    EnterOutput,
    Residual,
    Reverse,
    ScanIn,
    SetLotStatus,
    Stage,
    TrustClock,
)
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.lot import LotFacts, LotKey, LotStatus, Owner, Staging
from gateway.domain.signature import Author, Signature
from gateway.errors import CommandRefused, TransientError
from gateway.formats import signed
from gateway.store.batch import Batch
from tests.integration.api.conftest import PASSWORD, ROLES, Site
from tests.integration.api.writer import NOW

KEY = {"owner": {"kind": "line", "name": "L1"}, "item": "CAP-28", "lot": "L-7", "location": "L1-CAP"}
BODIES: dict[str, dict[str, Any]] = {
    "stage": {"staging": {"staging": "ST-1", "key": KEY, "quantity": "12000.50", "uom": "EA"}},
    "scan-in": {"line": "L1", "item": "CAP-28", "lot": "L-7"},
    "set-lot-status": {"item": "CAP-28", "lot": "L-7", "status": "blocked", "reason": "DAMAGED"},
    "return-lot": {"transfer": "R-1", "key": KEY, "quantity": "5", "uom": "EA", "reason": "SURPLUS"},
    "count-lot": {"count": "C-1", "key": KEY, "found": "0", "uom": "EA", "reason": "COUNT"},
    "issue-lot": {
        "issue": "I-1",
        "order": "100045",
        "operation": "0010",
        "item": "CO2",
        "lot": "G-1",
        "quantity": "1.25",
        "uom": "kg",
    },
    "enter-output": {"entry": "E-1", "order": "100045", "operation": "0010", "good": "3"},
    "start-order": {"line": "L1", "order": "100045"},
    "clear-line": {"line": "L1", "order": "100045"},
    "approve-label": {"order": "100045"},
    "pin-bom": {"order": "100045", "bom_version": "4", "since": "2026-11-21T10:00:00Z"},
    "allow-overrun": {"order": "100045", "quantity": "20500"},
    "trust-clock": {},
    "retry": {},
    "accept-deviation": {"exception": 7},
    "close-exception": {"exception": 7, "reason": "TEST"},
    "settle-hold": {"exception": 7, "reason": "TEST", "parts": [{"quantity": "5", "order": "100045"}]},
    "sign-baseline": {"device": "FILLER-1", "signal": "good", "value": 41},
    "redrive-letter": {"letter": 3},
    "discard-letter": {"letter": 3, "reason": "TEST"},
    "redrive-posting": {"sink": "erp", "seq": 2},
    "settle-posting": {"sink": "erp", "seq": 2, "reason": "TEST"},
    "reverse": {"seq": 2, "reason": "MISCOUNT"},
    "close-window": {"document": 9},
    "close-order": {"order": "100045", "residuals": "return", "reason": "DONE"},
    "activate": {"configuration": "sha256:0"},
}


def signature(user: str = "supervisor", password: str = PASSWORD) -> dict[str, str]:
    return {"user": user, "password": password, "meaning": "reversal approved"}


async def ask(site: Site, name: str, role: str = "operator", **changes: Any) -> Any:
    return await site.client(role).post(f"/api/v1/commands/{name}", json=BODIES[name] | changes)


def test_every_command_of_the_domain_has_its_endpoint() -> None:
    own = {"raise-alarm", "clear-alarm"}  # only the gateway itself gives these

    assert {name_of(kind) for kind in get_args(Command)} - own == set(BODIES) == set(map(name_of, PERMISSIONS))


@pytest.mark.parametrize("name", BODIES)
async def test_every_command_reaches_the_writer(site: Site, name: str) -> None:
    await site.writer.post(2)

    answer = await ask(site, name, "admin", signature=signature("admin"))

    assert (answer.status_code, answer.json()) == (200, {"result": True})
    assert [name_of(type(command)) for command, _ in site.writer.executed] == [name]


async def test_a_command_is_what_the_body_says(site: Site) -> None:
    lines = [{"bom_line": "0020", "quantity": "2.5"}]
    await ask(site, "enter-output", good=3, lines=lines, at="2026-11-21T12:00:00+02:00")

    (command, author) = site.writer.executed[0]
    assert command == EnterOutput(
        "E-1", "100045", "0010", Decimal(3), lines=(EditedLine("0020", Decimal("2.5")),), at=NOW
    )
    assert author == Author("operator")


async def test_a_transfer_carries_its_lots_facts_and_the_time_it_came(site: Site) -> None:
    facts = {"supplier": "ACME", "density": "0.998", "reference_temperature": "-4"}
    await ask(site, "stage", staging=BODIES["stage"]["staging"] | {"facts": facts, "scanned": True})

    key = LotKey(Owner("line", "L1"), "CAP-28", "L-7", "L1-CAP")
    known = LotFacts("ACME", density=Decimal("0.998"), reference_temperature=Decimal(-4))
    staging = Staging("ST-1", key, Decimal("12000.50"), "EA", NOW, facts=known, scanned=True)
    assert site.writer.executed[0][0] == Stage(staging)


@pytest.mark.parametrize(
    ("name", "changes", "loc"),
    [
        ("reverse", {"units": 1.5}, ["body", "units"]),
        ("reverse", {"units": "0"}, ["body", "units"]),
        ("reverse", {"seq": "2"}, ["body", "seq"]),
        ("reverse", {"seq": 2**63}, ["body", "seq"]),
        ("reverse", {"reason": ""}, ["body", "reason"]),
        ("reverse", {"colour": "red"}, ["body", "colour"]),
        ("reverse", {"signature": {"user": "a"}}, ["body", "signature", "password"]),
        ("count-lot", {"found": "-1"}, ["body", "found"]),
        ("start-order", {"at": "2026-11-21T10:00:00"}, ["body", "at"]),
        ("close-order", {"residuals": "eat"}, ["body", "residuals"]),
        ("return-lot", {"key": KEY | {"owner": {"kind": "cat", "name": "L1"}}}, ["body", "key", "owner", "kind"]),
        ("stage", {"staging": BODIES["stage"]["staging"] | {"scanned_at": "x"}}, ["body", "staging", "scanned_at"]),
        ("stage", {"staging": BODIES["stage"]["staging"] | {"received_at": "2026-11-21T10:00:01Z"}}, ["body"]),
    ],
)
async def test_a_malformed_body_is_refused_with_its_field(
    site: Site, name: str, changes: dict[str, Any], loc: list[str]
) -> None:
    answer = await ask(site, name, "admin", **changes)

    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, loc)
    assert not site.writer.executed


async def test_a_transfer_may_have_come_before(site: Site) -> None:
    await ask(site, "stage", staging=BODIES["stage"]["staging"] | {"received_at": "2026-11-20T06:00:00Z"})

    assert NOW - timedelta(hours=28) == site.writer.executed[0][0].staging.received_at


@pytest.mark.parametrize(
    ("name", "changes", "why"),
    [
        ("start-order", {"at": "yesterday"}, "for example 2026-12-31T00:00:00Z"),
        ("reverse", {"units": 0.1}, 'write it as a decimal string, e.g. "0.1"'),
    ],
)
async def test_a_refused_member_says_how_it_is_written(
    site: Site, name: str, changes: dict[str, Any], why: str
) -> None:
    answer = await ask(site, name, "admin", **changes)

    assert why in answer.json()["detail"][0]["msg"]


async def test_a_signature_is_bound_to_the_command_and_the_posting(site: Site) -> None:
    await site.writer.post(2)
    page = (await site.client("erp").get("/api/v1/postings")).json()

    await ask(site, "reverse", signature=signature())

    command = Reverse(2, "MISCOUNT")
    record = signed.record(command, page["items"][1]["hash"])
    name = Signature("supervisor", "The supervisor", "supervisor", "reversal approved", NOW, record)
    assert site.writer.executed == [(command, Author("supervisor", name))]


async def test_a_command_that_needs_no_signature_may_bear_one(site: Site) -> None:
    await ask(site, "scan-in", signature=signature("operator"))

    (command, author) = site.writer.executed[0]
    assert (command, author.person) == (ScanIn("L1", "CAP-28", "L-7"), "operator")
    assert author.signature is not None


REFUSALS = {
    "no signature": (None, 422, "this needs a signature: reversal"),
    "wrong password": (signature(password="wrong"), 401, "unknown user or wrong password"),
    "unknown user": (signature("nobody"), 401, "unknown user or wrong password"),
    "by a viewer": (signature("viewer"), 403, "viewer (viewer) may not sign reversal"),
    "by an operator": (signature("operator"), 403, "operator (operator) may not sign reversal"),
}


@pytest.mark.parametrize("case", REFUSALS)
async def test_a_reversal_is_refused_with_its_own_message_and_audited(site: Site, case: str) -> None:
    given, status, message = REFUSALS[case]
    await site.writer.post(2)

    answer = await ask(site, "reverse", signature=given)

    assert (answer.status_code, answer.json()["detail"]) == (status, message)
    assert answer.json()["hint"]
    person = f"{given['user']} (token operator)" if given else "operator"
    assert site.writer.audited == [(Reverse(2, "MISCOUNT"), person, message)]
    assert not site.writer.executed


async def test_a_viewers_token_may_not_reverse_and_that_is_audited(site: Site) -> None:
    await site.writer.post(2)

    answer = await ask(site, "reverse", "viewer", signature=signature())

    assert (answer.status_code, answer.json()["detail"]) == (403, "the role viewer has no permission to operate")
    assert site.writer.audited == [(Reverse(2, "MISCOUNT"), "viewer", "the role viewer has no permission to operate")]
    assert not site.writer.executed


async def test_a_viewers_nonsense_is_no_command_to_audit(site: Site) -> None:
    answer = await ask(site, "reverse", "viewer", seq="two")

    assert (answer.status_code, site.writer.audited) == (403, [])


async def test_what_nobody_signs_is_not_audited(site: Site) -> None:
    answer = await ask(site, "scan-in", "viewer")

    assert (answer.status_code, site.writer.audited) == (403, [])


async def test_a_posting_that_does_not_exist_can_not_be_signed_for(site: Site) -> None:
    answer = await ask(site, "reverse", signature=signature())

    assert (answer.status_code, answer.json()["detail"]) == (409, "there is no posting 2")
    assert len(site.writer.audited) == 1


async def test_what_the_pipeline_refuses_is_a_conflict_with_its_hint(site: Site) -> None:
    await site.writer.post(2)
    site.writer.refusal = CommandRefused("posting 2 is reversed already", "by posting 3")

    answer = await ask(site, "reverse", signature=signature())

    assert answer.status_code == 409
    assert answer.json() == {"detail": "posting 2 is reversed already", "hint": "by posting 3"}


async def test_a_store_that_takes_nothing_answers_503(site: Site) -> None:
    site.writer.refusal = TransientError("not carried out: disk full")

    answer = await ask(site, "retry")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


SIGNERS = {
    "trust-clock": ({}, TrustClock(), {"supervisor", "quality", "admin"}),
    "allow-overrun": ({}, AllowOverrun("100045", Decimal(20500)), {"supervisor", "quality", "admin"}),
    "close-order": (
        {"deviation": True},
        CloseOrder("100045", Residual.RETURN, "DONE", deviation=True),
        {"supervisor", "quality", "admin"},
    ),
    "set-lot-status": (
        {"status": "unrestricted"},
        SetLotStatus("CAP-28", "L-7", LotStatus.UNRESTRICTED, "DAMAGED"),
        {"quality"},
    ),
}


def _unseen(command: Any) -> Any:
    return replace(command, seen="") if hasattr(command, "seen") else command


@pytest.mark.parametrize("name", SIGNERS)
async def test_only_the_roles_of_the_table_may_sign(site: Site, name: str) -> None:
    changes, command, allowed = SIGNERS[name]
    statuses = {
        role: (await ask(site, name, "admin", signature=signature(role), **changes)).status_code for role in ROLES
    }

    assert {role for role, status in statuses.items() if status == 200} == allowed
    assert {status for role, status in statuses.items() if role not in allowed} == {403}
    assert {type(one): _unseen(one) for one, _ in site.writer.executed} == {type(command): command}


@pytest.mark.parametrize(
    ("name", "changes"), [("close-order", {}), ("set-lot-status", {"status": "quarantine"}), ("retry", {})]
)
async def test_what_needs_no_signature_goes_without(site: Site, name: str, changes: dict[str, Any]) -> None:
    answer = await ask(site, name, "supervisor", **changes)

    assert answer.status_code == 200


async def test_after_five_wrong_passwords_the_right_one_waits(site: Site) -> None:
    wrong = [await ask(site, "trust-clock", signature=signature(password="wrong")) for _ in range(5)]

    refused = await ask(site, "trust-clock", signature=signature())
    other = await ask(site, "trust-clock", signature=signature("quality"))

    assert [one.status_code for one in wrong] == [401] * 5
    assert (refused.status_code, refused.json()["detail"]) == (429, "too many wrong passwords for supervisor")
    assert other.status_code == 200
    assert len(site.writer.audited) == 6


async def test_users_that_cannot_be_read_are_no_refusal_of_anybody(site: Site) -> None:
    site.writer.path.with_name("users.yaml").write_text("users: 7\n", "utf-8")

    answer = await ask(site, "trust-clock", signature=signature())

    assert (answer.status_code, site.writer.audited) == (503, [])


async def test_no_answer_repeats_a_password(site: Site) -> None:
    long = signature(password="secret-" + "x" * 2000)
    answers = [
        await ask(site, "reverse", signature=long),
        await ask(site, "reverse", signature={**signature(password="secret"), "user": 3}),
        await ask(site, "trust-clock", signature=signature(password="secret")),
    ]

    assert [422, 422, 401] == [one.status_code for one in answers]
    assert not any("secret" in one.text for one in answers)


async def test_the_description_says_what_a_command_takes(site: Site) -> None:
    document = (await site.client("viewer").get("/api/v1/openapi.json")).json()
    reverse = document["paths"]["/api/v1/commands/reverse"]["post"]
    body = document["components"]["schemas"]["ReverseCommand"]

    assert {"seq", "reason", "units", "signature"} == set(body["properties"])
    assert {"200", "401", "403", "409", "422", "429", "503"} <= set(reverse["responses"])
    assert reverse["description"].startswith("Mirror a posting")


async def hold(site: Site, count: int) -> ExceptionRecord:
    """Let so many triggers wait in exception 7."""
    scope, held = ("100045", "0010"), Decimal(count)
    entry = ExceptionRecord(7, ExceptionKind.TRIGGER, "shortage", "no caps", scope, held, "EA", count, NOW, NOW, NOW)
    await site.writer.store.commit(Batch(exceptions={7: entry}))
    return entry


async def test_a_signature_is_bound_to_what_the_entry_holds(site: Site) -> None:
    entry = await hold(site, 3)

    await ask(site, "close-exception", signature=signature())

    command = CloseException(7, "TEST", signed.held(entry))
    ((asked, author),) = site.writer.executed
    assert command == asked
    assert author.signature is not None
    assert signed.record(command) == author.signature.record


async def test_what_a_person_was_shown_is_what_they_sign_for(site: Site) -> None:
    shown = signed.held(await hold(site, 3))
    await hold(site, 4)

    await ask(site, "close-exception", signature=signature(), seen=shown)

    assert CloseException(7, "TEST", shown) == site.writer.executed[0][0]


async def test_a_flood_of_refusals_is_audited_up_to_a_limit(site: Site) -> None:
    for _ in range(ONE_BY_ONE + 5):
        await ask(site, "reverse", "viewer", signature=signature())

    assert ONE_BY_ONE == len(site.writer.audited)


async def test_another_caller_is_audited_in_a_flood(site: Site) -> None:
    for _ in range(ONE_BY_ONE + 5):
        await ask(site, "reverse", "viewer", signature=signature())
    await ask(site, "reverse", "erp", signature=signature())

    assert "erp" == site.writer.audited[-1][1]

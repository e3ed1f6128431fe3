"""What a command's signature says, who may sign what, and passwords."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gateway.domain.command import (
    AllowOverrun,
    CloseException,
    CloseOrder,
    Residual,
    Reverse,
    ScanIn,
    SetLotStatus,
    TrustClock,
)
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.lot import LotStatus
from gateway.domain.signature import Author, Signature
from gateway.formats import signed
from gateway.store.batch import Batch
from tests.integration.api.asking import ask, signature
from tests.integration.api.conftest import ROLES, Site
from tests.integration.api.writer import NOW


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


async def test_users_that_others_may_read_are_told_with_the_way_out(site: Site) -> None:
    path = site.writer.path.with_name("users.yaml")
    path.chmod(0o644)

    answer = await ask(site, "trust-clock", signature=signature())

    assert (answer.status_code, answer.json()["hint"]) == (503, f"chmod 600 {path}")


async def test_no_answer_repeats_a_password(site: Site) -> None:
    long = signature(password="secret-" + "x" * 2000)
    answers = [
        await ask(site, "reverse", signature=long),
        await ask(site, "reverse", signature={**signature(password="secret"), "user": 3}),
        await ask(site, "trust-clock", signature=signature(password="secret")),
    ]

    assert [422, 422, 401] == [one.status_code for one in answers]
    assert not any("secret" in one.text for one in answers)


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

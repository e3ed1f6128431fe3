"""Who may sign: the users file, the password, and how often somebody may be wrong."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from gateway.api.auth import Permission
from gateway.api.passwords import hashed, matches
from gateway.api.signatures import SignatureBody, SignatureRefused, Signatures
from gateway.domain.clock import ClockTrust, Instant
from gateway.domain.command import Reverse, ScanIn
from gateway.domain.signature import Signature
from gateway.settings.users import Person, write_users

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
REVERSE = Reverse(17, "MISCOUNT")


@dataclass
class Clock:
    seconds: int = 0
    wall: datetime = field(default=NOW)

    def now(self) -> Instant:
        return Instant(self.wall, self.seconds * 1_000_000_000, "boot")

    def trust(self) -> ClockTrust:
        return ClockTrust("assume", 0)

    def believe(self) -> None:
        pass


def make_person(user: str = "eva", *roles: str) -> Person:
    return Person.model_validate(
        {"user": user, "name": "Eva Huber", "roles": roles or ("operator", "quality"), "password": CHEAP.hash("right")}
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def users(tmp_path: Path) -> Path:
    path = tmp_path / "users.yaml"
    write_users(path, [make_person()])
    return path


@pytest.fixture
def signatures(users: Path, clock: Clock) -> Signatures:
    return Signatures(users, clock)


async def sign(
    signatures: Signatures, password: str = "right", user: str = "eva", token: str = "terminal-1"
) -> Signature:
    given = SignatureBody.model_validate({"user": user, "password": password, "meaning": "reversal approved"})
    return (await signatures.check(given, REVERSE, Permission.OPERATE, token)).sign("sha256:0")


async def refusal(signatures: Signatures, password: str = "wrong", user: str = "eva", token: str = "terminal-1") -> int:
    with pytest.raises(SignatureRefused) as refused:
        await sign(signatures, password, user, token)
    return refused.value.status


async def test_it_names_person_role_meaning_time_and_record(signatures: Signatures) -> None:
    signature = await sign(signatures)

    assert Signature("eva", "Eva Huber", "quality", "reversal approved", NOW, "sha256:0") == signature


async def test_what_needs_no_signature_takes_the_first_role_that_may_do_it(signatures: Signatures) -> None:
    given = SignatureBody.model_validate({"user": "eva", "password": "right", "meaning": "scanned"})
    signature = await signatures.check(given, ScanIn("L1", "CAP-28", "L-7"), Permission.OPERATE, "terminal-1")

    assert "operator" == signature.role


async def test_a_new_user_needs_no_restart(signatures: Signatures, users: Path) -> None:
    before = await refusal(signatures, "right", "tom")
    write_users(users, [make_person("tom", "supervisor")])

    assert (401, "supervisor") == (before, (await sign(signatures, user="tom")).role)


async def test_a_removed_user_is_refused_at_once(signatures: Signatures, users: Path) -> None:
    write_users(users, [])

    assert 401 == await refusal(signatures, "right")


async def test_five_failures_in_five_minutes_and_the_right_password_waits(signatures: Signatures, clock: Clock) -> None:
    failures = [await refusal(signatures) for _ in range(5)]
    clock.seconds = 299
    locked = await refusal(signatures, "right")
    clock.seconds = 300

    assert ([401] * 5, 429) == (failures, locked)
    assert await sign(signatures)


async def test_a_lock_at_one_workplace_locks_nobody_out_at_another(signatures: Signatures) -> None:
    locked = [await refusal(signatures) for _ in range(6)]

    assert [401] * 5 + [429] == locked
    assert await sign(signatures, token="terminal-2")


async def test_guessing_at_many_users_locks_the_workplace(signatures: Signatures) -> None:
    guessed = [await refusal(signatures, user=f"user-{number}") for number in range(16)]

    assert [401] * 15 + [429] == guessed
    assert 429 == await refusal(signatures, "right")


async def test_looking_again_does_not_prolong_the_wait(signatures: Signatures, clock: Clock) -> None:
    for clock.seconds in range(10):  # type: ignore[misc]  # seconds 0 … 9, locked from the fifth on
        await refusal(signatures)
    clock.seconds = 300

    assert await sign(signatures)


async def test_a_right_password_forgets_the_failures(signatures: Signatures) -> None:
    for _ in range(4):
        await refusal(signatures)
    await sign(signatures)

    assert [401] * 5 == [await refusal(signatures) for _ in range(5)]


async def test_unknown_users_are_counted_like_known_ones(signatures: Signatures) -> None:
    statuses = [await refusal(signatures, user="nobody") for _ in range(6)]

    assert [*[401] * 5, 429] == statuses


async def test_names_that_nobody_tries_again_are_forgotten(signatures: Signatures, clock: Clock) -> None:
    await refusal(signatures, user="nobody")
    clock.seconds = 300
    await sign(signatures)

    assert not signatures._failures


def test_a_password_is_kept_as_argon2id_only() -> None:
    kept = hashed("right")

    assert kept.startswith("$argon2id$")
    assert (True, False) == (matches(kept, "right"), matches(kept, "wrong"))


@pytest.mark.parametrize("known", [None, "$argon2id$nonsense"])
def test_an_unknown_user_never_matches(known: str | None) -> None:
    assert not matches(known, "right")

"""Two-component electronic signatures: user and password, the role to sign this, bound to what is signed."""

import asyncio
from collections import deque
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, NamedTuple, NoReturn

from pydantic import Field, SecretStr

from gateway.api.auth import GRANTS, Permission
from gateway.api.passwords import matches
from gateway.api.shapes import Body, Name, Sentence
from gateway.domain.command import Command, CountLot, SetLotStatus
from gateway.domain.signature import Signature
from gateway.domain.signed_commands import needs_signature
from gateway.errors import CommandRefused
from gateway.ports import Clock
from gateway.settings.api import Role
from gateway.settings.users import Person, read_users

# By token, too: nobody locks a colleague out who signs at another workplace, and a lock ends by itself.
_MOST_FAILURES = 5  # with one token for one user …
_MOST_OF_A_TOKEN = 15  # … or for anybody …
_WITHIN = 300  # … in so many seconds; then the password isn't even looked at
_SECOND = 1_000_000_000  # ns

_DECIDERS: frozenset[Role] = frozenset({"supervisor", "quality", "admin"})
# Who may sign what needs a signature; what is not here, the deciders.
_SIGNERS: dict[type, frozenset[Role]] = {
    CountLot: _DECIDERS | {"operator"},
    SetLotStatus: frozenset({"quality"}),
}


class SignatureBody(Body):
    """Who signs, the proof, and what the signature means."""

    user: Name
    password: Annotated[SecretStr, Field(min_length=1, max_length=1024)]
    meaning: Annotated[Sentence, Field(examples=["reversal approved"])]


class SignatureRefused(CommandRefused):
    """A signature is missing, wrong, or by somebody who may not sign this; `status` is the HTTP answer."""

    def __init__(self, status: HTTPStatus, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status


class Signer(NamedTuple):
    """Somebody who may sign, and has: what of, `sign` says."""

    user: str
    name: str
    role: str
    meaning: str
    signed_at: datetime

    def sign(self, record: str) -> Signature:
        """Return the signature of what has that hash."""
        return Signature(*self, record)


class Signatures:
    """Checks signatures against the users file, which is read each time: a new user needs no restart.

    One at a time: so a password can't be guessed in parallel, and memory stays that of one argon2id.
    """

    def __init__(self, users: Path, clock: Clock) -> None:
        self._users = users
        self._clock = clock
        self._failures: dict[tuple[str, str], deque[int]] = {}  # (token, user) → boottime of each, oldest first
        self._one_at_a_time = asyncio.Lock()

    async def check(self, given: SignatureBody, command: Command, permission: Permission, token: str) -> Signer:
        """Return who signs; SignatureRefused where nobody does, ConfigError where the users can't be read.

        `token` is the name of the token it came with, `permission` what the command asks of a token: who signs what
        needn't be signed has to have it, too.
        """
        async with self._one_at_a_time:
            self._refuse_after_failures(token, given.user)
            person = await asyncio.to_thread(self._identified, given.user, given.password.get_secret_value())
            if person is None:
                self._failures.setdefault((token, given.user), deque()).append(self._clock.now().boottime)
                raise SignatureRefused(HTTPStatus.UNAUTHORIZED, "unknown user or wrong password", "nothing was done")
            self._failures.pop((token, given.user), None)
        role = _role(person, command, permission)
        return Signer(person.user, person.name, role, given.meaning, self._clock.now().wall)

    def _identified(self, user: str, password: str) -> Person | None:
        person = read_users(self._users).get(user)
        return person if matches(person.password if person else None, password) else None

    def _refuse_after_failures(self, token: str, user: str) -> None:
        self._forget()
        theirs = self._failures.get((token, user), deque())
        of_token = sorted(at for (name, _), failures in self._failures.items() if name == token for at in failures)
        if len(theirs) >= _MOST_FAILURES:
            self._refuse(f"too many wrong passwords for {user}", theirs[0])
        if len(of_token) >= _MOST_OF_A_TOKEN:
            self._refuse("too many wrong passwords here", of_token[0])

    def _forget(self) -> None:
        now = self._clock.now().boottime
        for key, failures in list(self._failures.items()):  # all of them: names that nobody tries again, too
            while failures and now - failures[0] >= _WITHIN * _SECOND:
                failures.popleft()
            if not failures:
                del self._failures[key]

    def _refuse(self, why: str, oldest: int) -> NoReturn:
        seconds = _WITHIN - (self._clock.now().boottime - oldest) // _SECOND
        hint = f"wait {seconds} seconds, or sign at another workplace; here a right password is refused until then, too"
        raise SignatureRefused(HTTPStatus.TOO_MANY_REQUESTS, why, hint)


def missing(command: Command, what: str) -> SignatureRefused:
    """Return the refusal of a command that nobody signed; `what` it would be a signature of."""
    roles = " or ".join(sorted(_signers(command)))
    return SignatureRefused(
        HTTPStatus.UNPROCESSABLE_ENTITY, f"this needs a signature: {what}", f"user and password of {roles}"
    )


def _signers(command: Command) -> frozenset[Role]:
    return _SIGNERS.get(type(command), _DECIDERS)


def _role(person: Person, command: Command, permission: Permission) -> Role:
    """Return the role in which the person may sign this, the first of theirs that may."""
    what = needs_signature(command)
    allowed = _signers(command) if what else {role for role, granted in GRANTS.items() if permission in granted}
    for role in person.roles:
        if role in allowed:
            return role
    raise SignatureRefused(
        HTTPStatus.FORBIDDEN,
        f"{person.user} ({', '.join(person.roles)}) may not sign {what or 'this'}",
        f"it takes {' or '.join(sorted(allowed))}",
    )

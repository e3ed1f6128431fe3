"""Whose token it is."""

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from starlette.datastructures import Headers

from gateway.api.auth import GRANTS, Permission, bearer, identify
from gateway.settings.api import TokenSettings

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def make_token(secret: str = "s3cret", expires: datetime | None = None) -> TokenSettings:
    return TokenSettings(name="erp", role="erp", sha256=sha256(secret.encode()).hexdigest(), expires=expires)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Basic abc", ""),
        ("Bearer", ""),
        ("abc", ""),
        ("", ""),
    ],
)
def test_the_token_stands_behind_bearer(header: str, expected: str) -> None:
    token = bearer(Headers({"Authorization": header}))

    assert expected == token


def test_a_known_token_tells_its_owner() -> None:
    other, known = make_token("other"), make_token()

    caller = identify([other, known], "s3cret", NOW)

    assert known == caller


@pytest.mark.parametrize("token", ["", "s3cre", "s3crett", sha256(b"s3cret").hexdigest(), "ü"])
def test_an_unknown_token_is_nobodys(token: str) -> None:
    caller = identify([make_token()], token, NOW)

    assert caller is None


@pytest.mark.parametrize(
    ("expires", "valid"),
    [
        (NOW.replace(hour=11), True),
        (NOW.replace(hour=9), False),
        (NOW, False),
    ],
)
def test_a_token_ends_at_the_moment_it_expires(expires: datetime, valid: bool) -> None:
    caller = identify([make_token(expires=expires)], "s3cret", NOW)

    assert valid == (caller is not None)


def test_only_erp_and_admin_may_read_and_acknowledge_postings() -> None:
    pullers = {role for role, permissions in GRANTS.items() if Permission.PULL in permissions}

    assert {"erp", "admin"} == pullers


def test_every_role_may_look() -> None:
    viewers = {role for role, permissions in GRANTS.items() if Permission.VIEW in permissions}

    assert set(GRANTS) == viewers

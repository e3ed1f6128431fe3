"""`gateway user`: who may sign."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.api.passwords import matches
from gateway.settings.users import read_users
from tests.unit.cli.conftest import Daemon, Outcome

Gateway = Callable[..., Outcome]


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("correct horse\n", "utf-8")
    return path


@pytest.fixture
def add(daemon: Daemon, gateway: Gateway, password: Path) -> Callable[..., Outcome]:
    def run(user: str = "eva", *roles: str) -> Outcome:
        chosen = [word for role in roles or ("quality",) for word in ("--role", role)]
        return gateway("user", "add", daemon.config, user, "--name", "Eva Huber", *chosen, "--password-file", password)

    return run


def test_an_added_user_is_kept_by_the_hash_of_the_password(daemon: Daemon, add: Callable[..., Outcome]) -> None:
    outcome = add("eva", "quality", "operator")
    eva = read_users(daemon.config / "users.yaml")["eva"]

    assert (0, "eva (Eva Huber) may sign as quality, operator\n") == (outcome.code, outcome.output)
    assert ("Eva Huber", ("quality", "operator")) == (eva.name, eva.roles)
    assert matches(eva.password, "correct horse")
    assert "correct horse" not in (daemon.config / "users.yaml").read_text("utf-8")


def test_a_password_may_be_typed_twice(daemon: Daemon, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("typer.prompt", lambda _, **how: asked.append(how) or "typed secret")

    gateway("user", "add", daemon.config, "eva", "--name", "Eva", "--role", "quality")

    assert [{"hide_input": True, "confirmation_prompt": True}] == asked
    assert matches(read_users(daemon.config / "users.yaml")["eva"].password, "typed secret")


def test_adding_again_replaces(daemon: Daemon, add: Callable[..., Outcome]) -> None:
    add("eva", "quality")
    add("tom", "viewer")
    add("eva", "supervisor")
    users = read_users(daemon.config / "users.yaml")

    assert {"eva": ("supervisor",), "tom": ("viewer",)} == {name: one.roles for name, one in users.items()}


def test_a_removed_user_is_gone(daemon: Daemon, gateway: Gateway, add: Callable[..., Outcome]) -> None:
    add("eva")
    first, second = (gateway("user", "remove", daemon.config, "eva") for _ in range(2))

    assert (0, "eva may not sign any more\n") == (first.code, first.output)
    assert (1, "there is no user eva\n→ known are: none\n") == (second.code, second.error)


def test_the_list_shows_no_hash(daemon: Daemon, gateway: Gateway, add: Callable[..., Outcome]) -> None:
    add("eva", "quality", "operator")

    output = gateway("user", "list", daemon.config).output

    assert "quality, operator" in output
    assert "argon2" not in output


def test_regulated_mode_begins_without_anybody_who_may_sign(
    daemon: Daemon, gateway: Gateway, add: Callable[..., Outcome]
) -> None:
    settings = daemon.config / "gateway.yaml"
    settings.write_text(settings.read_text("utf-8").replace("regulated: false", "regulated: true"), "utf-8")
    before = gateway("check", daemon.config)
    codes = [gateway("user", "list", daemon.config).code, add().code]

    assert (2, [0, 0], 0) == (before.code, codes, gateway("check", daemon.config).code)
    assert "`gateway user add` adds a person" in before.error
    assert 0 == gateway("user", "remove", daemon.config, "eva").code


def test_an_unknown_role_is_refused(daemon: Daemon, add: Callable[..., Outcome]) -> None:
    outcome = add("eva", "king")

    assert (1, {}) == (outcome.code, read_users(daemon.config / "users.yaml"))
    assert "roles" in outcome.error


@pytest.mark.parametrize("name", [" ", "\u200b", "Eva\nHuber"])
def test_a_name_that_nobody_could_read_beside_a_signature_is_refused(
    daemon: Daemon, gateway: Gateway, password: Path, name: str
) -> None:
    words = ("--name", name, "--role", "quality", "--password-file", password)
    outcome = gateway("user", "add", daemon.config, "eva", *words)

    assert (1, {}) == (outcome.code, read_users(daemon.config / "users.yaml"))
    assert outcome.error.startswith("eva can't be added: name: ")


def test_a_short_password_is_refused(password: Path, add: Callable[..., Outcome]) -> None:
    password.write_text("short", "utf-8")

    assert (1, "the password has less than 8 characters\n→ take a longer one\n") == (
        (outcome := add()).code,
        outcome.error,
    )

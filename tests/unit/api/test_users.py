"""The file of those who may sign."""

from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.settings.users import Person, read_users, write_users

EVA = Person(user="eva", name="Eva Huber", roles=("quality", "operator"), password="$argon2id$v=19$x")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "users.yaml"


def test_what_is_written_is_read(path: Path) -> None:
    write_users(path, [EVA])

    assert {"eva": EVA} == read_users(path)


def test_only_its_owner_may_read_it(path: Path) -> None:
    path.touch(mode=0o644)
    write_users(path, [EVA])

    assert 0o600 == path.stat().st_mode & 0o777


def test_no_file_is_nobody(path: Path) -> None:
    assert {} == read_users(path)


def test_a_file_that_others_may_read_is_refused(path: Path) -> None:
    write_users(path, [EVA])
    path.chmod(0o640)

    with pytest.raises(ConfigError, match="by others than its owner") as refused:
        read_users(path)
    assert f"chmod 600 {path}" == refused.value.hint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("users: 7", "users: "),
        ("users: [{user: eva, name: Eva, roles: [king], password: $argon2id$}]", r"users\.0\.roles\.0"),
        ("users: [{user: eva, name: Eva, roles: [], password: $argon2id$}]", r"users\.0\.roles"),
        ("users: [{user: eva, name: Eva, roles: [quality], password: secret}]", r"users\.0\.password"),
        ("users: [", "is no YAML"),
    ],
)
def test_a_faulty_file_is_refused_with_its_place(path: Path, content: str, message: str) -> None:
    path.write_text(content, "utf-8")
    path.chmod(0o600)

    with pytest.raises(ConfigError, match=message) as refused:
        read_users(path)
    assert "secret" not in refused.value.message


def test_nobody_stands_twice(path: Path) -> None:
    with pytest.raises(ValueError, match="these users stand twice: eva"):
        write_users(path, [EVA, EVA])


def test_a_folder_that_is_none_is_refused(path: Path) -> None:
    with pytest.raises(ConfigError, match="can't write"):
        write_users(path / "nowhere" / "users.yaml", [EVA])

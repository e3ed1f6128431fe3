"""The people who may sign, in a file of their own: `gateway user` writes it, each signature reads it anew."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from gateway.domain.signature import readable
from gateway.errors import ConfigError
from gateway.settings.api import Role
from gateway.settings.base import Name, Settings

_OTHERS = 0o077  # permission bits of anybody but the owner
_HEAD = "# Who may sign. Written by `gateway user`; passwords stand here only as argon2id hashes.\n"


class Person(Settings):
    """Somebody who may sign, with the roles they sign in."""

    user: Name
    name: Annotated[str, AfterValidator(readable)] = Field(
        min_length=1, max_length=100, description="as it is printed beside a signature"
    )
    roles: tuple[Role, ...] = Field(min_length=1, strict=False)
    password: str = Field(pattern=r"^\$argon2id\$", description="hash of the password")


class UsersFile(Settings):
    """The whole file."""

    users: tuple[Person, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _users_are_distinct(self) -> "UsersFile":
        names = [one.user for one in self.users]
        if twice := sorted({one for one in names if names.count(one) > 1}):
            raise ValueError(f"these users stand twice: {', '.join(twice)}")
        return self


def read_users(path: Path) -> Mapping[str, Person]:
    """Return everybody of the file by user name, nobody where there is no file.

    ConfigError where it can't be read, is no list of users, or others than its owner may read it.
    """
    try:
        if path.stat().st_mode & _OTHERS:
            raise ConfigError(f"{path} may be read by others than its owner", f"chmod 600 {path}")
        data = yaml.safe_load(path.read_text("utf-8"))
        return {one.user: one for one in UsersFile.model_validate(data or {}).users}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(
            f"{path} can't be read: {error.strerror}", "it has to belong to the user the gateway runs as"
        ) from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ConfigError(f"{path}: {faults}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no YAML") from error


def write_users(path: Path, users: Sequence[Person]) -> None:
    """Replace the file whole, readable by its owner only; ConfigError where that can't be done."""
    content = _HEAD + yaml.safe_dump(UsersFile(users=tuple(users)).model_dump(mode="json"), allow_unicode=True)
    new = path.with_name(f".{path.name}.new")
    try:
        new.unlink(missing_ok=True)
        new.touch(mode=0o600, exist_ok=False)
        if path.exists():  # a root that edits it must not take it away from the service's user
            before = path.stat()
            os.chown(new, before.st_uid, before.st_gid)
        with new.open("w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        raise ConfigError(f"can't write {path}: {error.strerror}") from error

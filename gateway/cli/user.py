"""`gateway user add|remove|list CONFIG_DIR`: who may sign. A running gateway reads the file at each signature."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, get_args

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from gateway.api.passwords import hashed
from gateway.cli.options import Folder, password
from gateway.errors import CommandRefused
from gateway.runtime.bootstrap import load_config
from gateway.settings.api import Role
from gateway.settings.users import Person, read_users, write_users

user = typer.Typer(no_args_is_help=True, help="Who may sign: add, remove, list.")
_SHORTEST = 8  # characters of a password

Roles = Annotated[list[str], typer.Option("--role", help=f"{' | '.join(get_args(Role))}; may be given again")]
Printed = Annotated[str, typer.Option("--name", help="the person's name, as it is printed beside a signature")]
File = Annotated[Path | None, typer.Option("--password-file", help="file with the password; asked for without")]


@user.command()
def add(
    config_dir: Folder,
    name: Annotated[str, typer.Argument(metavar="USER")],
    printed: Printed,
    role: Roles,
    password_file: File = None,
) -> None:
    """Add somebody who may sign, or replace them: other roles, another password."""
    path, users = _users(config_dir)
    secret = password(password_file, twice=True)
    if len(secret) < _SHORTEST:
        raise CommandRefused(f"the password has less than {_SHORTEST} characters", "take a longer one")
    try:
        person = Person.model_validate({"user": name, "name": printed, "roles": role, "password": hashed(secret)})
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise CommandRefused(f"{name} can't be added: {faults}") from error
    write_users(path, [*(one for one in users.values() if one.user != name), person])
    typer.echo(f"{name} ({printed}) may sign as {', '.join(person.roles)}")


@user.command()
def remove(config_dir: Folder, name: Annotated[str, typer.Argument(metavar="USER")]) -> None:
    """Remove somebody; what they have signed stays."""
    path, users = _users(config_dir)
    if name not in users:
        raise CommandRefused(f"there is no user {name}", f"known are: {', '.join(sorted(users)) or 'none'}")
    write_users(path, [one for one in users.values() if one.user != name])
    typer.echo(f"{name} may not sign any more")


@user.command("list")
def list_users(config_dir: Folder) -> None:
    """Show who may sign, and in which roles."""
    _, users = _users(config_dir)
    table = Table("user", "name", "roles")
    for one in users.values():
        table.add_row(one.user, one.name, ", ".join(one.roles))
    Console(highlight=False).print(table)


def _users(config_dir: Path) -> tuple[Path, Mapping[str, Person]]:
    config = load_config(config_dir, may_lack_users=True)
    path = config.gateway.api.users_file(config.root)
    return path, read_users(path)

"""`gateway restore CONFIG_DIR BACKUP` and `gateway new-store CONFIG_DIR`: out of a lost or damaged store."""

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import Folder, said
from gateway.cli.steps import steps
from gateway.runtime.bootstrap import load_config
from gateway.store.doubt import Occasion
from gateway.store.restore import Outcome, start_anew
from gateway.store.restore import restore as restore_backup

Backup = Annotated[Path, typer.Argument(help="the backup's file; its manifest stands beside it")]
Reason = Annotated[str, typer.Option("--reason", help="why, in your words: the chain keeps it", callback=said)]
Person = Annotated[str, typer.Option("--by", help="who does it", default_factory=getpass.getuser, callback=said)]


def restore(config_dir: Folder, backup: Backup, *, reason: Reason, by: Person) -> None:
    """Put a backup in the store's place, under a new id; the present file is kept. The gateway has to be stopped."""
    config = load_config(config_dir)
    with steps() as step:
        outcome = restore_backup(config.store_path, backup, config.gateway.gateway, _occasion(by, reason), step)
    begun = outcome.begun
    typer.echo(f"store {begun.former} up to seq {begun.seq} goes on as store {begun.store}.{_kept(outcome)}")
    typer.echo(f"The backup was signed by key {outcome.key}.")
    typer.echo(begun.notice)
    typer.echo(f"Now: gateway run {config_dir}; then gateway exceptions {config_dir}, and settle what is held.")


def new_store(config_dir: Folder, *, reason: Reason, by: Person) -> None:
    """Begin with an empty store under a new id; the present file is kept. The gateway has to be stopped."""
    config = load_config(config_dir)
    outcome = start_anew(config.store_path, config.gateway.gateway, _occasion(by, reason))
    typer.echo(f"store {outcome.begun.store} begins, empty.{_kept(outcome)}")
    typer.echo(outcome.begun.notice)
    typer.echo(f"Now: gateway run {config_dir}; then stage the lots and start the orders.")


def _occasion(by: str, reason: str) -> Occasion:
    return Occasion(datetime.now(UTC), by, reason)


def _kept(outcome: Outcome) -> str:
    return f" The file that was there is {outcome.kept}." if outcome.kept else ""

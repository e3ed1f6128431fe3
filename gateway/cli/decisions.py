"""Decisions of a person: what waits is tried again, accepted or closed; what was posted is mirrored."""

from typing import Annotated

import typer

from gateway.cli.daemon import entry, send, shown
from gateway.cli.options import Folder, Meaning, PasswordFile, Reason, User, postings, signature, tell
from gateway.cli.plain import plain
from gateway.domain import command
from gateway.domain.exception import ExceptionKind
from gateway.runtime.bootstrap import load_config


def retry(
    config_dir: Folder, exception: Annotated[int | None, typer.Argument(help="default: everything that waits")] = None
) -> None:
    """Try again what waits."""
    waits = send(config_dir, command.Retry, {"exception": exception})
    what = "everything that waits was" if exception is None else f"exception {exception} was"
    typer.echo(f"{what} tried again" + (f"; it still waits: {plain(waits)}" if waits else ""))


def accept(
    config_dir: Folder,
    *,
    exception: int,
    user: User = None,
    password_file: PasswordFile = None,
    meaning: Meaning = None,
) -> None:
    """Accept the deviation that holds an exception's first trigger, or a backlog, signed."""
    signed = signature(user, password_file, meaning or "deviation accepted")
    count = send(config_dir, command.AcceptDeviation, {"exception": exception}, signed)
    typer.echo(f"exception {exception}: the deviation is accepted for {count} trigger{'s' if count != 1 else ''}")


def close_exception(
    config_dir: Folder,
    *,
    exception: int,
    reason: Reason,
    first: Annotated[bool, typer.Option("--first", help="only the trigger that holds up the others")] = False,
    user: User = None,
    password_file: PasswordFile = None,
    meaning: Meaning = None,
) -> None:
    """Close an entry of the work list without posting what it holds, signed."""
    found = entry(config_dir, exception)
    seen = shown(found)
    if found.get("kind") != ExceptionKind.GAP:
        seen = None  # triggers join theirs while the line runs, so nobody would ever get to close it
    signed = signature(user, password_file, meaning or "closing without posting approved")
    body = {"exception": exception, "reason": reason, "first": first or None, "seen": seen}
    send(config_dir, command.CloseException, body, signed)
    what = f"the first of exception {exception}" if first else f"exception {exception}"
    typer.echo(f"{what} is closed without posting")


def reverse(
    config_dir: Folder,
    *,
    seq: int,
    reason: Reason,
    units: Annotated[str | None, typer.Option(help="only its newest units, in the operation's unit")] = None,
    user: User = None,
    password_file: PasswordFile = None,
    meaning: Meaning = None,
) -> None:
    """Mirror a posting, whole or its newest units, signed."""
    signed = signature(user, password_file, meaning or "reversal approved")
    result = send(config_dir, command.Reverse, {"seq": seq, "reason": reason, "units": units}, signed)
    what = "" if units is None else f"{units} units of "
    typer.echo(f"{what}posting {seq} {'are' if units else 'is'} reversed by {postings(result)}")


def close_window(config_dir: Folder, document: int) -> None:
    """Close an open document now: it becomes a posting."""
    result = send(config_dir, command.CloseWindow, {"document": document})
    tell(result, f"document {document} is closed: {postings(result)}")


def trust_clock(
    config_dir: Folder, user: User = None, password_file: PasswordFile = None, meaning: Meaning = None
) -> None:
    """Believe the clock until the next boot, signed."""
    trusted = send(config_dir, command.TrustClock, {}, signature(user, password_file, meaning or "clock checked"))
    assumed = "nothing depends on it: the configuration assumes that the clock is right (clock_trust: assume)"
    typer.echo(assumed if trusted is False else "the clock is trusted until the next boot")


def activate(
    config_dir: Folder, user: User = None, password_file: PasswordFile = None, meaning: Meaning = None
) -> None:
    """Put the folder's configuration in force in regulated mode, signed."""
    configuration = load_config(config_dir).configuration_hash
    signed = signature(user, password_file, meaning or "activation approved")
    result = send(config_dir, command.Activate, {"configuration": configuration}, signed)
    tell(result, f"configuration {configuration} is in force")

"""What many commands ask for: the folder, the reason, whose stock, a signature."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from gateway.domain.signature import readable
from gateway.errors import ConfigError

Folder = Annotated[Path, typer.Argument(help="folder with gateway.yaml")]
Reason = Annotated[str, typer.Option("--reason", help="reason code of the configuration, `CODE` or `CODE: your words`")]
OfOrder = Annotated[str | None, typer.Option("--order", help="the order whose stock it is")]
OfLine = Annotated[str | None, typer.Option("--line", help="the line whose supermarket it is in")]
Bin = Annotated[str, typer.Option("--location", help="the bin")]
Id = Annotated[str | None, typer.Option("--id", help="its own id, applied once; a new one where you give none")]
Time = Annotated[str | None, typer.Option(help="with a time zone, e.g. 2026-11-21T10:00:00Z; default now")]
User = Annotated[str | None, typer.Option("--user", help="who signs; asks for the password")]
PasswordFile = Annotated[Path | None, typer.Option("--password-file", help="file with the password of --user")]
Meaning = Annotated[str | None, typer.Option("--meaning", help="what the signature means")]


def said(words: str) -> str:
    """Return what the store keeps for ever as it was said; BadParameter where that is nothing to read."""
    try:
        return readable(words)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def owner(order: str | None, line: str | None) -> dict[str, str]:
    """Return whose stock it is, as the API wants it."""
    if (order is None) == (line is None):
        raise typer.BadParameter("give either --order or --line: whose stock it is")
    return {"kind": "order", "name": order} if order is not None else {"kind": "line", "name": str(line)}


def tell(result: object, sentence: str) -> None:
    """Say what happened; a command whose result is False had nothing new to do."""
    typer.echo("nothing new: it is so already" if result is False else sentence)


def postings(result: object) -> str:
    """Return the seqs of a result as a person reads them: `posting 17`, `postings 17, 18`."""
    seqs = result if isinstance(result, list) else [result]
    return f"posting{'s' if len(seqs) > 1 else ''} {', '.join(map(str, seqs))}"


def new_id(given: str | None) -> str:
    """Return the given id, or one that nobody has."""
    return given or f"cli-{uuid4()}"


def now() -> str:
    """Return this moment as the API wants it."""
    return datetime.now(UTC).isoformat()


def signature(user: str | None, password_file: Path | None, meaning: str) -> dict[str, str] | None:
    """Return who signs with which password, None where nobody does; the password is never an argument."""
    if user is None:
        return None
    return {"user": user, "password": password(password_file), "meaning": meaning}


def password(file: Path | None, *, twice: bool = False) -> str:
    """Return the password of a file, or ask for it (`twice`: a new one); ConfigError where the file can't be read."""
    if file is None:
        asked: str = typer.prompt("password", hide_input=True, confirmation_prompt=twice)
        return asked
    try:
        return file.read_text("utf-8").rstrip("\r\n")
    except OSError as error:
        raise ConfigError(f"{file} can't be read: {error.strerror}") from error

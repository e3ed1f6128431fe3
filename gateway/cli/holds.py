"""What only a person knows of a counter: what a hold really was, and that it began where it shows. Both are signed."""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.daemon import entry, send, shown
from gateway.cli.options import Folder, Meaning, PasswordFile, Reason, User, signature, tell
from gateway.cli.plain import plain
from gateway.cli.settling import Wanted, settle_all
from gateway.domain import command
from gateway.domain.quantity import ZERO, text
from gateway.errors import CommandRefused

Part = dict[str, str | None]
Signs = Callable[[], Mapping[str, str] | None]
_ABOVE_ZERO = re.compile(r"(?=.*[1-9])[0-9]+(\.[0-9]+)?")


def settle(
    config_dir: Folder,
    *,
    exception: Annotated[int | None, typer.Argument(help="its number, as `gateway exceptions` shows it")] = None,
    reason: Reason,
    units: Annotated[str | None, typer.Option(help="how many were really made, for the order that ran")] = None,
    part: Annotated[
        list[str] | None,
        typer.Option("--part", help="units of one order, e.g. 5@100045; with their time 5@100045@2026-11-21T10:00:00Z"),
    ] = None,
    as_proposed: Annotated[bool, typer.Option("--as-proposed", help="as `gateway exceptions` proposes")] = False,
    none: Annotated[bool, typer.Option("--none", help="nothing was made, or it is booked already")] = False,
    every: Annotated[
        bool, typer.Option("--all", help="all open entries with --code, each --as-proposed or --none")
    ] = False,
    code: Annotated[str | None, typer.Option(help="with --all: why they are held, e.g. restored")] = None,
    device: Annotated[str | None, typer.Option(help="with --all: only this device's")] = None,
    signal: Annotated[str | None, typer.Option(help="with --all: only this signal's")] = None,
    ids: Annotated[str | None, typer.Option(help="with --all: only these numbers, e.g. 5-204")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="with --all: don't ask whether these are meant")] = False,
    user: User = None,
    password_file: PasswordFile = None,
    meaning: Meaning = None,
) -> None:
    """Say what a held counter segment, message or gap really was, signed: its units are booked like any others."""
    if sum((units is not None, bool(part), as_proposed, none)) != 1:
        raise typer.BadParameter("say what it was: one of --units, --part (each order one), --as-proposed and --none")
    if every == (exception is not None):
        raise typer.BadParameter("say which: the number of an entry, or --all with --code")
    signs = partial(signature, user, password_file, meaning or "settlement approved")
    if exception is not None:
        parts = None if as_proposed else _said(units, part or ())
        _settle_one(config_dir, exception, reason, parts, signs)
    elif code is None or units is not None or part:
        raise typer.BadParameter("--all takes --code, and either --as-proposed or --none")
    else:
        wanted = Wanted(code, device, signal, ids)
        settle_all(config_dir, wanted, as_proposed=as_proposed, reason=reason, confirmed=yes, sign=signs)


def _settle_one(config_dir: Path, exception: int, reason: str, said: list[Part] | None, sign: Signs) -> None:
    """Settle an entry as what is said, None: as it proposes itself."""
    found = entry(config_dir, exception)
    parts = _proposed(found, exception) if said is None else said
    seen = shown(found)
    body = {"exception": exception, "reason": reason, "parts": parts, "seen": seen}
    became = send(config_dir, command.SettleHold, body, sign())
    made = text(sum((Decimal(one["quantity"]) for one in became), ZERO))
    typer.echo("; ".join([f"exception {exception} is settled as {made} units", *map(_told, plain(became))]))


def sign_baseline(
    config_dir: Folder,
    signal: Annotated[str, typer.Argument(help="the counter, e.g. FILLER-1.good", metavar="DEVICE.SIGNAL")],
    *,
    value: Annotated[int, typer.Option(help="what it showed at its first reading, as `gateway baselines` says")],
    user: User = None,
    password_file: PasswordFile = None,
    meaning: Meaning = None,
) -> None:
    """Confirm where a counter began, signed."""
    device, dot, name = signal.partition(".")
    if not (device and dot and name):
        raise typer.BadParameter(f"{signal!r} is no counter; write DEVICE.SIGNAL, for example FILLER-1.good")
    signed = signature(user, password_file, meaning or "baseline checked")
    result = send(config_dir, command.SignBaseline, {"device": device, "signal": name, "value": value}, signed)
    tell(result, f"{signal} began at {value}")


def _said(units: str | None, parts: Iterable[str]) -> list[Part]:
    whole = [] if units is None else [_part("--units", units)]
    return whole + [_part("--part", one) for one in parts]


def _part(option: str, said: str) -> Part:
    quantity, _, rest = said.partition("@")
    order, _, at = rest.partition("@")
    if not _ABOVE_ZERO.fullmatch(quantity):
        raise typer.BadParameter(f"{option} {said}: {quantity!r} is no quantity above 0; --none where nothing was made")
    return {"quantity": quantity, "order": order, "at": at or None}


def _proposed(found: Mapping[str, Any], exception: int) -> list[Part]:
    """Return the parts that the entry proposes; CommandRefused where it proposes none."""
    parts: list[Part] = (found.get("detail") or {}).get("proposal") or []
    if not parts:
        raise CommandRefused(
            f"exception {exception} proposes nothing: nobody can tell from here what it was",
            "say it with --units or --part",
        )
    return parts


def _told(became: Mapping[str, Any]) -> str:
    what = f"{became['quantity']} of order {became['order'] or '(none)'} operation {became['operation']}"
    if became["waits"]:
        return f"{what}: waiting in exception {became['exception']}: {became['waits']}"
    if became["seq"] is not None:
        return f"{what}: posting {became['seq']}"
    return f"{what}: in the open document {became['document']}"

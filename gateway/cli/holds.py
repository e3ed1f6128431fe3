"""What only a person knows of a counter: what a hold really was, and that it began where it shows. Both are signed."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any

import orjson
import typer

from gateway.cli.daemon import entry, send, shown
from gateway.cli.options import Folder, Meaning, PasswordFile, Reason, User, signature, tell
from gateway.domain import command
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.quantity import ZERO, text
from gateway.errors import CommandRefused

Part = dict[str, str | None]
_ABOVE_ZERO = re.compile(r"(?=.*[1-9])[0-9]+(\.[0-9]+)?")


def settle(
    config_dir: Folder,
    *,
    exception: Annotated[int, typer.Argument(help="its number, as `gateway exceptions` shows it")],
    reason: Reason,
    units: Annotated[str | None, typer.Option(help="how many were really made, for the order that ran")] = None,
    part: Annotated[
        list[str] | None,
        typer.Option("--part", help="units of one order, e.g. 5@100045; with their time 5@100045@2026-11-21T10:00:00Z"),
    ] = None,
    as_proposed: Annotated[bool, typer.Option("--as-proposed", help="as `gateway exceptions` divides them")] = False,
    none: Annotated[bool, typer.Option("--none", help="nothing was made")] = False,
    user: User = None,
    password_file: PasswordFile = None,
    meaning: Meaning = None,
) -> None:
    """Say what a held counter segment or gap really was, signed: its units are booked like any others."""
    if sum((units is not None, bool(part), as_proposed, none)) != 1:
        raise typer.BadParameter("say what it was: one of --units, --part (each order one), --as-proposed and --none")
    found = entry(config_dir, exception)
    parts = _proposed(found, exception) if as_proposed else _said(units, part or ())
    seen = shown(found)
    signed = signature(user, password_file, meaning or "settlement approved")
    body = {"exception": exception, "reason": reason, "parts": parts, "seen": seen}
    became = send(config_dir, command.SettleHold, body, signed)
    made = text(sum((Decimal(one["quantity"]) for one in became), ZERO))
    typer.echo("; ".join([f"exception {exception} is settled as {made} units", *map(_told, became)]))


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


def way_out(record: ExceptionRecord) -> str:
    """Return how a person settles an open entry, as the end of its sentence; empty where nobody has to."""
    if record.closed_at is not None or record.kind not in (ExceptionKind.COUNTER, ExceptionKind.GAP):
        return ""
    said = orjson.loads(record.detail) if record.detail else {}
    told = f"gateway settle CONFIG_DIR {record.id} --reason CODE --user NAME"
    if proposal := said.get("proposal"):
        shares = ", ".join(f"{one['quantity']} of {one['order']}" for one in proposal)
        return f" → {told} --as-proposed ({shares}), or --part UNITS@ORDER …"
    if "orders" in said:
        return f" → {told} --part UNITS@ORDER …"
    if not record.quantity:
        return f" → {told} --none, or --units UNITS, whatever it was"
    likely = [one for one in said.get("candidates", ()) if one] or [text(record.quantity)]
    return f" → {told} --units {' or '.join(map(str, likely))}, whatever it was, or --none"


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
            f"exception {exception} proposes nothing: nobody told when its order changed", "say it with --part"
        )
    return parts


def _told(became: Mapping[str, Any]) -> str:
    what = f"{became['quantity']} of order {became['order'] or '(none)'} operation {became['operation']}"
    if became["waits"]:
        return f"{what}: waiting in exception {became['exception']}: {became['waits']}"
    if became["seq"] is not None:
        return f"{what}: posting {became['seq']}"
    return f"{what}: in the open document {became['document']}"

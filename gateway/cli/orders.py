"""Orders and lines: started, cleared, entered by hand, changed, closed."""

from typing import Annotated

import typer

from gateway.cli.daemon import held, send
from gateway.cli.options import (
    Folder,
    Id,
    Meaning,
    PasswordFile,
    Reason,
    Time,
    User,
    new_id,
    now,
    postings,
    signature,
    tell,
)
from gateway.domain import command
from gateway.domain.command import Residual


def start_order(config_dir: Folder, line: str, order: str, at: Time = None) -> None:
    """Tell that a line works on an order from now (or --at) on."""
    result = send(config_dir, command.StartOrder, {"line": line, "order": order, "at": at})
    tell(result, f"{line} works on order {order}")


def clear_line(config_dir: Folder, line: str, order: str) -> None:
    """Tell that a line was cleared for an order."""
    result = send(config_dir, command.ClearLine, {"line": line, "order": order})
    tell(result, f"{line} is cleared for order {order}")


def approve_label(config_dir: Folder, order: str) -> None:
    """Approve the label of an order's packages."""
    result = send(config_dir, command.ApproveLabel, {"order": order})
    tell(result, f"the label of order {order} is approved")


def enter(
    config_dir: Folder,
    *,
    order: str,
    operation: str,
    good: str = "0",
    scrap: str = "0",
    rework: str = "0",
    line: Annotated[
        list[str] | None, typer.Option(help="what a BOM line consumed instead of the standard, e.g. 0010=12.5")
    ] = None,
    at: Time = None,
    number: Id = None,
) -> None:
    """Enter good, scrap and rework units by hand, with edited lines beside the standard."""
    quantities = {"good": good, "scrap": scrap, "rework": rework}
    body = {"entry": new_id(number), "order": order, "operation": operation, **quantities, "at": at}
    result = send(config_dir, command.EnterOutput, {**body, "lines": [_edited(one) for one in line or ()]})
    sentence = f"order {order} operation {operation}: {good} good, {scrap} scrap, {rework} rework are entered"
    tell(result, sentence + held(config_dir, order, operation))


def _edited(text: str) -> dict[str, str]:
    bom_line, equals, quantity = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r} is no BOMLINE=QUANTITY", param_hint="--line")
    return {"bom_line": bom_line, "quantity": quantity}


def pin_bom(
    config_dir: Folder,
    *,
    order: str,
    version: str,
    since: Time = None,
    user: User = None,
    password_file: PasswordFile = None,
    meaning: Meaning = None,
) -> None:
    """Change the BOM version of an order that runs, from a time on, signed."""
    body = {"order": order, "bom_version": version, "since": since or now()}
    result = send(
        config_dir, command.PinBom, body, signature(user, password_file, meaning or "change of BOM version approved")
    )
    tell(result, f"order {order} is made by BOM version {version} since {body['since']}")


def allow_overrun(
    config_dir: Folder,
    *,
    order: str,
    quantity: str,
    user: User = None,
    password_file: PasswordFile = None,
    meaning: Meaning = None,
) -> None:
    """Let an order produce up to a quantity in all, signed."""
    signed = signature(user, password_file, meaning or "overrun approved")
    result = send(config_dir, command.AllowOverrun, {"order": order, "quantity": quantity}, signed)
    tell(result, f"order {order} may produce {quantity} in all")


def close_order(
    config_dir: Folder,
    *,
    order: str,
    residuals: Annotated[Residual, typer.Option(help="what becomes of what is left")],
    reason: Reason,
    deviation: Annotated[bool, typer.Option(help="close outside the tolerance, signed")] = False,
    user: User = None,
    password_file: PasswordFile = None,
    meaning: Meaning = None,
) -> None:
    """Close an order: its windows, its residuals, its variances."""
    body = {"order": order, "residuals": residuals.value, "reason": reason, "deviation": deviation}
    signed = signature(user, password_file, meaning or "close outside tolerance approved")
    result = send(config_dir, command.CloseOrder, body, signed)
    tell(result, f"order {order} is closed by {postings(result)}, residuals: {residuals.value}")

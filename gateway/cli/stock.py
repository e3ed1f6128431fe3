"""Stock at the line: staged, scanned in, issued, returned, counted, blocked or released."""

from typing import Annotated

import typer

from gateway.cli.daemon import held, send
from gateway.cli.options import (
    Bin,
    Folder,
    Id,
    Meaning,
    OfLine,
    OfOrder,
    PasswordFile,
    Reason,
    User,
    new_id,
    owner,
    signature,
    tell,
)
from gateway.domain import command
from gateway.domain.lot import LotStatus

_FACTS = "supplier", "priority", "density", "temperature_coefficient", "reference_temperature", "potency"


def stage(
    config_dir: Folder,
    *,
    item: str,
    lot: str,
    quantity: str,
    uom: str,
    location: Bin,
    order: OfOrder = None,
    line: OfLine = None,
    number: Id = None,
    received: Annotated[str | None, typer.Option(help="when it came, with a time zone; default now")] = None,
    expires: Annotated[str | None, typer.Option(help="when the lot expires, with a time zone")] = None,
    status: Annotated[LotStatus, typer.Option()] = LotStatus.UNRESTRICTED,
    supplier: Annotated[str | None, typer.Option()] = None,
    priority: Annotated[int | None, typer.Option(help="of the reservation, 1 first")] = None,
    density: Annotated[str | None, typer.Option(help="stock units to one unit of the component")] = None,
    temperature_coefficient: Annotated[str | None, typer.Option(help="relative change of the density a degree")] = None,
    reference_temperature: Annotated[str | None, typer.Option(help="°C at which the density holds")] = None,
    potency: Annotated[str | None, typer.Option(help="active ÷ physical quantity")] = None,
    scanned: Annotated[bool, typer.Option(help="the lot was scanned at the line with this transfer")] = False,
) -> None:
    """Bring a lot to the line, for one order or for everyone at the line."""
    given = (supplier, priority, density, temperature_coefficient, reference_temperature, potency)
    staging = {
        "staging": new_id(number),
        "key": {"owner": owner(order, line), "item": item, "lot": lot, "location": location},
        "quantity": quantity,
        "uom": uom,
        "received_at": received,
        "expires_at": expires,
        "status": status.value,
        "facts": {name: value for name, value in zip(_FACTS, given, strict=True) if value is not None},
        "scanned": scanned,
    }
    applied = send(config_dir, command.Stage, {"staging": staging})
    tell(applied, f"{quantity} {uom} of {item} lot {lot} are staged at {location} (staging {staging['staging']})")


def scan_in(config_dir: Folder, line: str, item: str, lot: str) -> None:
    """Make a lot eligible at a line that wants every lot scanned."""
    found = send(config_dir, command.ScanIn, {"line": line, "item": item, "lot": lot})
    typer.echo(f"lot {lot} of {item} is scanned in at {line}; balances that became eligible: {found}")


def issue(
    config_dir: Folder,
    *,
    order: str,
    operation: str,
    item: str,
    lot: str,
    quantity: str,
    uom: str,
    bom_line: Annotated[str, typer.Option(help="where the item stands in several lines")] = "",
    location: Annotated[str, typer.Option(help="the bin, where the lot lies in several")] = "",
    temperature: Annotated[str | None, typer.Option(help="°C of what was issued")] = None,
    number: Id = None,
) -> None:
    """Issue a scanned quantity of a lot to an order's operation."""
    body = {"order": order, "operation": operation, "item": item, "lot": lot, "quantity": quantity, "uom": uom}
    more = {"issue": new_id(number), "bom_line": bom_line, "location": location, "temperature": temperature}
    issued = send(config_dir, command.IssueLot, {**body, **more})
    sentence = f"{quantity} {uom} of {item} lot {lot} are issued to order {order} operation {operation}"
    tell(issued, sentence + held(config_dir, order, operation))


def return_lot(
    config_dir: Folder,
    *,
    item: str,
    lot: str,
    quantity: str,
    uom: str,
    location: Bin,
    reason: Reason,
    order: OfOrder = None,
    line: OfLine = None,
    exposed: Annotated[bool, typer.Option(help="it was open: it goes back in quarantine")] = False,
    number: Id = None,
) -> None:
    """Take staged stock back to the warehouse."""
    key = {"owner": owner(order, line), "item": item, "lot": lot, "location": location}
    body = {"transfer": new_id(number), "key": key, "quantity": quantity, "uom": uom, "reason": reason}
    applied = send(config_dir, command.ReturnLot, {**body, "exposed": exposed})
    tell(applied, f"{quantity} {uom} of {item} lot {lot} are returned{' in quarantine' if exposed else ''}")


def count(
    config_dir: Folder,
    *,
    item: str,
    lot: str,
    found: str,
    uom: str,
    location: Bin,
    reason: Reason,
    order: OfOrder = None,
    line: OfLine = None,
    number: Id = None,
    user: User = None,
    password_file: PasswordFile = None,
    meaning: Meaning = None,
) -> None:
    """Post the difference between what was found of a lot and its book, signed."""
    key = {"owner": owner(order, line), "item": item, "lot": lot, "location": location}
    body = {"count": new_id(number), "key": key, "found": found, "uom": uom, "reason": reason}
    signed = signature(user, password_file, meaning or "counted")
    applied = send(config_dir, command.CountLot, body, signed)
    tell(applied, f"{item} lot {lot} was counted: {found} {uom}")


def lot_status(
    config_dir: Folder,
    *,
    item: str,
    lot: str,
    status: LotStatus,
    reason: Reason,
    user: User = None,
    password_file: PasswordFile = None,
    meaning: Meaning = None,
) -> None:
    """Block a lot, put it in quarantine, or release it (signed by quality)."""
    body = {"item": item, "lot": lot, "status": status.value, "reason": reason}
    signed = signature(user, password_file, meaning or "release approved")
    changed = send(config_dir, command.SetLotStatus, body, signed)
    typer.echo(f"lot {lot} of {item} is {status.value} now; balances changed: {changed}")

"""Tables from the store, beside a running gateway or without one: work list, orders, lots, open windows."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from gateway.api.views.orders import overviews
from gateway.cli.options import Folder
from gateway.domain.clock import rfc3339
from gateway.domain.quantity import text
from gateway.errors import ConfigError
from gateway.runtime.bootstrap import load_config
from gateway.store.views import Views

T = TypeVar("T")


def exceptions(
    config_dir: Folder, closed: Annotated[bool, typer.Option(help="those that are closed, the last one first")] = False
) -> None:
    """Show what may not be posted yet, oldest first, and why."""
    rows = _read(config_dir, lambda views: views.exceptions_closed() if closed else views.exceptions())
    table = Table("#", "kind", "about", "holds", "since", "reason")
    for one in rows:
        reason = f"{one.reason} · closed by {one.closed_by}: {one.close_reason}" if one.closed_at else one.reason
        holds = f"{text(one.quantity)} {one.uom}".rstrip()
        table.add_row(str(one.id), one.kind.value, "/".join(one.scope), holds, rfc3339(one.first_event), reason)
    _show(table)


def orders(config_dir: Folder) -> None:
    """Show how each order stands."""
    master = load_config(config_dir).master
    rows = _read(config_dir, lambda views: overviews(views, master, datetime.now(UTC)))
    table = Table("order", "item", "status", "quantity", "received", "open", "operations (good / scrap / rework)")
    for one in rows:
        quantities = (f"{one.get('quantity', '?')} {one.get('uom', '')}", one.get("received", ""))
        made = [f"{op['operation']}: {op['good']} / {op['scrap']} / {op['rework']}" for op in one["operations"]]
        table.add_row(
            one["order"],
            one.get("item", "not in the master data"),
            one["status"] or "?",
            *quantities,
            one.get("open_quantity", ""),
            "\n".join(made),
        )
    _show(table)


def lots(config_dir: Folder) -> None:
    """Show the lots at the line with something left."""
    table = Table("item", "lot", "for", "location", "status", "left", "of", "expires")
    for one in _read(config_dir, lambda views: views.lots()):
        key = one.key
        owner, expires = f"{key.owner.kind} {key.owner.name}", rfc3339(one.expires_at) if one.expires_at else "–"
        left = f"{text(one.left)} {one.uom}"
        table.add_row(key.item, key.lot, owner, key.location, one.status.value, left, text(one.staged), expires)
    _show(table)


def windows(config_dir: Folder) -> None:
    """Show the open documents: what they gathered so far, and when the clock closes them."""
    table = Table("document", "order/operation", "device", "part", "opened", "due", "output", "lines")
    for one in _read(config_dir, lambda views: views.windows()):
        key, output = one.key, one.output
        lines = [f"{line.use.value} {text(line.quantity)} {line.uom} {line.item} {line.lot}" for line in one.lines]
        made = f"{text(output.good)} / {text(output.scrap)} / {text(output.rework)} {output.uom}"
        due = rfc3339(one.due) if one.due else "–"
        place = f"{key.order}/{key.operation}"
        opened = rfc3339(one.opened_at)
        table.add_row(str(one.id), place, key.device, key.part.value, opened, due, made, "\n".join(lines))
    _show(table)


def _read(config_dir: Path, read: Callable[[Views], Awaitable[T]]) -> T:
    path = load_config(config_dir).store_path
    if not path.exists():
        raise ConfigError(f"there is no store at {path}", "the gateway makes it at its first start")
    return asyncio.run(_answer(path, read))


async def _answer(path: Path, read: Callable[[Views], Awaitable[T]]) -> T:
    views = await Views.open(path)
    try:
        return await read(views)
    finally:
        await views.close()


def _show(table: Table) -> None:
    console = Console(highlight=False, markup=False)
    console.print(table if table.row_count else "nothing")

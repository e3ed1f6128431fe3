"""Tables from the store, beside a running gateway or without one: work list, orders, lots, open windows."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich import box
from rich.console import Console, JustifyMethod
from rich.table import Table

from gateway.api.views.orders import overviews
from gateway.cli.options import Folder
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
    table = _table(">#", "|kind", "about", ">holds", "since", "reason")
    for one in rows:
        reason = f"{one.reason} · closed by {one.closed_by}: {one.close_reason}" if one.closed_at else one.reason
        holds = f"{text(one.quantity)} {one.uom}".rstrip()
        table.add_row(str(one.id), one.kind.value, "/".join(one.scope), holds, _moment(one.first_event), reason)
    _show(table)


def orders(config_dir: Folder) -> None:
    """Show how each order stands."""
    master = load_config(config_dir).master
    rows = _read(config_dir, lambda views: overviews(views, master, datetime.now(UTC)))
    table = _table("order", "item", "status", ">quantity", ">received", ">open", "|good / scrap / rework")
    for one in rows:
        quantities = (f"{one.get('quantity', '?')} {one.get('uom', '')}", one.get("received", ""))
        made = [f"{op['operation']}: {op['good']} / {op['scrap']} / {op['rework']}" for op in one["operations"]]
        table.add_row(
            one["order"],
            one.get("item", "not in the master data"),
            f"{one['status'] or '?'}{', active' if one.get('active') else ''}",
            *quantities,
            one.get("open_quantity", ""),
            "\n".join(made),
        )
    _show(table)


def lots(config_dir: Folder) -> None:
    """Show the lots at the line with something left."""
    table = _table("item", "lot", "where", "|status", ">left", ">of", "expires")
    for one in _read(config_dir, lambda views: views.lots()):
        key = one.key
        where = f"{key.location} ({key.owner.kind} {key.owner.name})"
        left = f"{text(one.left)} {one.uom}"
        expires = _moment(one.expires_at)
        table.add_row(key.item, key.lot, where, one.status.value, left, text(one.staged), expires)
    _show(table)


def windows(config_dir: Folder) -> None:
    """Show the open documents: what they gathered so far, and when the clock closes them."""
    table = _table(">#", "order", "device", "|part", "opened", "due", "good / scrap / rework", "lines")
    for one in _read(config_dir, lambda views: views.windows()):
        key, output = one.key, one.output
        lines = [f"{line.use.value} {text(line.quantity)} {line.uom} {line.item} {line.lot}" for line in one.lines]
        made = f"{text(output.good)} / {text(output.scrap)} / {text(output.rework)} {output.uom}"
        place = f"{key.order}/{key.operation}"
        times = _moment(one.opened_at), _moment(one.due)
        table.add_row(str(one.id), place, key.device, key.part.value, *times, made, "\n".join(lines))
    _show(table)


def _moment(moment: datetime | None) -> str:
    """Return a moment to the second, with a space where a narrow column may break it."""
    return f"{moment:%Y-%m-%d %H:%M:%SZ}" if moment else "–"


def _table(*headers: str) -> Table:
    """Return a table; `>` marks a column of numbers, which stay whole like those that `|` marks."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for header in headers:
        justify: JustifyMethod = "right" if header[0] == ">" else "left"
        table.add_column(header.lstrip(">|"), justify=justify, no_wrap=header[0] in ">|", overflow="fold")
    return table


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

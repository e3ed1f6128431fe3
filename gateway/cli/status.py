"""`gateway status CONFIG_DIR`: what the store says, and the running daemon where it answers."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.cli.daemon import ask
from gateway.cli.plain import plain
from gateway.cli.work_list import ALL, alike, numbers, units
from gateway.domain.exception import ExceptionRecord
from gateway.domain.quantity import text
from gateway.errors import GatewayError
from gateway.runtime.bootstrap import load_config
from gateway.settings.load import Config
from gateway.store.checkpoints import newest
from gateway.store.views import Views

_MEMBERS = ("started_at", "store_state", "unsafe", "troubles", "devices", "sinks")
_COLOUR = {"connected": "green", "degraded": "yellow", "connecting": "yellow", "disconnected": "red"}


def status(config_dir: Annotated[Path, typer.Argument(help="folder with gateway.yaml")]) -> None:
    """Show devices, units, buffer and work list."""
    config = load_config(config_dir)
    console = Console(highlight=False)
    try:
        _show_daemon(console, plain(ask(config, "/api/v1/status", *_MEMBERS)))
    except GatewayError as error:
        console.print(f"[yellow]{escape(plain(str(error)))}[/]; the store as it is on disk:")
    if config.store_path.exists():
        asyncio.run(_show_store(console, config))
    else:
        console.print(f"no store yet at {config.store_path}", markup=False)


def _show_daemon(console: Console, status: dict[str, Any]) -> None:
    console.print(f"running since {status['started_at']}, store: {escape(status['store_state'])}")
    for sentence in status["unsafe"]:
        console.print(f"  [yellow]unsafe[/]       {escape(sentence)}")
    for name, trouble in status["troubles"].items():
        console.print(f"  [red]trouble[/]      {escape(name)}  {escape(trouble)}")
    for kind in ("devices", "sinks"):
        for name, one in status[kind].items():
            colour = _COLOUR.get(one["link"], "red")
            console.print(f"  [{colour}]{one['link']:12}[/] {escape(name)}  {escape(one['detail'])}".rstrip())


async def _show_store(console: Console, config: Config) -> None:
    views = await Views.open(config.store_path)
    try:
        units = Table("signal", "unit")
        for column in ("counted", "posted", "scrapped", "held", "reversed"):
            units.add_column(column, justify="right")
        for row in await views.tallies():
            one = row.tally
            totals = (one.counted, one.posted, one.scrapped, one.held, one.reversed)
            units.add_row(str(row.signal), one.uom, *map(text, totals))
        console.print(units)
        for buffer in await views.buffers():
            refused = f", {buffer.rejected} refused" if buffer.rejected else ""
            reached = f"through seq {buffer.through}, {buffer.waiting} waiting"
            console.print(f"{buffer.kind} {buffer.name}: {reached}{refused}")
        letters, rejected = await views.dead_letters(), sum(one.rejected for one in await views.buffers())
        if letters or rejected:
            console.print(f"for a person: {letters} dead letters, {rejected} refused postings", style="red")
        if unsigned := sum(not one.signed_by for _, one in await views.baselines()):
            console.print(f"baselines: {unsigned} not signed yet; `gateway baselines` lists them", style="yellow")
        if signed := await views.read(newest):
            console.print(f"verified to seq {signed.seq} at {signed.at}, signed by key {signed.key}", highlight=False)
        _show_blocked(console, await views.exceptions(ALL))
    finally:
        await views.close()


def _show_blocked(console: Console, entries: list[ExceptionRecord]) -> None:
    console.print(f"blocked: {len(entries)}", style="red" if entries else "green")
    for group in map(plain, alike(entries)):
        many = f"{len(group)} alike, the first: " if len(group) > 1 else ""
        about = f"#{numbers(group)} {'/'.join(group[0].scope)} holds {units(group)}"
        console.print(f"  {about}: {many}{group[0].reason}", markup=False)

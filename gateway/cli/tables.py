"""Tables of what the store has, read beside a running gateway or without one."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from rich import box
from rich.console import Console, JustifyMethod
from rich.table import Table

from gateway.cli.plain import PlainTable
from gateway.domain.clock import to_the_second
from gateway.errors import ConfigError
from gateway.runtime.bootstrap import load_config
from gateway.store.views import Views

T = TypeVar("T")


def moment(at: datetime | None) -> str:
    """Return a moment to the second, with a space where a narrow column may break it."""
    return to_the_second(at) if at else "–"


def new_table(*headers: str) -> Table:
    """Return a table; `>` marks a column of numbers, which stay whole like those that `|` marks."""
    table = PlainTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for header in headers:
        justify: JustifyMethod = "right" if header[0] == ">" else "left"
        table.add_column(header.lstrip(">|"), justify=justify, no_wrap=header[0] in ">|", overflow="fold")
    return table


def read_views(config_dir: Path, read: Callable[[Views], Awaitable[T]]) -> T:
    """Return what is read of the store of a configuration folder; ConfigError where there is none."""
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


def show(table: Table) -> None:
    """Print the table, or that there is nothing."""
    console = Console(highlight=False, markup=False)
    console.print(table if table.row_count else "nothing")

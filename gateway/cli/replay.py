"""`gateway replay CONFIG_DIR EVENTS`: a recording through the engine, with any configuration."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

from gateway.cli.options import Folder
from gateway.cli.plain import PlainTable
from gateway.domain.exception import ExceptionRecord
from gateway.domain.lot import LotBalance
from gateway.domain.quantity import text
from gateway.formats import canonical
from gateway.runtime.bootstrap import load_config
from gateway.runtime.replay import Recording, read_recording
from gateway.runtime.replay import replay as replay_into
from gateway.settings.load import Config
from gateway.store.log import PostingLog
from gateway.store.views import Views

_PAGE = 500
_EVERY = 1_000_000  # entries of the work list: all of them

Show = Callable[[PostingLog, Views], Awaitable[None]]


def replay(
    config_dir: Folder,
    events: Annotated[Path, typer.Argument(help="what `gateway record` wrote")],
    as_json: Annotated[bool, typer.Option("--json", help="postings, exceptions and balances as JSON lines")] = False,
) -> None:
    """Run recorded events with this configuration; print its postings, exceptions and balances. Nothing is sent."""
    config, recorded = load_config(config_dir), read_recording(events)
    told = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    if recorded.missing:
        told.print(f"{events} has no beginning: the balances are those of what it has")
    with TemporaryDirectory(prefix="gateway-replay-") as folder:
        warnings = asyncio.run(
            _replay(config, recorded, Path(folder) / "replay.db", _as_json if as_json else _as_tables)
        )
    for warning in warnings:
        told.print(f"{events}, {warning}")


async def _replay(config: Config, recorded: Recording, path: Path, show: Show) -> list[str]:
    warnings = await replay_into(config, recorded, path)
    async with _opened(path) as (log, views):
        await show(log, views)
    return warnings


@asynccontextmanager
async def _opened(path: Path) -> AsyncIterator[tuple[PostingLog, Views]]:
    log = await PostingLog.open(path)
    try:
        views = await Views.open(path)
        try:
            yield log, views
        finally:
            await views.close()
    finally:
        await log.close()


async def _bodies(log: PostingLog) -> AsyncIterator[bytes]:
    page = await log.page(0, None, _PAGE)
    while page.documents:
        for document in page.documents:
            yield document.body
        page = await log.page(page.next_after, None, _PAGE)


async def _as_json(log: PostingLog, views: Views) -> None:
    async for body in _bodies(log):
        typer.echo(body)
    for one in await views.exceptions(_EVERY):
        typer.echo(json.dumps({"kind": "exception", **_exception(one)}, ensure_ascii=False))
    for lot in await views.lots():
        typer.echo(json.dumps({"kind": "balance", **_balance(lot)}, ensure_ascii=False))


async def _as_tables(log: PostingLog, views: Views) -> None:
    postings = PlainTable("seq", "type", "order/operation", "output", "lines", title="postings", title_justify="left")
    async for body in _bodies(log):
        one = orjson.loads(body)
        made, order = one["output"], f"{one['order']}/{one['operation']}"
        output = f"{made['good']} / {made['scrap']} / {made['rework']} {made['uom']}"
        postings.add_row(str(one["seq"]), one["posting_type"], order, output, "\n".join(map(_line, one["lines"])))
    exceptions = PlainTable("#", "kind", "about", "holds", "reason", title="exceptions", title_justify="left")
    for record in await views.exceptions(_EVERY):
        holds = f"{text(record.quantity)} {record.uom}".rstrip()
        exceptions.add_row(str(record.id), record.kind.value, "/".join(record.scope), holds, record.reason)
    balances = PlainTable("item", "lot", "for", "staged", "consumed", "returned", "left", title="balances")
    balances.title_justify = "left"
    for lot in await views.lots():
        row = _balance(lot)
        quantities = [f"{row[name]} {lot.uom}" for name in ("staged", "consumed", "returned", "left")]
        balances.add_row(lot.key.item, lot.key.lot, " ".join(lot.key.owner), *quantities)
    console = Console(highlight=False, markup=False)
    for table in (postings, exceptions, balances):
        console.print(table if table.row_count else f"{table.title}: none")


def _line(line: dict[str, Any]) -> str:
    return f"{line['use']} {line['quantity']} {line['uom']} {line['item']} {line['lot']}"


def _exception(record: ExceptionRecord) -> dict[str, Any]:
    said = canonical.exception(record)
    return {**said, "quantity": text(record.quantity)}


def _balance(lot: LotBalance) -> dict[str, str]:
    quantities = {name: text(getattr(lot, name)) for name in ("staged", "consumed", "returned", "left")}
    owner = " ".join(lot.key.owner)
    where = {"owner": owner, "item": lot.key.item, "lot": lot.key.lot, "location": lot.key.location}
    return {**where, "uom": lot.uom, "status": lot.status.value, **quantities}

"""What is measured, what shadows say, full documents: tables from the store, beside a running gateway or without."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from gateway.cli.archives import read_archives
from gateway.cli.plain import plain
from gateway.cli.store_path import store_of
from gateway.errors import GatewayError, StoreError
from gateway.store.measures import measures as measured
from gateway.store.reading import read
from gateway.store.shadow_report import Comparison, shadow_report
from gateway.store.statistics import full_documents as rolled_up
from gateway.store.statistics import is_unknown

_WIDE = 1000

Folder = Annotated[Path, typer.Argument(help="configuration folder, or a demo's folder, or a store file")]


def measures(folder: Folder) -> None:
    """Show variances, rates and ratios."""
    for name, rows in read(store_of(folder), measured).items():
        _show(name.replace("_", " "), [dict(one) for one in rows])


def shadow(folder: Folder) -> None:
    """Show what shadow BOMs and rules would have consumed beside what was."""
    rows = read(store_of(folder), shadow_report)
    _show("shadow", [one._asdict() for one in rows], Comparison._fields)


def full_documents(
    folder: Folder,
    order: Annotated[str, typer.Argument(help="the order")],
    day: Annotated[str | None, typer.Option(help="only this day (UTC), e.g. 2026-11-21")] = None,
) -> None:
    """Show an order's documents of each day as one, and what is still open of it."""
    found = plain(read(store_of(folder), lambda raw: rolled_up(raw, order, day)))
    if is_unknown(found):
        raise _nothing(folder, order)
    console = Console(highlight=False)
    console.print(
        f"order {order} {found['item'] or ''}: planned {found['planned']}, received {found['received']},"
        f" open {found['open']} {found['uom'] or ''}",
        markup=False,
    )
    for one in found["documents"]:
        counts = f"{one['postings']} postings (seq {one['first_seq']} … {one['last_seq']}), {one['triggers']} triggers"
        console.print(f"\n{one['day']}: {counts}, {one['reversals']} reversals", markup=False)
        _show("made", one["outputs"])
        _show("moved", one["lines"])
    _show("open windows", found["windows"])


def _nothing(folder: Path, order: str) -> GatewayError:
    """Return why there are no postings of the order: retention may have deleted them."""
    places, unread = [], ""
    try:
        for place, found in read_archives(folder, lambda raw: rolled_up(raw, order)):
            places += [] if is_unknown(found) else [place]
    except StoreError as error:  # it comes behind what could be read
        unread = str(error)
    if places:
        shown = [f"`gateway full-documents {place} {order}` shows it" for place in places]
        return GatewayError(
            f"retention has deleted what was posted for order {order}", "\n".join([*shown, unread]).strip()
        )
    if unread:
        return GatewayError(f"nothing is known of an order {order}, as far as that can be read", unread)
    return GatewayError(f"nothing is known of an order {order}", "`gateway orders` lists those that are known")


def _show(title: str, rows: list[dict[str, Any]], columns: tuple[str, ...] = ()) -> None:
    """Show rows as a table; nothing where there are none."""
    names = columns or tuple(rows[0] if rows else ())
    if not names:
        return
    table = Table(*(Column(name.replace("_", " "), no_wrap=True) for name in names), box=None, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*("" if row[name] is None else escape(plain(str(row[name]))) for name in names))
    console = Console(highlight=False, width=_WIDE)  # a row stays a row, whatever the width of the terminal
    console.print(f"\n{title}", style="bold", markup=False)
    console.print(table)

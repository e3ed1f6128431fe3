"""Tables from the store, beside a running gateway or without one: work list, orders, lots, open windows."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway.api.views.orders import overviews
from gateway.cli.options import Folder
from gateway.cli.tables import moment, new_table, read_views, show
from gateway.cli.work_list import ALL, alike, numbers, sentence, units
from gateway.domain.quantity import text
from gateway.runtime.bootstrap import load_config


def exceptions(
    config_dir: Folder,
    *,
    closed: Annotated[bool, typer.Option(help="those that are closed, the last one first")] = False,
    every: Annotated[bool, typer.Option("--every", help="a line each, even of many that are alike")] = False,
) -> None:
    """Show what may not be posted yet, oldest first, and why; many that are alike in one line."""
    rows = read_views(config_dir, lambda views: views.exceptions_closed() if closed else views.exceptions(ALL))
    table = new_table(">#", "|kind", "about", ">holds", "since", "reason")
    for group in [[one] for one in rows] if every else alike(rows):
        first = group[0]
        about = first.kind.value, "/".join(first.scope), units(group), moment(first.first_event)
        table.add_row(numbers(group), *about, sentence(group))
    show(table)


def orders(config_dir: Folder) -> None:
    """Show how each order stands."""
    master = load_config(config_dir).master
    rows = read_views(config_dir, lambda views: overviews(views, master, datetime.now(UTC)))
    table = new_table("order", "item", "status", ">quantity", ">received", ">open", "|good / scrap / rework")
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
    show(table)


def lots(config_dir: Folder) -> None:
    """Show the lots at the line with something left."""
    table = new_table("item", "lot", "where", "|status", ">left", ">of", "expires")
    for one in read_views(config_dir, lambda views: views.lots()):
        key = one.key
        where = f"{key.location} ({key.owner.kind} {key.owner.name})"
        left = f"{text(one.left)} {one.uom}"
        expires = moment(one.expires_at)
        table.add_row(key.item, key.lot, where, one.status.value, left, text(one.staged), expires)
    show(table)


def windows(config_dir: Folder) -> None:
    """Show the open documents: what they gathered so far, and when the clock closes them."""
    table = new_table(">#", "order", "device", "|part", "opened", "due", "good / scrap / rework", "lines")
    for one in read_views(config_dir, lambda views: views.windows()):
        key, output = one.key, one.output
        lines = [f"{line.use.value} {text(line.quantity)} {line.uom} {line.item} {line.lot}" for line in one.lines]
        made = f"{text(output.good)} / {text(output.scrap)} / {text(output.rework)} {output.uom}"
        place = f"{key.order}/{key.operation}"
        times = moment(one.opened_at), moment(one.due)
        table.add_row(str(one.id), place, key.device, key.part.value, *times, made, "\n".join(lines))
    show(table)


def baselines(config_dir: Folder) -> None:
    """Show where each counter began, and who has signed that."""
    table = new_table("counter", ">value", "boot id", "first read", "signed by", "signed")
    for signal, one in read_views(config_dir, lambda views: views.baselines()):
        signed = one.signed_by or "nobody yet", moment(one.signed_at)
        table.add_row(str(signal), str(one.value), one.epoch or "–", moment(one.at), *signed)
    show(table)

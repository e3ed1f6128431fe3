"""`gateway explain CONFIG_DIR SEQ`: everything a reader needs to recompute a posting by hand."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from gateway.cli.store_path import store_of
from gateway.errors import GatewayError
from gateway.store.explanation import explain as explained
from gateway.store.reading import read

Json = Mapping[str, Any]

_FEW = 3  # triggers shown of a cumulated posting; --trigger shows one of the others


def explain(
    folder: Annotated[Path, typer.Argument(help="configuration folder, or a demo's folder, or a store file")],
    seq: Annotated[int, typer.Argument(help="the posting")],
    trigger: Annotated[int | None, typer.Option(help="of a cumulated posting: show this trigger")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="everything, as JSON")] = False,
) -> None:
    """Show why a posting says what it says: reading, rule, formula, remainder, lots."""
    found = read(store_of(folder), lambda raw: explained(raw, seq))
    if found is None:
        raise GatewayError(f"there is no posting {seq}", "retention may have deleted it")
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    shown = [one for one in found["triggers"] if one["id"] == trigger] if trigger else found["triggers"][:_FEW]
    if trigger and not shown:
        raise GatewayError(f"posting {seq} has no trigger {trigger}", "`--json` lists them")
    console = Console(highlight=False, soft_wrap=True)
    console.print(_head(found))
    for one in shown:
        console.print(_trigger(one))
    if rest := len(found["triggers"]) - len(shown):
        console.print(f"… and {rest} more triggers (--trigger ID, --json); all together:")
        console.print(_sums(found))


def _head(found: Json) -> Tree:
    bom, clock = found["bom"], found["clock"]
    tree = Tree(
        f"[bold]posting {found['seq']}[/]  {found['posting_type']}  order {escape(found['order'])}"
        f" operation {escape(found['operation'])}  {escape(found['item'])} lot {escape(found['finished_lot'])}"
    )
    made = found["output"]
    tree.add(f"made: {made['good']} good, {made['scrap']} scrap, {made['rework']} rework {escape(made['uom'])}")
    tree.add(f"posted {found['posted_at']}, clock {clock['trust']} ± {clock['error_ms']} ms")
    tree.add(f"BOM {escape(bom['id'])} version {escape(bom['version'])}, master data {found['master_data']}")
    if not found["snapshot_stored"]:
        tree.add("[yellow]the store hasn't got that snapshot: formulas can't be written out[/]")
    if window := found["window"]:
        tree.add(f"window {window['opened']} … {window['closed']}, closed by {escape(window['why'])}")
    for name in ("reverses", "reversed_by", "follows", "followed_by"):
        if found[name]:
            tree.add(f"[yellow]{name.replace('_', ' ')} {found[name]}[/]")
    for one in found["deviations"] or ():
        tree.add(f"[yellow]{escape(one['code'])}: {escape(one['text'])}[/]")
    if found["reason"]:
        tree.add(f"reason {escape(found['reason']['code'])}: {escape(found['reason']['text'])}")
    return tree


def _trigger(one: Json) -> Tree:
    reading = one["reading"]
    tree = Tree(f"[bold]trigger {one['id']}[/]: {one['units']} {escape(one['uom'])}")
    began = f" since {reading['since']}" if reading["since"] else ""
    tree.add(
        f"reading {escape(reading['device'])}.{escape(reading['signal'])} {escape(reading['key'])}: "
        f"{reading['quantity']} {escape(reading['uom'])} {reading['event']}{began} at {reading['source_time']},"
        f" received {reading['received_time']} ({escape(reading['verdict'])}"
        f"{', ' + escape(reading['flag']) if reading['flag'] else ''})"
    )
    tree.add(f"rule {escape(one['rule'])} version {one['rule_version']}, line {escape(one['line'])}")
    for draw in one["draws"]:
        _draw(tree, draw)
    return tree


def _draw(tree: Tree, draw: Json) -> None:
    uom = escape(draw["uom"])
    branch = tree.add(f"[bold]{escape(draw['item'])}[/] [dim]BOM line {escape(draw['bom_line'])}[/] ({draw['how']})")
    if draw["formula"]:
        branch.add(escape(draw["formula"]["text"]))
        if draw["once"] != "0":
            branch.add(escape(draw["formula"]["once_text"] or f"once an order: {draw['once']} {draw['uom']}"))
    if draw["how"] == "calculated":
        before, after, rule = draw["before"], draw["after"], draw["rounding"]
        branch.add(f"R = {before['required']} + {draw['required']} + {draw['once']} = {after['required']} {uom}")
        how = _rule(rule) if rule else "rounded"
        branch.add(f"{how}: round(R) = {draw['rounded']}, C = {before['committed']}")
        branch.add(f"due = max(0, round(R) − C) = {draw['due']} {uom}, remainder R − C = {draw['remainder']} {uom}")
    else:
        branch.add(f"due {draw['due']} {uom}; R and C stay as they are")
    if draw["backlog"] != "0":
        branch.add(f"[yellow]short of {draw['backlog']} {uom}: backlog[/]")
    for one in draw["considered"]:
        taken = f"{one['taken']} of {one['left']}"
        branch.add(f"lot {escape(one['lot'])} in {escape(one['location'])}: {taken}, {escape(one['why'])}")
    for one in draw["picks"]:
        into = "" if one["factor"] == "1" else f" × {one['factor']} = {one['quantity']} {escape(one['uom'])}"
        branch.add(f"line {one['line']} lot {escape(one['lot'])}: {one['component']} {uom}{into}")


def _rule(rule: Json) -> str:
    if rule["multiple"]:
        return f"rounded {rule['mode']} to whole packs of {rule['multiple']}"
    return "exact" if rule["decimals"] is None else f"rounded {rule['mode']} to {rule['decimals']} decimals"


def _sums(found: Json) -> Tree:
    tree = Tree(f"{len(found['triggers'])} triggers")
    for one in found["sums"]:
        backlog = "" if one["backlog"] == "0" else f", backlog {one['backlog']}"
        required = f"required {one['required']} + {one['once']} once, due {one['due']}{backlog} {one['uom']}"
        tree.add(f"{escape(one['item'])} [dim]BOM line {escape(one['bom_line'])}[/]: {required}")
    return tree

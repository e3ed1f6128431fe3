"""`gateway explain CONFIG_DIR SEQ`: everything a reader needs to recompute a posting by hand."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.tree import Tree

from gateway.cli.archives import read_archives
from gateway.cli.explain_trigger import signature, trigger_tree
from gateway.cli.plain import plain, plain_json
from gateway.cli.store_path import store_of
from gateway.cli.wide import console
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
    """Show why a posting says what it says: reading, rule, formula, remainder, lots, person and signature."""
    found = read(store_of(folder), lambda raw: explained(raw, seq)) or _archived(folder, seq)
    if found is None:
        raise GatewayError(f"there is no posting {seq}", "retention may have deleted it")
    if as_json:
        typer.echo(plain_json(found))
        return
    found = plain(found)
    shown = [one for one in found["triggers"] if one["id"] == trigger] if trigger else found["triggers"][:_FEW]
    if trigger and not shown:
        raise GatewayError(f"posting {seq} has no trigger {trigger}", "`--json` lists them")
    screen = console()
    screen.print(_head(found))
    for one in shown:
        screen.print(trigger_tree(one, found["lines"]))
    if rest := len(found["triggers"]) - len(shown):
        screen.print(f"… and {rest} more triggers (--trigger ID, --json); all together:")
        screen.print(_sums(found))


def _archived(folder: Path, seq: int) -> Json | None:
    """Return what an archive says of the posting, None where none has it."""
    for path, found in read_archives(folder, lambda raw: explained(raw, seq), seq):
        if found is not None:
            typer.echo(f"retention has deleted posting {seq}; this is from the archive {path}", err=True)
            return found
    return None


def _head(found: Json) -> Tree:
    tree = Tree("  ".join(_title(found)))
    made = found["output"]
    if made["uom"]:
        tree.add(f"made: {made['good']} good, {made['scrap']} scrap, {made['rework']} rework {escape(made['uom'])}")
    clock = found["clock"]
    tree.add(f"posted {found['posted_at']}, clock {clock['trust']} ± {clock['error_ms']} ms")
    if bom := found["bom"]["id"]:
        version = escape(found["bom"]["version"])
        tree.add(f"BOM {escape(bom)} version {version}, master data {found['master_data']}")
        if not found["snapshot_stored"]:
            tree.add("[yellow]the store hasn't got that snapshot: formulas can't be written out[/]")
    if window := found["window"]:
        tree.add(f"window {window['opened']} … {window['closed']}, closed by {escape(window['why'])}")
    for said in (*_connections(found), *_moved(found), *_reasons(found)):
        tree.add(said)
    return tree


def _title(found: Json) -> Iterator[str]:
    """Yield the parts of the title; what the document hasn't got isn't there."""
    about = {"main": "", "reversal": " reversal"}.get(found["about"], f" {found['about']} issues")
    yield f"[bold]posting {found['seq']}[/]"
    yield f"{found['posting_type']}{about}"
    places = (f"{name} {escape(found[name])}" for name in ("order", "operation") if found[name])
    if place := " ".join(places):
        yield place
    yield escape(found["item"]) + (f" lot {escape(found['finished_lot'])}" if found["finished_lot"] else "")


def _connections(found: Json) -> Iterator[str]:
    names = {"reverses": "mirrors", "reversed_by": "reversed by", "follows": "follows", "followed_by": "followed by"}
    for name, said in names.items():
        if seqs := found[name]:
            numbers = ", ".join(map(str, seqs)) if isinstance(seqs, list) else seqs
            yield f"[yellow]{said} posting {numbers}[/]"


def _moved(found: Json) -> Iterator[str]:
    for number, line in enumerate(found["lines"], 1):
        yield f"line {number}: {_line(line)}"
    for one in found["activities"]:
        yield f"activity {escape(one['activity'])}: {one['quantity']} {escape(one['uom'])}"
    if short := found["shortfall"]:
        owner, uom = short["owner"], escape(short["uom"])
        asked = f"{short['quantity']} {uom} are asked for" if short["quantity"] else "more is asked for"
        yield (
            f"{owner['kind']} {escape(owner['name'])} has {short['left']} {uom} of {escape(short['item'])} left,"
            f" at or below the reorder point {short['reorder_point']}: {asked}"
        )
    yield from map(_variance, found["variances"] or ())


def _line(line: Json) -> str:
    parts = [f"{line['use']} {line['quantity']} {line['uom']} {line['item']} lot {line['lot']} in {line['location']}"]
    if owner := line.get("owner"):
        parts.append(f"of {owner['kind']} {owner['name']}")
    parts += [f"{said} {line[name]}" for name, said in _MORE.items() if line.get(name)]
    return escape(", ".join(parts))


_MORE = {"supplier": "from", "bom_line": "BOM line", "method": "method", "standard": "standard"}


def _variance(one: Json) -> str:
    parts = ", ".join(f"{name} {one[name]}" for name in ("usage", "mix", "yields", "scrap") if Decimal(one[name]))
    cause = f" ({one['cause']})" if one["cause"] else ""
    return escape(
        f"variance {one['item']} BOM line {one['bom_line']}: actual {one['actual']} − standard {one['standard']}"
        f" = {parts or '0'} {one['uom']}{cause}"
    )


def _reasons(found: Json) -> Iterator[str]:
    for one in found["deviations"] or ():
        yield f"[yellow]{escape(one['code'])}: {escape(one['text'])}[/]"
    if reason := found["reason"]:
        yield f"reason {escape(reason['code'])}: {escape(reason['text'])}"
    if found["person"]:
        yield f"by {escape(found['person'])}"
    if signed := found["signature"]:
        yield signature(signed)


def _sums(found: Json) -> Tree:
    tree = Tree(f"{len(found['triggers'])} triggers")
    for one in found["sums"]:
        backlog = "" if one["backlog"] == "0" else f", backlog {one['backlog']}"
        required = f"required {one['required']} + {one['once']} once, due {one['due']}{backlog} {one['uom']}"
        tree.add(f"{escape(one['item'])} [dim]BOM line {escape(one['bom_line'])}[/]: {required}")
    return tree

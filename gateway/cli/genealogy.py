"""`gateway genealogy CONFIG_DIR`: what went into a case or finished lot, and where a component lot went."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from sqlite3 import Connection
from typing import Annotated

import typer
from rich.markup import escape
from rich.tree import Tree

from gateway.cli.archives import read_archives
from gateway.cli.plain import plain
from gateway.cli.store_path import store_of
from gateway.cli.wide import console
from gateway.domain.quantity import text
from gateway.errors import GatewayError
from gateway.store.genealogy import genealogy as trace
from gateway.store.genealogy import unknown
from gateway.store.genealogy.tree import (
    Case,
    CaseRef,
    ComponentUse,
    FinishedLotTrace,
    Genealogy,
    LotTrace,
    LotUse,
    Scope,
)
from gateway.store.reading import read

_MANY = 40  # cases shown of a lot; --all shows every one
_SCOPE: dict[str, str] = {
    Scope.UNITS: "",
    Scope.MIXING: " [yellow]may have mixed in[/]",
    Scope.ORDER: " [yellow]for the whole order[/]",
}


def genealogy(  # noqa: PLR0917  # each is an option of the command
    folder: Annotated[Path, typer.Argument(help="configuration folder, or a demo's folder, or a store file")],
    sscc: Annotated[str | None, typer.Option(help="a case or pallet, with or without its (00)")] = None,
    lot: Annotated[str | None, typer.Option(help="a component lot")] = None,
    item: Annotated[str | None, typer.Option(help="the component lot's item, where several have such a lot")] = None,
    finished_lot: Annotated[str | None, typer.Option(help="a finished lot")] = None,
    every: Annotated[bool, typer.Option("--all", help="show every case, however many")] = False,
) -> None:
    """Show what went into a case or finished lot, or every case that a component lot went into."""
    if sum(one is not None for one in (sscc, lot, finished_lot)) != 1:
        raise typer.BadParameter("give one of --sscc, --lot and --finished-lot")
    if item is not None and lot is None:
        raise typer.BadParameter("--item belongs to --lot")
    screen, is_known = console(), False
    for archive, found in _everywhere(
        folder, lambda raw: trace(raw, sscc=sscc, lot=lot, item=item, finished_lot=finished_lot)
    ):
        is_known = True
        if archive:
            screen.print(f"[dim]as the archive {escape(str(archive))} has it:[/]")
        for tree in _trees(plain(found), None if every else _MANY):
            screen.print(tree)
    if not is_known:
        what = unknown(sscc=sscc, lot=lot, item=item, finished_lot=finished_lot)
        raise GatewayError(f"nothing is known of {what}", "`gateway lots` lists the lots at the line")


def _everywhere(folder: Path, work: Callable[[Connection], Genealogy]) -> Iterator[tuple[Path | None, Genealogy]]:
    """Yield what the store knows, and what its archives know beside that; StoreError at the end where that isn't all.

    A recall has to be complete, but what is known helps while an archive is brought back.
    """
    told: list[Genealogy] = []
    for place, found in chain([(None, read(store_of(folder), work))], read_archives(folder, work)):
        if found.is_known and found not in told:
            told.append(found)
            yield place, found


def _trees(found: Genealogy, most: int | None) -> Iterable[Tree]:
    yield from map(_case, found.cases)
    yield from (_lot(one, most) for one in found.lots)
    yield from (_finished(one, most) for one in found.finished_lots)


def _case(case: Case) -> Tree:
    where = _posted(case.seq, case.document) if case.held is None else f"[red]waits in exception #{case.held}[/]"
    gone = " [red]reversed[/]" if case.reversed else ""
    tree = Tree(
        f"[bold]{case.sscc}[/]{gone}  {escape(case.item)} finished lot {escape(case.finished_lot or '–')}"
        f"  order {escape(case.order)}  {where}  {escape(case.device)} {case.time}"
    )
    if case.incomplete:
        tree.add(f"[yellow]incomplete: operation {', '.join(case.incomplete)} hasn't counted all its units yet[/]")
    for operation in case.operations:
        share = "" if operation.covered == "1" else f" ({operation.covered} of the case)"
        branch = tree.add(f"operation {escape(operation.operation)}{share}")
        for component in operation.components:
            _component(branch, component)
    return tree


def _component(branch: Tree, component: ComponentUse) -> None:
    leaf = branch.add(f"{escape(component.item)} [dim]BOM line {escape(component.bom_line)}[/]")
    for one in component.lots:
        leaf.add(_lot_use(one, component.uom))


def _lot_use(one: LotUse, uom: str) -> str:
    supplier = f" from {escape(one.supplier)}" if one.supplier else ""
    quantity = "" if one.scope is Scope.MIXING else f"{text(one.quantity)} {escape(uom)}  "
    mirrors = ", ".join(map(str, one.reversed_by))
    gone = f" [red]reversed by {mirrors}[/]" if one.reversed else ""
    when = one.first if one.first == one.last else f"{one.first} … {one.last}"
    counted = f"{_posted(one.seq, one.document)}  {escape(', '.join(one.devices))} {when}"
    return f"[bold]{escape(one.lot)}[/]{supplier}  {quantity}{counted}{gone}{_SCOPE[one.scope]}"


def _lot(trace: LotTrace, most: int | None) -> Tree:
    supplier = f" from {escape(trace.supplier)}" if trace.supplier else ""
    tree = Tree(f"[bold]{escape(trace.item)} lot {escape(trace.lot)}[/]{supplier}")
    for one in trace.balances:
        owner = escape(f"{one.owner_kind} {one.owner}, {one.location}")
        tree.add(f"staged to {owner}: {one.staged} {one.uom}, left {one.left}, returned {one.returned} ({one.status})")
    for order in trace.orders:
        branch = tree.add(f"order {escape(order.order)}")
        for finished in order.finished_lots:
            leaf = branch.add(f"{escape(finished.item)} finished lot [bold]{escape(finished.finished_lot or '–')}[/]")
            for issue in finished.issues:
                still = f", {issue.open} open" if issue.open else ""
                seqs = "" if issue.first_seq is None else f" (seq {issue.first_seq} … {issue.last_seq})"
                quantity = f"{text(issue.quantity)} {escape(issue.uom)} in {issue.postings} postings{still}{seqs}"
                leaf.add(f"operation {escape(issue.operation)}: {quantity}")
            _cases(leaf, finished.cases, most)
    return tree


def _finished(trace: FinishedLotTrace, most: int | None) -> Tree:
    received = f"{text(trace.received)} {escape(trace.uom)} received"
    tree = Tree(f"[bold]{escape(trace.item)} finished lot {escape(trace.finished_lot)}[/]  {received}")
    branches: dict[str, Tree] = {}
    branch = tree.add(f"order {escape(trace.order)}")
    for one in trace.components:
        if one.operation not in branches:
            branches[one.operation] = branch.add(f"operation {escape(one.operation)}")
        supplier = f" from {escape(one.supplier)}" if one.supplier else ""
        still = f", {one.open} open" if one.open else ""
        amount = f"{text(one.quantity)} {escape(one.uom)} in {one.postings} postings{still}"
        branches[one.operation].add(f"{escape(one.item)} lot [bold]{escape(one.lot)}[/]{supplier}  {amount}")
    _cases(branch, trace.cases, most)
    return tree


def _cases(branch: Tree, cases: tuple[CaseRef, ...], most: int | None) -> None:
    if not cases:
        return
    leaf = branch.add(f"{len(cases)} cases")
    for one in cases[:most]:
        gone = " [red]reversed[/]" if one["reversed"] else ""
        posted = _posted(one["seq"], one["document"])
        leaf.add(f"[bold]{one['sscc']}[/]  {posted}  {one['time']}{gone}{_SCOPE[one['scope']]}")
    if most is not None and len(cases) > most:
        leaf.add(f"… and {len(cases) - most} more (--all)")


def _posted(seq: int | None, document: int | None) -> str:
    if seq is not None:
        return f"seq {seq}"
    return "not posted" if document is None else f"[yellow]open window {document}[/]"

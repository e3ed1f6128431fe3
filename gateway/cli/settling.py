"""Many held entries settled together: what they are is shown and confirmed first, then signed in parts.

Each part is one command, over the numbers and units that it names, and one transaction. So whoever was interrupted
asks the same again: what is settled isn't there any more.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import typer
from rich.console import Console
from rich.progress import Progress

from gateway.cli.daemon import Give, sending
from gateway.cli.plain import plain
from gateway.cli.tables import new_table, read_views, show
from gateway.cli.work_list import ALL, detail, numbers, units
from gateway.domain import command
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.errors import CommandRefused
from gateway.formats import signed
from gateway.store.lineage import DOUBTED

_AT_ONCE = 200  # entries a command: the machines wait while it is carried out
_REASONS = 10  # that the end names
_KINDS = (ExceptionKind.COUNTER, ExceptionKind.GAP)
_DOUBT = {
    True: "What the ERP has of them already would be booked twice: settle that part with --none first (--ids), and "
    "enter orders that were started since the backup (start-order --at).",
    False: "What the ERP doesn't have of them is lost then: settle that part with --as-proposed first (--ids).",
}

Json = Mapping[str, Any]
Parts = Sequence[Json]


class Wanted(NamedTuple):
    """Which entries are meant; empty: whichever."""

    code: str
    device: str | None = None
    signal: str | None = None
    ids: str | None = None

    def matches(self, record: ExceptionRecord) -> bool:
        """Tell whether an open entry is one of them."""
        device, signal = record.scope
        first, last = _range(self.ids)
        return (
            (record.kind in _KINDS and record.code == self.code)
            and self.device in (None, device)
            and self.signal in (None, signal)
            and first <= record.id <= last
        )


class Plan(NamedTuple):
    """The entries that are to be settled, each with its parts, and how many propose nothing and are left out."""

    entries: Sequence[tuple[ExceptionRecord, Parts]]
    left: int


def planned(records: Sequence[ExceptionRecord], wanted: Wanted, *, as_proposed: bool) -> Plan:
    """Return what is settled, as proposed or else as nothing."""
    found = [one for one in records if wanted.matches(one)]
    if not as_proposed:
        return Plan([(one, ()) for one in found], 0)
    proposed = [(one, parts) for one in found if (parts := detail(one).get("proposal"))]
    return Plan(proposed, len(found) - len(proposed))


def settle_all(
    config_dir: Path,
    wanted: Wanted,
    *,
    as_proposed: bool,
    reason: str,
    confirmed: bool,
    sign: Callable[[], Mapping[str, str] | None],
) -> None:
    """Show what is to be settled, have that confirmed unless it is, then signed; settle it and tell what came of it."""
    records = read_views(config_dir, lambda views: views.exceptions(ALL))
    plan = planned(records, wanted, as_proposed=as_proposed)
    if plan.left:
        typer.echo(f"{plan.left} entries propose nothing and are left out: settle them one by one")
    if not plan.entries:
        typer.echo("no open entry is like that: nothing is settled")
        return
    _show(plan, as_proposed=as_proposed)
    if not confirmed:
        typer.confirm(f"settle these {len(plan.entries)} entries?", abort=True)
    signature = sign()
    became: list[Json] = []
    try:
        with sending(config_dir) as give:
            became.extend(_settled(give, plan, reason, signature))
    finally:
        _tell(became)
    if open_still := sum(bool(one["refused"]) for one in became):
        raise CommandRefused(f"{open_still} entries stay open", "`gateway exceptions` lists them")


def _range(ids: str | None) -> tuple[int, int]:
    if ids is None:
        return 0, ALL * ALL
    said = re.fullmatch(r"(\d+)-(\d+)", ids)
    if said is None:
        raise typer.BadParameter(f"--ids {ids} is no range of entries; write FIRST-LAST, for example 5-204")
    return int(said[1]), int(said[2])


def _show(plan: Plan, *, as_proposed: bool) -> None:
    groups: defaultdict[tuple[str, str, str], list[ExceptionRecord]] = defaultdict(list)
    for record, parts in plan.entries:
        orders = " + ".join(one["order"] or "that ran then" for one in parts)
        groups[".".join(record.scope), orders or "–", record.uom].append(record)
    table = new_table("signal", "order", ">entries", ">units held", ">numbers")
    for (signal, orders, _), group in groups.items():
        table.add_row(signal, orders, str(len(group)), units(group), numbers(group))
    show(table)
    first = plan.entries[0][0]
    how = "booked as proposed" if as_proposed else "settled as nothing made"
    typer.echo(f"They will be {how}. Number {first.id}, for example: {plain(first.reason)}")
    if first.code == DOUBTED:
        typer.echo(_DOUBT[as_proposed])


def _settled(give: Give, plan: Plan, reason: str, signature: Mapping[str, str] | None) -> Iterator[Json]:
    """Settle part by part; yield what came of each entry."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("settling", total=len(plan.entries))
        for begin in range(0, len(plan.entries), _AT_ONCE):
            part = plan.entries[begin : begin + _AT_ONCE]
            holds = [{"exception": one.id, "seen": signed.held(one), "parts": parts} for one, parts in part]
            yield from give(command.SettleHolds, {"holds": holds, "reason": reason}, signature)
            progress.advance(task, len(part))


def _tell(became: Sequence[Json]) -> None:
    """Say what was posted, what waits for what, and what stays open for which reason."""
    parts = [part for one in became for part in one["parts"]]
    seqs = sorted({one["seq"] for one in parts if one["seq"] is not None})
    refused = Counter(one["refused"] for one in became if one["refused"])
    posted = f"; postings {seqs[0]} to {seqs[-1]}" if seqs else ""
    typer.echo(f"{len(became) - refused.total()} entries are settled{posted}")
    waits = Counter((one["exception"], one["waits"]) for one in parts if one["waits"])
    for (number, why), times in waits.most_common(_REASONS):
        typer.echo(f"  {times} × waiting in exception {number}: {plain(why)}")
    for why, times in refused.most_common(_REASONS):
        typer.echo(f"  {times} × still open: {plain(why)}")

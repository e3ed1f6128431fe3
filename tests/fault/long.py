"""`python -m tests.fault.long PART`: the fault tests for as long as it takes, each from a seed that it prints.

Exit code 1 when anything was lost or doubled, or didn't end clean; the folder with store, ledgers and logs is kept.
"""

import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.fault import syscalls
from tests.fault.chaos import Chaos
from tests.fault.full_disk import disk_of, full_disk
from tests.fault.runs import balance_of, cut_often, kill_often, powered
from tests.fault.syscalls import Result
from tests.harness.balance import assert_exact
from tests.harness.load import Load, Told
from tests.harness.site import Site, open_site

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
console = Console(highlight=False, soft_wrap=True)
_PLENTY = 100  # times what the example's order asks for and its stock holds
_NEW_SEED = 1_000_000
_SOME = 3  # points of each call

Seed = Annotated[int | None, typer.Option(help="repeats an earlier run's moments")]


@dataclass(slots=True)
class Part:
    """One part of the run, in a folder of its own."""

    site: Site
    seed: int
    progress: Progress
    total: int

    def told(self, name: str) -> Told:
        """Return what shows how far the part has come."""
        task = self.progress.add_task(name, total=self.total)
        return lambda done: self.progress.update(task, completed=done)


@contextmanager
def part(name: str, seed: int | None, total: int) -> Iterator[Part]:
    """Print the seed, run the block, print the result line; keep the folder and exit 1 when it fails."""
    seed = random.randrange(_NEW_SEED) if seed is None else seed
    root = Path(tempfile.mkdtemp(prefix=f"fault-{name}-"))
    console.print(f"{name}: seed {seed}, in {root}")
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    begun = time.monotonic()
    try:
        with open_site(root) as site, Progress(*columns, console=console) as progress:
            yield Part(site, seed, progress, total)
    except Exception:  # noqa: BLE001 - whatever it was, the part failed
        console.print_exception(show_locals=False)
        console.print(f"[red]FAIL[/] {name}: seed {seed}, {time.monotonic() - begun:.0f} s, kept in {root}")
        raise typer.Exit(1) from None
    console.print(f"[green]ok[/] {name}: seed {seed}, {time.monotonic() - begun:.0f} s")
    shutil.rmtree(root)


def loaded(one: Part, speed: float = 10) -> Load:
    """Return the line under load, with enough of everything for hours."""
    load = Load(one.site, speed=speed)
    load.plenty(_PLENTY)
    return load


@app.command()
def kills(count: int = 1000, seed: Seed = None) -> None:
    """Kill the gateway at random moments under load."""
    with part("kills", seed, count) as one:
        kill_often(loaded(one), count, one.seed, told=one.told("kills"))
        console.print(f"{count} kills: {balance_of(one.site)}")
        assert_exact(one.site)


@app.command()
def power(count: int = 100, seed: Seed = None) -> None:
    """Cut the power of the gateway's disk at random moments under load."""
    with part("power", seed, count) as one:
        disk = powered(one.site)
        load = loaded(one)
        lost = cut_often(load, disk, count, one.seed, told=one.told("power cuts"))
        load.end()
        console.print(f"{count} power cuts: acknowledged and not on the disk {lost}, {balance_of(one.site)}")
        assert not lost
        assert_exact(one.site)


@app.command("syscalls")
def injections(
    every: Annotated[bool, typer.Option("--every", help="every point, not some of each call")] = False,
    seed: Seed = None,
) -> None:
    """Kill the gateway, or let it meet a full or failing disk, at each write and sync call it makes."""
    for subject, prepared in syscalls.SUBJECTS.items():
        with part("syscalls", seed, 0) as one:
            postings = prepared(one.site)
            points = postings.points()
            chosen = points if every else syscalls.sample(points, random.Random(one.seed), _SOME)
            results = _told(syscalls.inject(postings, chosen), one, subject, len(chosen) * len(syscalls.FAULTS))
            console.print(_table(subject, results))


@app.command("chaos")
def mixed(hours: float = 1.0, seed: Seed = None) -> None:
    """Every fault by turns."""
    with part("chaos", seed, round(hours * 60)) as one:
        chaos = Chaos(one.site, one.seed)
        chaos.load.plenty(_PLENTY)
        chaos.load.begin()
        told, begun = one.told("minutes"), time.monotonic()
        while (minutes := (time.monotonic() - begun) / 60) < hours * 60:
            told(int(minutes))
            chaos.disturb()
        chaos.calm()
        chaos.load.end()
        console.print(", ".join(f"{times} {name}" for name, times in chaos.done.most_common()))
        console.print(f"{chaos.done.total()} faults: {balance_of(one.site)}")
        assert_exact(one.site)


@app.command("disk-full")
def full(minutes: float = 10.0, seed: Seed = None) -> None:
    """Keep the disk full while the machines run."""
    with part("disk-full", seed, 1) as one:
        disk = disk_of(one.site)
        load = loaded(one, speed=1)  # the small disk has to hold what waited, too
        told = one.told("full disk")
        load.begin()
        full_disk(load, disk, minutes * 60)
        told(1)
        load.end()
        console.print(f"{minutes:g} minutes of full disk: {balance_of(one.site)}")
        assert_exact(one.site)


@app.command("all")
def everything(seed: Seed = None, hours: float = 1.0) -> None:
    """Run one part after the other, as long as each takes; the first that fails ends it."""
    kills(seed=seed)
    power(seed=seed)
    injections(every=True, seed=seed)
    full(seed=seed)
    mixed(hours, seed)


def _told(results: Iterable[Result], one: Part, subject: str, total: int) -> list[Result]:
    """Take the results as they come, and show how many there are."""
    return list(one.progress.track(results, total=total, description=subject))


def _table(subject: str, results: list[Result]) -> Table:
    """Return how many points of each call were met by each fault; all that were met ended clean."""
    table = Table("call", *syscalls.FAULTS, title=f"{subject}: points faulted and clean / found")
    for call in dict.fromkeys(one.call for one in results):
        cells = (
            [one.reached for one in results if (one.call, one.fault) == (call, fault)] for fault in syscalls.FAULTS
        )
        table.add_row(call, *(f"{sum(cell)}/{len(cell)}" for cell in cells))
    return table


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended and unmounted
    app()

"""Durable triggers a second, as a ratio to a bare sqlite3 loop that writes the same rows.

    .venv/bin/python tests/benchmark/throughput.py [--rounds 7] [--dir FOLDER]

The same triggers with 8 BOM lines each, synchronous=FULL, into fresh stores:
  bare       prepared rows, one executemany a table a transaction, nothing else
  writer     Store.commit of prepared batches (rows are built from the domain's objects)
  pipeline   everything from sample to commit, a posting a trigger: counting, rule, engine, JSON, hash chain, commit
  cumulated  the pipeline with windows of 60 s, as a filler has them
Every round runs all of them, in alternating order; the ratio is that of the medians, because these machines are noisy.
"""

import argparse
import asyncio
import gc
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from gateway.counting.counter import Counter, Counts
from gateway.domain.bom import BillOfMaterial, BomOperation, Component
from gateway.domain.clock import ClockTrust, Instant
from gateway.domain.event import EventKind, SignalId
from gateway.domain.line import Cumulation
from gateway.domain.lot import LotKey, Owner, Staging
from gateway.domain.masterdata import MasterData
from gateway.domain.material import Item, Units
from gateway.domain.order import Order
from gateway.domain.quantity import Rounding
from gateway.domain.rule import TriggerRule
from gateway.pipeline.intake import IntakeQueue
from gateway.pipeline.model import LineModel, Point
from gateway.pipeline.pipeline import Pipeline
from gateway.pipeline.writer import Writer
from gateway.settings.snapshot import digest
from gateway.signals.sample import Sample, Scan
from gateway.store.batch import Batch
from gateway.store.log import PostingLog
from gateway.store.store import Store
from gateway.store.write import table_rows

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
SIGNAL = SignalId("FILLER-1", "good")
GROUPS = {1: 300, 100: 5000}  # postings a run, by postings a transaction
TARGETS = {("writer", 100): 0.8, ("writer", 1): 0.25, ("pipeline", 100): 0.35}
COMPONENTS = 8
MINUTE = Cumulation(window=timedelta(seconds=60), units=Decimal(2000))
ORDER = Owner("order", "100045")


class FixedClock:
    """A clock that stands still: what is measured reads no time."""

    def now(self) -> Instant:
        return Instant(NOW, 0, "boot")

    def trust(self) -> ClockTrust:
        return ClockTrust("assume", 0)


def line_model(cumulate: Cumulation | None = None) -> LineModel:
    items = [f"PART-{number}" for number in range(COMPONENTS)]
    bom = BillOfMaterial(
        bom="BOM",
        version="1",
        item="PRODUCT",
        base_quantity=Decimal(1000),
        uom="EA",
        operations=(BomOperation("0010", "EA", receipt=True),),
        components=tuple(
            Component(
                line=f"{number:04}",
                item=item,
                quantity=Decimal("1333.25"),
                uom="EA",
                operation="0010",
                component_scrap=Fraction(15, 1000),
                rounding=Rounding(3),
            )
            for number, item in enumerate(items)
        ),
        approved=True,
    )
    master = MasterData(
        hash=digest(b"{}"),  # the content that a model has where none is given
        items={name: Item(name, "EA") for name in (*items, "PRODUCT")},
        units=Units({}),
        boms={("BOM", "1"): bom},
        orders={"100045": Order("100045", "PRODUCT", Decimal(10**6), "EA", "L1", "BOM", "1", active=True)},
        stagings=tuple(
            Staging(f"{item}/{lot}", LotKey(ORDER, item, f"LOT-{lot}", "BIN"), Decimal(10**6), "EA", NOW)
            for item in items
            for lot in range(3)
        ),
    )
    rule = TriggerRule("fill-good", 1, SIGNAL, EventKind.GOOD_UNITS, "0010", fallback_active=True, cumulate=cumulate)
    point = Point(SIGNAL, "L1", Counter(Counts.GOOD, 2**32, Decimal(20)), rule=rule)
    return LineModel({SIGNAL: point}, master, {"L1": "100045"})


def scans(count: int) -> list[Scan]:
    """One unit a scan, a second apart; the first is the baseline."""
    return [
        Scan("FILLER-1", Instant(NOW + timedelta(seconds=n), n * 10**9, "boot"), (Sample("good", n),))
        for n in range(count + 1)
    ]


class Recorder:
    """Keeps what the pipeline commits, so that the other two write exactly the same."""

    def __init__(self, store: Store) -> None:
        self.batches: list[Batch] = []
        self._commit = store.commit
        store.commit = self.commit  # type: ignore[method-assign]

    async def commit(self, batch: Batch) -> None:
        self.batches.append(replace(batch))
        await self._commit(batch)


async def run_pipeline(
    path: Path, taken: list[Scan], group: int, *, cumulate: Cumulation | None = None, record: bool = False
) -> tuple[float, list[Batch]]:
    store = await Store.open(path, "BENCH")
    log = await PostingLog.open(path)
    try:
        intake = IntakeQueue(len(taken) + 1)
        pipeline = Pipeline(await Writer.load(store, log, FixedClock(), line_model(cumulate)), intake, batch=group)
        await pipeline.commands.activate_now(pipeline.writer.model)
        recorder = Recorder(store) if record else None
        for scan in taken:
            intake.offer(scan)
        pipeline.stop()  # it ends when everything that waits is committed
        seconds = await _timed(pipeline.run)
        return seconds, recorder.batches if recorder else []
    finally:
        await log.close()
        await store.close()


async def run_writer(path: Path, batches: list[Batch]) -> float:
    store = await Store.open(path, "BENCH")

    async def commit_all() -> None:
        for batch in batches:
            await store.commit(batch)

    try:
        return await _timed(commit_all)
    finally:
        await store.close()


async def run_bare(path: Path, batches: list[Batch]) -> float:
    store = await Store.open(path, "BENCH")  # only for its schema
    await store.close()
    prepared = [[(insert.one, rows) for insert, rows in table_rows(batch)] for batch in batches]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")

        async def write_all() -> None:
            for tables in prepared:
                connection.execute("BEGIN IMMEDIATE")
                for statement, rows in tables:
                    connection.executemany(statement, rows)
                connection.execute("COMMIT")

        return await _timed(write_all)


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    gc.collect()
    begun = time.perf_counter()
    await work()
    return time.perf_counter() - begun


async def measure(folder: Path, group: int, rounds: int) -> dict[str, list[float]]:
    """Return triggers a second of each way and round."""
    count = GROUPS[group]
    taken = scans(count)
    _, batches = await run_pipeline(folder / "reference.db", taken, group, record=True)
    ways: dict[str, Callable[[Path], Awaitable[float]]] = {
        "bare": lambda path: run_bare(path, batches),
        "writer": lambda path: run_writer(path, batches),
        "pipeline": lambda path: _seconds(run_pipeline(path, taken, group)),
        "cumulated": lambda path: _seconds(run_pipeline(path, taken, group, cumulate=MINUTE)),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for number in track(range(rounds), description=f"groups of {group}"):
        order = list(ways.items())
        for name, way in order if number % 2 else reversed(order):
            rates[name].append(count / await way(folder / f"{group}-{number}-{name}.db"))
    return rates


async def _seconds(result: Awaitable[tuple[float, list[Batch]]]) -> float:
    return (await result)[0]


def report(group: int, rates: dict[str, list[float]]) -> Table:
    table = Table(title=f"groups of {group}, {COMPONENTS} BOM lines a trigger, synchronous=FULL")
    for column in ("", "triggers/s (median)", "min", "max", "ratio to bare", "target"):
        table.add_column(column, justify="right")
    bare = statistics.median(rates["bare"])
    for name, found in rates.items():
        median = statistics.median(found)
        target = TARGETS.get((name, group))
        wanted = f"≥ {target}" if target else ""
        shown = (f"{one:,.0f}" for one in (median, min(found), max(found)))
        table.add_row(name, *shown, f"{median / bare:.2f}", wanted)
    return table


async def main(rounds: int, directory: Path | None) -> None:
    console = Console()
    with tempfile.TemporaryDirectory(dir=directory) as name:
        for group in GROUPS:
            folder = Path(name) / str(group)
            folder.mkdir()
            console.print(report(group, await measure(folder, group, rounds)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="paired rounds")
    parser.add_argument("--dir", type=Path, help="where the stores are written; default: the temporary folder")
    options = parser.parse_args()
    asyncio.run(main(options.rounds, options.dir))

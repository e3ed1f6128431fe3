"""Weeks without the network: how memory and commits stay while the backlog grows, and how fast it drains afterwards.

    .venv/bin/python tests/benchmark/backlog.py [--days 30] [--each] [--dir FOLDER]

A case a second with its bottles, carton and label, synchronous=FULL, nobody pulls. A minute's cases make a posting, as
the example's filler has it, or with --each every case one of its own. The
pipeline takes what waits in groups of 200; every twentieth of the way 200 cases are taken one by one and timed, as they
would be at the line, each beside a bare commit of one row: `ratio`. Then the dispatcher pushes all of it over HTTP to
the simulated ERP, a process of its own that books durably, and how many it booked, and which, is compared.
"""

import argparse
import asyncio
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from rich.console import Console

from gateway.counting.counter import Counter, Counts
from gateway.domain.bom import BillOfMaterial, BomOperation, Component
from gateway.domain.clock import ClockTrust, Instant
from gateway.domain.event import EventKind, SignalId
from gateway.domain.line import Cumulation
from gateway.domain.lot import LotKey, Owner, Staging
from gateway.domain.masterdata import MasterData
from gateway.domain.material import Item, Units
from gateway.domain.order import Order
from gateway.domain.rule import TriggerRule
from gateway.pipeline.intake import IntakeQueue
from gateway.pipeline.model import LineModel, Point
from gateway.pipeline.pipeline import Pipeline
from gateway.pipeline.writer import Writer
from gateway.settings.snapshot import digest
from gateway.signals.sample import Sample, Scan
from gateway.sinks.http import HttpSink, HttpSinkSettings
from gateway.store.batch import ConsumerKey, ConsumerKind
from gateway.store.log import PostingLog
from gateway.store.store import Registration, Store
from gateway.sync.dispatcher import Dispatcher

BEGIN = datetime(2026, 11, 21, 10, tzinfo=UTC)
DAY = 86_400
SIGNAL = SignalId("PACKER-1", "sealed")
GROUP = 200
MINUTE = Cumulation(window=timedelta(seconds=60))
PARTS = 20
SAMPLED = 200  # commits of one case that are timed in each part
ITEMS = {"BOTTLE": "12", "CARTON": "1", "LABEL": "1"}
ROOT = Path(__file__).parents[2]
SINK = ConsumerKey(ConsumerKind.SINK, "erp")


class SimulatedClock:
    """Goes on by a second with each case."""

    def __init__(self) -> None:
        self.second = 0

    def now(self) -> Instant:
        return moment(self.second)

    def trust(self) -> ClockTrust:
        return ClockTrust("assume", 0)

    def believe(self) -> None:
        """It is believed anyway."""


def moment(second: int) -> Instant:
    return Instant(BEGIN + timedelta(seconds=second), second * 10**9, "boot")


def scan(second: int) -> Scan:
    return Scan(SIGNAL.device, moment(second), (Sample(SIGNAL.signal, second),))


def line_model(cases: int, cumulate: Cumulation | None) -> LineModel:
    order = Owner("order", "100045")
    components = tuple(
        Component(line=f"{number:04}", item=item, quantity=Decimal(quantity), uom="EA", operation="0010")
        for number, (item, quantity) in enumerate(ITEMS.items(), 1)
    )
    operations = (BomOperation("0010", "EA", Fraction(1), receipt=True),)
    bom = BillOfMaterial(
        bom="CASE",
        version="1",
        item="CASE",
        base_quantity=Decimal(1),
        uom="EA",
        operations=operations,
        components=components,
        approved=True,
    )
    master = MasterData(
        hash=digest(b"{}"),  # the content that a model has where none is given
        items={name: Item(name, "EA") for name in (*ITEMS, "CASE")},
        units=Units({}),
        boms={("CASE", "1"): bom},
        orders={"100045": Order("100045", "CASE", Decimal(cases), "EA", "L1", "CASE", "1", active=True)},
        stagings=tuple(
            Staging(f"{item}/{lot}", LotKey(order, item, f"LOT-{lot}", "BIN"), Decimal(quantity) * cases, "EA", BEGIN)
            for item, quantity in ITEMS.items()
            for lot in range(2)
        ),
    )
    rule = TriggerRule("case-sealed", 1, SIGNAL, EventKind.GOOD_UNITS, "0010", fallback_active=True, cumulate=cumulate)
    point = Point(SIGNAL, "L1", Counter(Counts.GOOD, 2**32, Decimal(20)), rule=rule)
    return LineModel({SIGNAL: point}, master, {"L1": "100045"})


def resident() -> float:
    """Return the process's resident memory in MB."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def bare_store(path: Path) -> sqlite3.Connection:
    """Return a database of one row with the store's own durability: what a commit costs here and now."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, body BLOB)")
    return connection


class Buildup:
    """The weeks without the network."""

    def __init__(self, pipeline: Pipeline, clock: SimulatedClock, yardstick: sqlite3.Connection) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._yardstick = yardstick

    async def run(self, cases: int) -> None:
        """Count every case; print how it goes."""
        for _ in range(PARTS):
            await self._part(cases // PARTS)

    async def _part(self, cases: int) -> None:
        begun, single, bare = time.perf_counter(), [], []
        for _ in range(SAMPLED):  # side by side: these machines are noisy
            single.append(await self._timed(1))
            bare.append(self._bare())
        for done in range(SAMPLED, cases, GROUP):
            await self._timed(min(GROUP, cases - done))
        rate = cases / (time.perf_counter() - begun)
        median, control = statistics.median(single) * 1000, statistics.median(bare) * 1000
        row = (self._clock.second / DAY, resident(), median, median / control, rate)
        Console(highlight=False).print("{:5.1f} d  {:7.0f} MB  {:7.2f} ms  {:7.2f}  {:7,.0f}/s".format(*row))

    def _bare(self) -> float:
        """Commit one row the size of a posting to a database that stays small; return its seconds."""
        begun = time.perf_counter()
        self._yardstick.execute("REPLACE INTO row VALUES (1, randomblob(2000))")
        return time.perf_counter() - begun

    async def _timed(self, cases: int) -> float:
        """Let so many cases come in one turn; return its seconds, commit included."""
        for _ in range(cases):
            self._clock.second += 1
            await self._pipeline.intake.put(scan(self._clock.second))
        begun = time.perf_counter()
        await self._pipeline._turn()
        return time.perf_counter() - begun


@asynccontextmanager
async def erp(folder: Path) -> AsyncIterator[str]:
    """Run the simulated ERP; yield where it listens."""
    command = (sys.executable, "-m", "simulators", "erp", "--dir", str(folder))
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout
        while b"ready" not in await process.stdout.readline():
            pass
        ports = (folder / "ports.json").read_text("utf-8")
        yield ports.partition('"url": "')[2].partition('"')[0]
    finally:
        process.terminate()
        await process.wait()


async def drain(log: PostingLog, pipeline: Pipeline, url: str) -> float:
    """Push everything; return the seconds."""
    settings = HttpSinkSettings(sink=SINK.name, kind="http", url=url, batch=1000)
    sink = HttpSink(settings)
    running = asyncio.create_task(pipeline.run())
    pushing = asyncio.create_task(Dispatcher(settings, sink, log, pipeline.commands).run())
    last, begun, shown = pipeline.writer.state.head.seq, time.perf_counter(), time.perf_counter()
    while (through := await pipeline.writer.watermark(SINK)) < last:
        await asyncio.sleep(1)
        if time.perf_counter() - shown > 60:
            shown = time.perf_counter()
            Console().print(f"drained {through:,} of {last:,}, {resident():.0f} MB", highlight=False)
    seconds = time.perf_counter() - begun
    pipeline.stop()
    pushing.cancel()
    with suppress(asyncio.CancelledError):
        await pushing
    await running
    await sink.close()
    return seconds


def booked(folder: Path) -> tuple[int, int, int]:
    """Return how many postings the ERP booked, the first and the last seq."""
    with closing(sqlite3.connect(folder / "erp.db")) as database:
        found: tuple[int, int, int] = database.execute("SELECT count(*), min(seq), max(seq) FROM booking").fetchone()
        return found


async def main(days: float, *, each: bool, directory: Path | None) -> None:
    console = Console(highlight=False)
    cases = int(days * DAY)
    with tempfile.TemporaryDirectory(dir=directory) as name:
        folder, clock = Path(name), SimulatedClock()
        path = folder / "store.db"
        store = await Store.open(path, "BENCH")
        await store.register([Registration(SINK, required=True)], BEGIN)
        log = await PostingLog.open(path)
        pipeline = Pipeline(
            await Writer.load(store, log, clock, line_model(cases, None if each else MINUTE)), IntakeQueue()
        )
        await pipeline.commands.activate_now(pipeline.writer.model)
        await pipeline.intake.put(scan(0))
        await pipeline._turn()
        console.print("  after      memory     commit    ratio     rate")
        begun = time.perf_counter()
        with closing(bare_store(folder / "bare.db")) as yardstick:
            await Buildup(pipeline, clock, yardstick).run(cases)
        built = time.perf_counter() - begun
        posted = pipeline.writer.state.head.seq
        console.print(
            f"{cases:,} triggers, {posted:,} postings in {built:,.0f} s, store {path.stat().st_size / 2**30:.2f} GiB"
        )
        async with erp(folder / "erp") as url:
            seconds = await drain(log, pipeline, url)
        times = cases / seconds
        console.print(f"drained in {seconds:,.0f} s: {times:,.0f} × real time (target 50)")
        console.print(f"the ERP booked {booked(folder / 'erp')}, expected {(posted, 1, posted)}")
        await log.close()
        await store.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=float, default=30, help="of one case a second")
    parser.add_argument("--dir", type=Path, help="where stores and books are written; default: the temporary folder")
    parser.add_argument("--each", action="store_true", help="a posting a case, instead of one a minute")
    options = parser.parse_args()
    asyncio.run(main(options.days, each=options.each, directory=options.dir))

"""How long the whole verification takes, and the one since the last checkpoint, after an hour's work.

    .venv/bin/python tests/benchmark/verify.py [--postings 200000] [--hour 3600] [--dir FOLDER]

A store of so many postings, a trigger and 8 BOM lines each, made by the pipeline; signed; then an hour at 1 event/s.
"""

import argparse
import asyncio
import importlib.util
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from types import ModuleType

from rich.console import Console

from gateway.domain.clock import ClockTrust, Instant
from gateway.formats.canonical import Place
from gateway.pipeline.intake import IntakeQueue
from gateway.pipeline.pipeline import Pipeline
from gateway.pipeline.writer import Writer
from gateway.signals.sample import Sample, Scan
from gateway.store import checkpoints
from gateway.store.findings import Report
from gateway.store.log import PostingLog
from gateway.store.signing import signing_key
from gateway.store.store import ScratchStore
from gateway.store.verify import verify

_GROUP = 500  # scans in one batch


def _throughput() -> ModuleType:
    """Return the other benchmark, which has the line; the folder is no package."""
    spec = importlib.util.spec_from_file_location("throughput", Path(__file__).with_name("throughput.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["throughput"] = module
    spec.loader.exec_module(module)
    return module


line = _throughput()


async def make(path: Path, first: int, last: int) -> None:
    """Post the units from `first` to `last`, a second apart."""
    store = await ScratchStore.found(path, "BENCH", "BENCH")
    log = await PostingLog.open(path)
    try:
        intake = IntakeQueue(last - first + 2)
        pipeline = Pipeline(await Writer.load(store, log, line.FixedClock(), line.line_model()), intake, batch=_GROUP)
        await pipeline.commands.activate_now(pipeline.writer.model)
        for number in range(first, last + 1):
            at = Instant(line.NOW + timedelta(seconds=number), number * 10**9, "boot")
            intake.offer(Scan("FILLER-1", at, (Sample("good", number),)))
        pipeline.stop()
        await pipeline.run()
    finally:
        await log.close()
        await store.close()


async def sign(path: Path, report: Report) -> float:
    """Sign what was verified; return how many seconds the writer was busy with it."""
    key = signing_key(path)
    store = await ScratchStore.found(path, "BENCH", "BENCH")
    try:
        place = Place("BENCH", store.store, line.NOW, ClockTrust("assume", 0))
        await store.transact(lambda raw: checkpoints.introduce(raw, key, place))
        assert report.reached, [one for one in report.checks if not one.ok]
        prepared = checkpoints.prepare(path, report.reached, key, place)
        begun = time.perf_counter()
        await store.transact(lambda raw: checkpoints.write(raw, prepared))
        return time.perf_counter() - begun
    finally:
        await store.close()


def timed(path: Path, *, since: bool) -> tuple[float, Report]:
    begun = time.perf_counter()
    report = verify(path, since_checkpoint=since)
    return time.perf_counter() - begun, report


async def main(postings: int, hour: int, directory: Path | None) -> None:
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(dir=directory) as folder:
        path = Path(folder) / "bench.db"
        await make(path, 0, postings)
        whole, report = timed(path, since=False)
        console.print(
            f"{postings} postings, {path.stat().st_size / 1e6:.0f} MB: everything {whole:.1f} s, "
            f"{1000 * whole / postings:.3f} ms a posting"
        )
        console.print(f"signed: the writer was busy for {1000 * await sign(path, report):.1f} ms")
        await make(path, postings, postings + hour)
        since, report = timed(path, since=True)
        assert report.ok, report
        assert report.since, report
        console.print(f"an hour later ({hour} postings): since the checkpoint {since:.2f} s, ratio {since / whole:.4f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postings", type=int, default=200_000, help="in the store")
    parser.add_argument("--hour", type=int, default=3600, help="behind the checkpoint")
    parser.add_argument("--dir", type=Path, help="where the store is written; default: the temporary folder")
    options = parser.parse_args()
    asyncio.run(main(options.postings, options.hour, options.dir))

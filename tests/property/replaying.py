"""What a store recorded, done again over an empty one."""

from pathlib import Path

import orjson

from gateway.pipeline import recording
from gateway.pipeline.replay import Entry, RecordedClock, Replay, units
from gateway.pipeline.writer import Writer
from gateway.store.log import PostingLog
from gateway.store.recorded import recording as recorded
from gateway.store.store import ScratchStore
from tests.unit.pipeline.plant import Plant


async def lines_of(plant: Plant) -> list[dict]:
    """Return the recording as it comes out of its file."""
    lines = await plant.store._connection.run(lambda raw: list(recorded(raw)))
    return [orjson.loads(orjson.dumps(one)) for one in lines]


async def replayed(plant: Plant, path: Path) -> list[bytes]:
    """Return the postings of the plant's recording."""
    header, *lines = await lines_of(plant)
    entries = [Entry(number, one.pop("kind"), one) for number, one in enumerate(lines, 2)]
    happened = list(units(one for one in entries if one.kind not in ("snapshot", "end")))
    clock = RecordedClock(happened[0])
    store = await ScratchStore.found(path, header["gateway"], header["store"])
    log = await PostingLog.open(path)
    try:
        writer = await Writer.load(store, log, clock, plant.model)
        master = plant.model.master
        again = Replay(
            writer,
            clock,
            lambda content: recording.read_activation(content, master, plant.model.snapshot),
            as_recorded=True,
        )
        await again.run(happened)

        assert [] == again.warnings

        page = await log.page(0, None, 1_000_000)
        return [one.body for one in page.documents]
    finally:
        await log.close()
        await store.close()

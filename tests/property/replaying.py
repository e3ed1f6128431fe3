"""What a store recorded, done again over an empty one."""

from collections.abc import Mapping
from pathlib import Path

import orjson

from gateway.domain.masterdata import MasterData
from gateway.pipeline import recording
from gateway.pipeline.model import LineModel
from gateway.pipeline.replay import Entry, Models, RecordedClock, Replay, units
from gateway.pipeline.writer import Writer
from gateway.store.log import PostingLog
from gateway.store.recorded import recording as recorded
from tests.property.direct import DirectScratchStore
from tests.unit.pipeline.plant import Plant


async def lines_of(plant: Plant) -> list[dict]:
    """Return the recording as it comes out of its file."""
    lines = await plant.store._connection.run(lambda raw: list(recorded(raw)))
    return [orjson.loads(orjson.dumps(one)) for one in lines]


async def replayed(
    plant: Plant, path: Path, seen: dict | None = None, masters: Mapping[str, MasterData] | None = None
) -> list[bytes]:
    """Return the postings of the plant's recording, done again as it was recorded; `seen` gets what is open then."""
    masters = masters or {plant.model.master.hash: plant.model.master}

    def model_of(content) -> LineModel:
        return recording.read_activation(content, masters[content["master_data"]], plant.model.snapshot)

    bodies, warnings = await _replayed(plant, path, model_of, seen, as_recorded=True)

    assert [] == warnings

    return bodies


async def replayed_with(plant: Plant, model: LineModel, path: Path) -> tuple[list[dict], list[str]]:
    """Return the postings that the model makes of the plant's recording, and the warnings."""
    bodies, warnings = await _replayed(plant, path, lambda _: model, None, as_recorded=False)
    return [orjson.loads(one) for one in bodies], warnings


async def _replayed(plant: Plant, path: Path, model_of: Models, seen: dict | None, *, as_recorded: bool):
    header, *lines = await lines_of(plant)
    entries = [Entry(number, one.pop("kind"), one) for number, one in enumerate(lines, 2)]
    happened = list(units(one for one in entries if one.kind not in ("snapshot", "end")))
    clock = RecordedClock(happened[0])
    store = await DirectScratchStore.found(path, header["gateway"], header["store"])
    log = await PostingLog.open(path)
    try:
        writer = await Writer.load(store, log, clock, plant.model)
        again = Replay(writer, clock, model_of, as_recorded=as_recorded)
        await again.run(happened)
        if seen is not None:
            seen.update(exceptions=writer.state.exceptions, tallies=writer.state.tallies)
        page = await log.page(0, None, 1_000_000)
        return [one.body for one in page.documents], again.warnings
    finally:
        await log.close()
        await store.close()

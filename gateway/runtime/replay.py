"""`gateway replay` without its tables: a recording's file, the configuration it runs under, a store for its outcome."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import orjson

from gateway.domain.lot import Staging
from gateway.domain.masterdata import MasterData
from gateway.errors import DataError
from gateway.pipeline import recording
from gateway.pipeline.model import LineModel
from gateway.pipeline.replay import Entry, RecordedClock, Replay, Unit, check, units
from gateway.pipeline.writer import Writer
from gateway.runtime.line_model import line_model
from gateway.settings.load import Config
from gateway.settings.snapshot import encoded, read_snapshot
from gateway.store.log import PostingLog
from gateway.store.recorded import FORMAT, Missing
from gateway.store.store import ScratchStore

Json = Mapping[str, Any]
_COMPARED = ("master_data", "active_orders", "rules")


@dataclass(slots=True)
class Recording:
    """A recording that was read once, line by line: nothing of it is kept but what the replay has to know before."""

    file: Path
    gateway: str
    store: str
    missing: Missing
    snapshots: dict[str, bytes] = field(default_factory=dict)  # master data by hash
    activation: Json | None = None  # the last one
    stagings: dict[str, Staging] = field(default_factory=dict)  # those that came with activations

    def units(self) -> Iterator[Unit]:
        """Yield the units of work."""
        return units(entry for entry in _entries(self.file) if entry.kind not in {"snapshot", "end"})


def read_recording(file: Path) -> Recording:
    """Return the recording after reading all of it; DataError with `file:line` where a line can't be used."""
    header = _header(file)
    found = Recording(file, header["gateway"], header["store"], Missing(**header["missing"]))
    count, end = 0, None
    for entry in _entries(file):
        if entry.kind == "end":
            end = entry.content["events_and_inputs"]
        elif entry.kind == "snapshot":
            found.snapshots[entry.content["hash"]] = encoded(entry.content["content"])
        else:
            _check(file, entry)
            _note(found, entry)
            count += 1
    if end != count:
        said = "doesn't say how many" if end is None else f"says {end}"
        raise DataError(
            f"{file} is cut off: {count} events and inputs are there, its last line {said}", "record it again"
        )
    return found


def _check(file: Path, entry: Entry) -> None:
    try:
        check(entry)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file}:{entry.line}: this is no {entry.kind} as it is recorded: {error!r}") from error


def _note(found: Recording, entry: Entry) -> None:
    if entry.kind == "activation":
        found.activation = entry.content
        found.stagings.update((one.staging, one) for one in recording.read_stagings(entry.content))


def _header(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as lines:
            header = orjson.loads(lines.readline())
    except OSError as error:
        raise DataError(f"{file} can't be read: {error.strerror}") from error
    except orjson.JSONDecodeError:
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise DataError(
            f"{file}:1: this is no recording: its first line has to say format {FORMAT}", "`gateway record`"
        )
    return header


def _entries(file: Path) -> Iterator[Entry]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if number > 1:
                yield _entry(file, number, line)


def _entry(file: Path, number: int, line: bytes) -> Entry:
    try:
        content = orjson.loads(line)
        return Entry(number, content.pop("kind"), content)
    except (orjson.JSONDecodeError, KeyError, AttributeError, TypeError) as error:
        hint = "" if line.endswith(b"\n") else "the file is cut off: record it again"
        raise DataError(f"{file}:{number}: this is no line of a recording", hint) from error


async def replay(config: Config, recorded: Recording, path: Path) -> list[str]:
    """Make a store at `path` of the recording under that configuration; return what it can't take, line by line.

    A configuration with the rules, master data and active orders that were in force at the recording's end is the
    recorded one: then each recorded activation puts in force what it put in force then, stagings included, and the
    postings are the recorded ones, byte for byte. Any other one is in force throughout, instead of all that were
    recorded, and nobody has to sign it; the stagings that came with recorded activations were transfers all the
    same and are applied when they were, and those that only the configuration has at the beginning.
    """
    model = line_model(config)
    as_recorded = not recorded.missing and _same(model, recorded.activation)
    every = recorded.units()
    first = next(every, None)
    if first is None:
        raise DataError(f"{recorded.file} has nothing to replay", "nothing had happened when it was recorded")
    clock = RecordedClock(first)
    store = await ScratchStore.found(path, recorded.gateway, recorded.store)
    try:
        log = await PostingLog.open(path)
        try:
            writer = await Writer.load(store, log, clock, model)
            models = _AsRecorded(recorded) if as_recorded else _Throughout(recorded, model)
            running = Replay(writer, clock, models, as_recorded=as_recorded)
            if not _is_beginning(first):
                await running.begin()
            await running.run(chain((first,), every))
        finally:
            await log.close()
    finally:
        await store.close()
    return running.warnings


def _is_beginning(first: Unit) -> bool:
    """Tell whether nothing came before: the first configuration, or the key that a new store chains before that."""
    return first.kind == "activation" or (first.kind == "entry" and first.entries[0].content["name"] == "key")


def _same(model: LineModel, last: Json | None) -> bool:
    now = orjson.loads(recording.dumped(recording.activation(model, ())))
    return last is not None and all(now[name] == last[name] for name in _COMPARED)


class _AsRecorded:
    """The configurations that were in force."""

    def __init__(self, recorded: Recording) -> None:
        self._recorded = recorded
        self._masters: dict[str, MasterData] = {}

    def __call__(self, activation: Json) -> LineModel:
        name = activation["master_data"]
        snapshot = self._recorded.snapshots.get(name)
        if snapshot is None:
            raise DataError(f"{self._recorded.file} has no snapshot of master data {name}", "record it again")
        master = self._masters.setdefault(name, read_snapshot(snapshot))
        return recording.read_activation(activation, master, snapshot)


class _Throughout:
    """One configuration instead of all that were recorded."""

    def __init__(self, recorded: Recording, model: LineModel) -> None:
        own = {one.staging: one for one in model.master.stagings}
        self._model = replace(model, activated=True, regulated=False)
        self._own = own
        self._first = [one for one in own.values() if one.staging not in recorded.stagings]

    def __call__(self, activation: Json) -> LineModel:
        then = recording.read_stagings(activation) if activation else ()
        stagings = (*self._first, *(self._own.get(one.staging, one) for one in then))
        self._first = []
        return replace(self._model, master=replace(self._model.master, stagings=stagings))

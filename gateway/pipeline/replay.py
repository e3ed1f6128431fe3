"""Recorded events and inputs through the same functions again, at the moments they had: a replay has no other input.

A recording is a sequence of units of work, each of them one commit at one tick of the clock: scans (what they
reported, without how it was read and counted), a command, an activation, or something that waited and was tried again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from gateway.counting.messages import Gap
from gateway.domain.clock import ClockTrust, Instant
from gateway.domain.event import NO_UNITS, Event, EventKind, SignalId
from gateway.domain.quantity import ZERO
from gateway.errors import CommandRefused
from gateway.pipeline import baselines, documents, gaps, meant, notices, occurrences, recording
from gateway.pipeline.commands import HANDLERS, CommandDesk, Desk, configuration, letters
from gateway.pipeline.model import LineModel, Point
from gateway.pipeline.occurrences import Transfers
from gateway.pipeline.posting import book, hold_event
from gateway.pipeline.recording import Given
from gateway.pipeline.working_copy import WorkingCopy
from gateway.pipeline.writer import Writer
from gateway.store.batch import EventRow
from gateway.store.recorded import read_event

Json = Mapping[str, Any]
Models = Callable[[Json], LineModel]  # the model of a recorded activation


class Entry(NamedTuple):
    """A line of the recording, by its number there."""

    line: int
    kind: str
    content: Json


class Unit(NamedTuple):
    """What was committed together; `retried` is the exception that was tried again, and then there is nothing else."""

    at: datetime
    trust: ClockTrust
    retried: int | None
    entries: tuple[Entry, ...]

    @property
    def kind(self) -> str:
        """`retry`, `command`, `activation`, `entry` (what came of a dead letter or a refused posting), or `scans`."""
        if self.retried is not None:
            return "retry"
        first = self.entries[0].kind if self.entries else ""
        return first if first in {"command", "activation", "entry"} else "scans"


def units(entries: Iterable[Entry]) -> Iterator[Unit]:
    """Yield the units of work; what stands before the first tick is one of its own, at that tick."""
    tick: Json | None = None
    gathered: list[Entry] = []
    for entry in entries:
        if entry.kind != "tick":
            gathered.append(entry)
            continue
        if tick is not None or gathered:
            yield _unit(tick or _without_retry(entry.content), gathered)
        tick, gathered = entry.content, []
    if tick is not None:
        yield _unit(tick, gathered)


def _unit(tick: Json, entries: list[Entry]) -> Unit:
    return Unit(*recording.read_tick(tick), tick.get("retried"), tuple(entries))


def _without_retry(tick: Json) -> Json:
    return {name: value for name, value in tick.items() if name != "retried"}


class RecordedClock:
    """Implements Clock: it stands still until the next unit of work."""

    def __init__(self, first: Unit) -> None:
        self.turn_to(first)

    def turn_to(self, unit: Unit) -> None:
        """Show the moment of that unit of work."""
        self._now = Instant(unit.at, 0, "recorded")
        self._trust = unit.trust

    def now(self) -> Instant:
        """Return the recorded moment."""
        return self._now

    def trust(self) -> ClockTrust:
        """Return why the clock was believed then."""
        return self._trust

    def believe(self) -> None:
        """Nothing changes: what became of it is recorded."""


class Replay:
    """Feeds a recording to a writer over an empty store; `warnings` says what of it this configuration can't take.

    `as_recorded`: the configurations are those that were in force, so everything happens again as it did, byte for
    byte; what waited is tried when it was. Otherwise it is tried whenever the daemon would have, and commands that
    name a posting or an entry by its number mean the one that this configuration made of the same events.
    """

    def __init__(self, writer: Writer, clock: RecordedClock, models: Models, *, as_recorded: bool) -> None:
        self._writer = writer
        self._clock = clock
        self._models = models
        self._as_recorded = as_recorded
        self._commands = CommandDesk(writer, lambda: None, HANDLERS)
        if as_recorded:
            self._commands.desk = _ObedientDesk(writer)
        self._unknown: dict[SignalId, list[int]] = {}
        self._refused: list[str] = []

    @property
    def warnings(self) -> list[str]:
        """What was left out or refused, with the first line of it."""
        unknown = [
            f"line {lines[0]}: {signal} is no signal of this configuration; left out are {len(lines)} lines of it"
            for signal, lines in self._unknown.items()
        ]
        return [*unknown, *self._refused]

    async def run(self, recorded: Iterable[Unit]) -> None:
        """Do everything again; StoreError where the store breaks."""
        for unit in recorded:
            self._clock.turn_to(unit)
            self._writer.tick()
            await self._do(unit)

    async def _do(self, unit: Unit) -> None:
        if unit.kind in {"scans", "entry"}:
            await self._take(unit)
        elif unit.kind == "command":
            await self._execute(unit.entries[0])
        elif unit.kind == "activation":
            await self._activate(unit.entries[0])
        elif self._as_recorded and unit.retried is not None:
            await self._commands.desk.retry_once(unit.retried)

    async def begin(self) -> None:
        """Put a configuration in force before the first unit of work: the recording has lost its beginning."""
        await self._activate(Entry(1, "activation", {}))

    async def _activate(self, entry: Entry) -> None:
        try:
            await configuration.activate(self._commands.desk, self._models(entry.content))
        except CommandRefused as refusal:
            self._refuse(entry, "activation", refusal)

    async def _execute(self, entry: Entry) -> None:
        given = recording.read_command(entry.content)
        if given.refused:  # before it came to its handler
            await self._commands.audit_now(*given)
            return
        try:
            await self._commands.execute_now(await self._meant(entry, given), given.author)
        except CommandRefused as refusal:
            if not self._as_recorded:
                self._refuse(entry, type(given.command).__name__, refusal)

    async def _meant(self, entry: Entry, given: Given) -> Any:
        if self._as_recorded:
            return given.command
        return await meant.meant(self._writer, given.command, entry.content.get("about") or {})

    async def _take(self, unit: Unit) -> None:
        """Close what is due and take what was reported, in one transaction, as the pipeline does."""
        work = self._writer.working_copy()
        told = unit.entries
        if unit.kind == "scans":
            documents.close_due(work)
        else:
            letters.note(work, **told[0].content)
            told = told[1:]
        taken = list(self._of_known_signals(told))
        rows = {entry.line: _as_configured(point, entry) for entry, point in taken if entry.kind == "event"}
        happened = [(rows[entry.line].event, point.line) for entry, point in taken if entry.line in rows]
        known = await occurrences.look_up(self._writer.store, happened)
        for entry, point in taken:
            if entry.kind == "event":
                self._report(work, entry, point, rows[entry.line], known)
            else:
                _TOLD[entry.kind](work, entry.content)
        await self._writer.finish(work)
        if work.retry:
            await self._commands.retry_all()

    def _of_known_signals(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, Point]]:
        for entry in entries:
            signal = SignalId(entry.content["device"], entry.content["signal"])
            point = self._writer.model.points.get(signal)
            if point is None:
                self._unknown.setdefault(signal, []).append(entry.line)
            else:
                yield entry, point

    def _report(self, work: WorkingCopy, entry: Entry, point: Point, row: EventRow, known: Transfers) -> None:
        event = row.event
        if row.hold is not None:
            work.add_event(event, row.verdict, row.content_hash, row.hold)
            hold_event(work, event, *row.hold)
        elif event.kind not in NO_UNITS:
            book(work, point, event, row.verdict, row.content_hash)
        else:
            try:
                occurrences.occur(work, event, point.line, known)
            except CommandRefused as refusal:
                self._refuse(entry, str(event.kind), refusal)
            else:
                work.add_event(event, row.verdict, row.content_hash)

    def _refuse(self, entry: Entry, what: str, refusal: CommandRefused) -> None:
        self._refused.append(f"line {entry.line}: {what} is refused: {refusal}")


class _ObedientDesk(Desk):
    """Tries nothing again by itself: what was tried is recorded, and a crash may have come before it."""

    async def retry_all(self) -> None:
        """Leave it to the recording."""

    async def retry(self, number: int) -> None:
        """Leave it to the recording."""


def _as_configured(point: Point, entry: Entry) -> EventRow:
    """Return the event as the configuration sees its signal: another rule may call its units something else."""
    row = read_event(entry.content)
    if point.rule is None or row.hold is not None:
        return row
    return row._replace(event=row.event._replace(kind=point.kind))


def _tell_of_gap(work: WorkingCopy, content: Json) -> None:
    signal, uom, at, missing = recording.read_gap(content)
    note = gaps.came_late if content["late"] else gaps.lost
    note(work, _stub(signal, uom, at), missing)


def _stub(signal: SignalId, uom: str, at: datetime) -> Event:
    """Return what a gap needs of the event that showed it."""
    return Event(signal, "", EventKind.GOOD_UNITS, ZERO, uom, at, at)


def _tell(work: WorkingCopy, content: Json) -> None:
    signal = SignalId(content["device"], content["signal"])
    notices.tell(work, signal, content["code"], content["reason"], datetime.fromisoformat(content["at"]))


def _tell_of_baseline(work: WorkingCopy, content: Json) -> None:
    baselines.tell(work, SignalId(content["device"], content["signal"]), recording.read_baseline(content))


_TOLD: Mapping[str, Callable[[WorkingCopy, Json], None]] = {
    "gap": _tell_of_gap,
    "notice": _tell,
    "baseline": _tell_of_baseline,
}


def check(entry: Entry) -> Gap | object:
    """Read a line as the replay will; ValueError, KeyError or TypeError where that can't be done."""
    return _READ[entry.kind](entry.content)


_READ: Mapping[str, Callable[[Json], object]] = {
    "tick": recording.read_tick,
    "event": read_event,
    "command": recording.read_command,
    "activation": recording.read_stagings,
    "gap": recording.read_gap,
    "notice": lambda content: datetime.fromisoformat(content["at"]),
    "baseline": recording.read_baseline,
    "entry": lambda content: recording.entry(**content),
}

"""Looks every few seconds at the disk and at the parts that fail; tells of it in the work list, until it is over."""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gateway.errors import StoreError
from gateway.pipeline.pipeline import DISK_FULL, Pipeline
from gateway.runtime.alarms import Alarms, Told, tell, told
from gateway.runtime.disk_rules import (
    CODES,
    SLOW,
    WAL,
    Growth,
    Limits,
    Reading,
    growth_a_day,
    seconds,
    slowness,
    troubles,
)
from gateway.runtime.supervisor import Supervisor
from gateway.store.load import read_meta
from gateway.store.space import room, size_of, unused
from gateway.store.views import Buffer, Views

_PERIOD = 2.0  # seconds
_REMEMBERED = 600.0  # seconds between two sizes that the growth is measured by …
_SIZES = 145  # … so that it is that of a day
FAILING = "failing"  # a part that was tripped
_OWN = CODES | {DISK_FULL, FAILING}


@dataclass(slots=True)
class DiskWatch:
    """Runs beside the pipeline. `reading` is how the disk was at the last look, None before the first."""

    path: Path
    limits: Limits
    views: Views
    pipeline: Pipeline
    supervisor: Supervisor
    reading: Reading | None = None
    _sizes: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_SIZES))
    _telling: asyncio.Task[None] | None = None
    _logged: Alarms = field(default_factory=dict)

    async def run(self) -> None:
        """Look until cancelled."""
        try:
            while True:
                with suppress(StoreError, OSError):  # a store that can't be read is told of by the pipeline
                    await self.look()
                await asyncio.sleep(_PERIOD)
        finally:
            if self._telling:
                self._telling.cancel()

    def troubles(self) -> dict[str, str]:
        """Return what is wrong right now: the parts that fail, and a disk that is slow at this moment."""
        found = self.supervisor.tripped()
        waits = max(self.pipeline.writer.latency.running, self.reading.commit if self.reading else 0.0)
        if waits > self.limits.commit:
            found["disk"] = f"a commit takes {seconds(waits)} (limit {self.limits.commit:g} s): the disk is slow"
        return found

    async def look(self) -> None:
        """Read how the disk is, and raise and clear what follows."""
        self.reading = await self._read()
        now = asyncio.get_running_loop().time()
        if not self._sizes or now - self._sizes[-1][0] >= _REMEMBERED:
            self._sizes.append((now, self.reading.used))
        growth = Growth(growth_a_day((*self._sizes, (now, self.reading.used))), await self._waits())
        before = told(self.pipeline, _OWN)
        found: Alarms = {(name, FAILING): f"{name} {why}" for name, why in self.supervisor.tripped().items()}
        disk = troubles(self.reading, self.limits, growth, {code for _, code in before})
        found |= {("gateway", code): why for code, why in disk.items()}
        if self._telling and self._telling.done():
            self._telling = self._telling.result()  # what it failed with is ours
        if self._telling is None:  # a commit may hang: looking goes on
            self._telling = asyncio.create_task(self._tell(found, before))

    async def _read(self) -> Reading:
        commit = self.pipeline.writer.latency.look()
        before = self.reading.slow if self.reading else 0
        empty = await self.views.read(unused)
        wal, size = self.views.wal_size(), size_of(self.path)
        disk = await asyncio.to_thread(room, self.path.parent)
        slow = slowness(before, commit, self.limits.commit)
        return Reading(size - empty + wal, wal, disk.free + empty, disk.total, commit, slow)

    async def _waits(self) -> str:
        meta = await self.views.read(read_meta)
        return held_up(await self.views.buffers(), int(meta.get("retained_seq", 0)))

    async def _tell(self, found: Alarms, before: Told) -> None:
        await tell(self.pipeline, found, before, self._logged, lambda code: _OVER.get(code, "there is room again"))


_OVER = {SLOW: "commits are quick again", FAILING: "it runs again", WAL: "it is short again"}


def held_up(readers: list[Buffer], deleted: int) -> str:
    """Return what retention waits for, as a sentence; it has deleted the postings up to seq `deleted`."""
    required = [one for one in readers if one.required]
    if not required:
        return "nothing is ever deleted while no sink or consumer is required"
    last = min(required, key=lambda one: one.through)
    if not last.waiting or last.through > deleted:  # what is newer is on its way at any moment
        return "what is old is acknowledged: shorten retention.keep, or give the store more room"
    return f"retention waits for {last.kind} {last.name}, which has acknowledged nothing after seq {last.through}"

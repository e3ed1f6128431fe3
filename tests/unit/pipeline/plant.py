"""A pipeline over a real store, with drivers that only remember and a clock that only moves when told."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from gateway.counting.counter import Counter, Counts
from gateway.domain.bom import Method
from gateway.domain.clock import ClockTrust, Instant
from gateway.domain.event import EventKind, SignalId
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.line import Cumulation
from gateway.domain.masterdata import MasterData
from gateway.domain.rule import TriggerRule
from gateway.errors import StoreError, TransientError
from gateway.pipeline.intake import IntakeQueue
from gateway.pipeline.model import LineModel, Point
from gateway.pipeline.pipeline import Pipeline
from gateway.pipeline.writer import Writer, load_state
from gateway.signals.sample import Message, Sample, Scan, Unreadable
from gateway.store.batch import Batch, Tally
from gateway.store.log import PostingLog
from gateway.store.store import Store
from gateway.store.verify import verify
from gateway.transport.backoff import Backoff
from tests.factories import NOON, make_bom, make_component, make_master, make_staging

GOOD, REJECT, TOTAL, SPARE = (SignalId("FILLER-1", name) for name in ("good", "reject", "total", "spare"))
CASE, WEIGHT = SignalId("PACKER-1", "case_sealed"), SignalId("SCALE-1", "net_weight")
SECOND = 1_000_000_000
_REMEMBERED = (
    *("head", "ids", "watermarks", "lots", "stock", "requirements", "progress", "exceptions", "tallies", "waiting"),
    *("documents", "windows", "gathered", "seqs", "span_heads", "backlogs", "order_states", "line_states", "shadows"),
    "baselines",
)


class VirtualClock:
    def __init__(self) -> None:
        self.moment = Instant(NOON, 0, "gateway-boot-1")

    def now(self) -> Instant:
        return self.moment

    def trust(self) -> ClockTrust:
        return ClockTrust("assume", 0)

    def advance(self, seconds: int) -> None:
        now = self.moment
        wall = now.wall + timedelta(seconds=seconds)
        self.moment = replace(now, wall=wall, boottime=now.boottime + seconds * SECOND)


class FakeDriver:
    def __init__(self) -> None:
        self.acknowledged: list[object] = []
        self.asked: list[str] = []
        self.redelivered = 0

    def acknowledge(self, receipts: Sequence[object]) -> None:
        self.acknowledged += receipts

    def redeliver(self) -> None:
        self.redelivered += 1

    def read_again(self, signal: str) -> None:
        self.asked.append(signal)


class FaultyStore(Store):
    """`failing` counts the commits that fail; `too_late`: on the disk they are, only nobody is told."""

    failing = 0
    too_late = False

    async def commit(self, batch: Batch) -> None:
        if self.failing:
            self.failing -= 1
            if self.too_late:
                await super().commit(batch)
            raise StoreError("store gateway.db: disk I/O error")
        await super().commit(batch)


def make_line_master(**changes) -> MasterData:
    """Return a case of twelve bottles in a carton, with what the scale finds in it."""
    bom = make_bom(
        make_component("BOTTLE-500", "12"),
        make_component("CARTON-12", "1", line="0020", operation="0030"),
        make_component("DRINK", "6", line="0030", operation="0040", uom="kg", method=Method.MEASURED),
    )
    units = {("BOTTLE-500", "tray", "EA"): Fraction(20), (None, "kg", "g"): Fraction(1000)}
    return make_master(bom=bom, stocked_in={"DRINK": "kg"}, units=units, **changes)


def make_rule(signal: SignalId, event: EventKind, operation: str, **changes) -> TriggerRule:
    return TriggerRule(f"on-{signal.signal}", 1, signal, event, operation, fallback_active=True, **changes)


def make_counter(counts: Counts) -> Counter:
    return Counter(counts, 65_536, Decimal(100), has_epoch=True)


def make_model(
    master: MasterData | None = None, active: str | None = "100045", cumulate: Cumulation | None = None
) -> LineModel:
    """Return the line's model; `cumulate` is that of the filler's counters."""
    shown = {"epoch_signal": "boot", "order_signal": "order"}
    good = make_rule(GOOD, EventKind.GOOD_UNITS, "0010", order_signal="order", cumulate=cumulate)
    reject = make_rule(REJECT, EventKind.SCRAP_UNITS, "0010", cumulate=cumulate)
    case = make_rule(CASE, EventKind.CASE_SEALED, "0030", order_from_event=True)
    points = (
        Point(SignalId("FILLER-1", "boot"), "L1"),
        Point(SignalId("FILLER-1", "order"), "L1"),
        Point(GOOD, "L1", make_counter(Counts.GOOD), **shown, rule=good),
        Point(REJECT, "L1", make_counter(Counts.SCRAP), **shown, rule=reject),
        Point(TOTAL, "L1", make_counter(Counts.TOTAL), epoch_signal="boot"),
        Point(SPARE, "L1", make_counter(Counts.GOOD), epoch_signal="boot"),
        Point(CASE, "L1", rule=case, is_event=True),
        Point(WEIGHT, "L1", rule=make_rule(WEIGHT, EventKind.WEIGHED, "0040"), is_event=True),
    )
    return LineModel({point.id: point for point in points}, master or make_line_master(), {"L1": active})


class Plant:
    """Everything between the drivers and the disk."""

    def __init__(self, path: Path, model: LineModel | None = None) -> None:
        self.path = path
        self.clock = VirtualClock()
        self.model = model or make_model()
        self.drivers = {name: FakeDriver() for name in ("FILLER-1", "PACKER-1", "SCALE-1")}
        self.delivered = 0
        self.made: dict[tuple[SignalId, Message], datetime] = {}
        self._running: asyncio.Task[None] | None = None

    async def open(self, batch: int = 500, queue: int = 100) -> None:
        self.store = await FaultyStore.open(self.path, "PLANT1-L1")
        self.log = await PostingLog.open(self.path)
        writer = await Writer.load(self.store, self.log, self.clock, self.model)
        self.pipeline = Pipeline(writer, IntakeQueue(queue), batch=batch)
        self.pipeline._backoff = Backoff(0.001, 0.001)
        for name, driver in self.drivers.items():
            self.pipeline.attach(name, driver)
        await self.pipeline.commands.activate_now(self.model)

    async def crash(self) -> None:
        """Lose everything that is not on the disk, and start again."""
        await self.close()
        await self.open()

    async def close(self) -> None:
        if self._running:
            self._running.cancel()
            await asyncio.wait([self._running])
            self._running = None
        await self.log.close()
        await self.store.close()

    # --- what the machines do -------------------------------------------------------------------

    def read(self, *, seconds: int = 1, epoch: str | None = "plc-1", order: str | None = None, **counters) -> None:
        """Offer a scan of the filler, so many seconds after the one before."""
        self.clock.advance(seconds)
        samples = [_sample("boot", epoch), _sample("order", order)]
        samples += [_sample(name, value) for name, value in counters.items()]
        self.pipeline.intake.offer(Scan("FILLER-1", self.clock.now(), tuple(samples)))

    async def send(self, signal: SignalId = CASE, *, replay: bool = False, anew: bool = False, **fields) -> int:
        """Put a message; return its receipt. The same one again is a redelivery, unless it was made `anew`."""
        self.delivered += 1
        message, now = Message(**fields), self.clock.now().wall
        made = self.made[signal, message] = now if anew else self.made.get((signal, message), now)
        sample = Sample(signal.signal, message, source_time=made)
        scan = Scan(signal.device, self.clock.now(), (sample,), receipt=self.delivered, replay=replay)
        await self.pipeline.intake.put(scan)
        return self.delivered

    async def send_unreadable(self, *samples: Sample) -> int:
        self.delivered += 1
        letter = Unreadable("line1/packer", b"{", "the payload is no JSON")
        await self.pipeline.intake.put(
            Scan("PACKER-1", self.clock.now(), samples, unreadable=letter, receipt=self.delivered)
        )
        return self.delivered

    async def stage(self, staging: str, quantity: str, **more) -> bool:
        """Stage bottles (or another item) and have the command carried out."""
        return await self.asked(self.pipeline.commands.stage(make_staging(staging, quantity, **more), "operator"))

    # --- what the pipeline does -----------------------------------------------------------------

    async def turn(self) -> None:
        """Take what waits: one batch and the commands."""
        await self.pipeline._turn()

    async def asked(self, command):
        """Return a command's answer, giving the pipeline the turn it needs."""
        answer = asyncio.ensure_future(command)
        await asyncio.sleep(0)  # the command takes its place in the queue
        if self._running is None:
            await self.turn()
        return await answer

    def run(self) -> asyncio.Task[None]:
        self._running = asyncio.create_task(self.pipeline.run())
        return self._running

    async def settled(self) -> None:
        """Wait until the running pipeline has tried everything that came before this."""
        while True:
            try:
                await self.pipeline.commands.deliver("erp", 0, {})
            except TransientError:  # the store is broken just now
                await asyncio.sleep(0)
            except StoreError:
                return
            else:
                return

    # --- what can be seen -----------------------------------------------------------------------

    @property
    def state(self):
        return self.pipeline.writer.state

    def tally(self, signal: SignalId = GOOD) -> tuple[str, ...]:
        """Return counted, posted, scrapped and held."""
        found = self.state.tallies.get(signal, Tally("", *[Decimal(0)] * 4))
        return tuple(format(one, "f") for one in found[1:5])

    def exceptions(self, kind: ExceptionKind) -> list[ExceptionRecord]:
        return [one for one in self.state.exceptions.values() if one.kind is kind]

    async def rows(self, sql: str) -> list[tuple]:
        return await self.store._connection.run(lambda raw: raw.execute(sql).fetchall())

    async def check(self) -> None:
        """Memory is what the disk says, and the disk is consistent."""
        report = await asyncio.to_thread(verify, self.path)
        assert [] == [one for one in report.checks if not one.ok]
        loaded, state = await load_state(self.store), self.state
        assert loaded.checkpoints == state.stored
        for name in _REMEMBERED:
            assert getattr(loaded, name) == getattr(state, name), name


def _sample(signal: str, value: int | str | None) -> Sample:
    return Sample(signal, value, "Good" if value is not None else "BadNoData")

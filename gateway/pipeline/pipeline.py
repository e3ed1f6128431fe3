"""The batch: drain what waits, plan in memory, commit once, then acknowledge the sources."""

import asyncio
import logging
from collections import defaultdict
from contextlib import suppress

from gateway.domain.command import ClearAlarm, RaiseAlarm
from gateway.domain.event import SignalId
from gateway.domain.signature import Author
from gateway.errors import StoreDamaged, StoreError, StoreFull
from gateway.pipeline import documents, messages, scans
from gateway.pipeline.commands import HANDLERS, CommandDesk
from gateway.pipeline.image import ProcessImage
from gateway.pipeline.intake import IntakeQueue
from gateway.pipeline.unusable import UnusableCounters
from gateway.pipeline.writer import Writer
from gateway.ports import Driver
from gateway.signals.sample import Scan
from gateway.store.ballast import Ballast
from gateway.store.space import in_words
from gateway.transport.backoff import Backoff

logger = logging.getLogger(__name__)
_PERIOD = 1.0  # seconds: at the latest so long after its time a window is closed, or room on the disk is seen
_GATEWAY = Author("gateway")
DISK_FULL = "disk-full"


class Pipeline:
    """One task runs it; nothing else writes."""

    def __init__(
        self, writer: Writer, intake: IntakeQueue, *, batch: int = 500, ballast: Ballast | None = None
    ) -> None:
        self.writer = writer
        self.intake = intake
        self.commands = CommandDesk(writer, intake.arrived.set, HANDLERS)
        self.failure = ""  # why nothing is committed right now; empty when all is well
        self.unusable = UnusableCounters()
        self.paused = False  # that is a full disk: nothing is taken until there is room
        self._most = batch
        self._image = ProcessImage()
        self._drivers: dict[str, Driver] = self.commands.desk.drivers
        self._ballast = ballast  # None: a full disk is a failure like any other
        self._backoff = Backoff(0.2, 5.0)  # a disk that is back has to be seen soon
        self._stopping = False

    def attach(self, device: str, driver: Driver) -> None:
        """Make the driver known that gets the acknowledgements of this device's scans."""
        self._drivers[device] = driver

    async def run(self) -> None:
        """Work until `stop` was called and nothing waits any more."""
        self.commands.accept()
        self._ask_again()  # where an earlier run broke off, what it had taken out is neither committed nor acknowledged
        if self._ballast and not await asyncio.to_thread(self._ballast.make):
            await self._recover(StoreFull(_no_room(self._ballast)))
        while not self._finished():
            with suppress(TimeoutError):
                async with asyncio.timeout(_PERIOD):
                    await self.intake.arrived.wait()
            self.intake.arrived.clear()
            try:
                await self._turn()
                self.failure = ""
                self._backoff.reset()
            except StoreError as error:
                await self._recover(error)
            except Exception as error:
                self.failure = f"the batch broke off: {error!r}"  # health says so while the supervisor starts it again
                self.commands.refuse(self.failure)  # nobody should wait for that
                raise

    def stop(self) -> None:
        """Take nothing new; `run` returns when everything that waits is committed."""
        self._stopping = True
        self.intake.close()
        self.intake.arrived.set()

    def _finished(self) -> bool:
        return self._stopping and not len(self.intake) and not len(self.commands)

    async def _turn(self) -> None:
        await self._take(self.intake.take(self._most))
        await self.commands.execute_waiting()
        if len(self.intake):
            self.intake.arrived.set()

    async def _take(self, taken: list[Scan]) -> None:
        """Close what is due and take the scans, in one transaction; nothing taken: it only is a little later."""
        self.writer.tick()
        known = await messages.look_up(self.writer.store, self.writer.model, taken)
        work = self.writer.working_copy()
        documents.close_due(work)
        for scan in taken:
            scans.take(work, scan, self._image, known)
        await self.writer.finish(work)
        self._acknowledge(taken)
        self._read_again(work.read_again)
        if work.retry:
            await self.commands.retry_all()
        for scan in taken:
            self.unusable.look(scan, self.writer.model.points)
        await self._tell_of_counters()

    async def _tell_of_counters(self) -> None:
        for news in self.unusable.news(self.writer.state.waiting, self.writer.model.points):
            logger.warning("%s", news.reason)
            await self.commands.execute_now(news, _GATEWAY)

    def _acknowledge(self, taken: list[Scan]) -> None:
        receipts: defaultdict[str, list[object]] = defaultdict(list)
        for scan in taken:
            if scan.receipt is not None:
                receipts[scan.device].append(scan.receipt)
        for device, owed in receipts.items():
            if driver := self._drivers.get(device):
                driver.acknowledge(owed)

    def _read_again(self, signals: list[SignalId]) -> None:
        for signal in signals:
            if driver := self._drivers.get(signal.device):
                driver.read_again(signal.signal)

    async def _recover(self, error: StoreError) -> None:
        """Drop what was not committed, read the state from disk again, and have the sources send again."""
        logger.error("%s; nothing is acknowledged until it is committed", error)
        while True:
            self._refuse(str(error))
            if isinstance(error, StoreDamaged):
                # No reopening would mend it: until the end, health keeps saying it.
                await asyncio.Event().wait()
            await asyncio.sleep(self._backoff.next())
            try:
                await self._restore(error)
                break
            except StoreError as again:
                error = again
        self.failure, self.paused = "", False
        self.commands.accept()
        self._ask_again()

    async def _restore(self, error: StoreError) -> None:
        full = self._ballast if self._ballast and self._ballast.is_full(error) else None
        self.paused = full is not None
        if full:
            await asyncio.to_thread(full.free)
        await self.writer.reload()
        self.writer.tick()
        if full:
            await self._wait_for_room(full)
        await self.commands.retry_all()  # a staging may be on the disk whose retry isn't

    async def _wait_for_room(self, ballast: Ballast) -> None:
        """Tell of the full disk in the room that the ballast gave; what is left of that is for the next alarm."""
        self._refuse(reason := _no_room(ballast))
        await self.commands.execute_now(RaiseAlarm(DISK_FULL, reason), _GATEWAY)
        while not await asyncio.to_thread(ballast.make):  # noqa: ASYNC110 - no file system tells when it has room
            await asyncio.sleep(_PERIOD)
        self.writer.tick()
        await self.commands.execute_now(ClearAlarm(DISK_FULL, "there is room again"), _GATEWAY)
        logger.warning("there is room on the disk again: what waited is taken")

    def _refuse(self, reason: str) -> None:
        self.failure = reason
        self.commands.refuse(reason)

    def _ask_again(self) -> None:
        """Go on as if nothing had been taken out: what waits is taken, what was not acknowledged comes again."""
        self.intake.arrived.set()
        for driver in self._drivers.values():
            driver.redeliver()
        points = self.writer.model.points.values()
        self._read_again([point.id for point in points if point.counter is not None])


def _no_room(ballast: Ballast) -> str:
    return (
        f"the disk of {ballast.path.parent} is full: nothing is counted or acknowledged until "
        f"{in_words(ballast.needed)} are free; then all of it is, by itself"
    )

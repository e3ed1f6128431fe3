"""Verifies the store hour by hour, from the last signed checkpoint on, at times whole; signs what it found sound."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.domain.clock import in_milliseconds
from gateway.domain.command import ClearAlarm, RaiseAlarm
from gateway.domain.signature import Author
from gateway.errors import StoreError, TransientError
from gateway.formats.canonical import Place
from gateway.ports import Clock, Commands
from gateway.store import checkpoints
from gateway.store.findings import Report
from gateway.store.signing import SigningKey
from gateway.store.store import Store
from gateway.store.verified import Verified
from gateway.store.verify import verify

logger = logging.getLogger(__name__)
UNSOUND = "unsound"  # code of the alarm
_FIRST = 60.0  # seconds after the start: connecting and catching up come first
_REST = 3.0  # times as long as a piece took: the thread leaves the interpreter to the loop
_GATEWAY = Author("gateway")


@dataclass(slots=True)
class Verification:
    """Reads beside the writer, in a thread. `signed_at` is monotonic, in seconds; None before the first checkpoint.

    `period` and `full_period`, in seconds: how often what came since the last checkpoint is verified, and how often
    everything. `found` is what the last verification found, None before the first, empty where the store was sound.
    """

    store: Store
    key: SigningKey
    clock: Clock
    commands: Commands
    period: float
    full_period: float
    found: str | None = None
    signed_at: float | None = None

    async def run(self) -> None:
        """Verify soon after the start, then once a period, until cancelled."""
        await asyncio.sleep(min(_FIRST, self.period))
        while True:
            await self.once()
            await asyncio.sleep(self.period)

    async def once(self) -> None:
        """Verify what came since the last checkpoint, or all if due or there is none; sign it, or raise the alarm."""
        begun = monotonic()
        report = await self._verified(fully=await self._is_due())
        faults = [f"{one.name}: {one.detail}" for one in report.checks if not one.ok]
        if report.reached is None:
            await self._alarm("; ".join(faults))
            return
        await self._sign(report.reached, fully=report.since is None)
        since = f"since position {report.since.position}" if report.since else "from its beginning"
        reached = report.reached.head
        logger.info("verified %s to seq %d, in %.1f s", since, reached.seq, monotonic() - begun)
        if self.found != "":
            with suppress(TransientError, StoreError):  # said again after the next verification
                await self.commands.execute(ClearAlarm(UNSOUND, "the store is sound again", "store"), _GATEWAY)
                self.found = ""

    async def _is_due(self) -> bool:
        """Return whether everything is to be verified; by the wall clock: a line may be off each weekend."""
        last = await self.store.transact(checkpoints.verified_fully)
        if last is None:
            return True
        return not 0 <= (self.clock.now().wall - last).total_seconds() < self.full_period  # below: the clock was wrong

    async def _verified(self, *, fully: bool) -> Report:
        stop = threading.Event()
        since, key, path = not fully, self.key.id, self.store.path
        try:
            return await asyncio.to_thread(
                verify, path, _Pace(stop), since_checkpoint=since, trusted=key, stopped=stop.is_set
            )
        finally:
            stop.set()  # cancelled: the thread ends by itself

    async def _sign(self, reached: Verified, *, fully: bool) -> None:
        now = in_milliseconds(self.clock.now().wall)
        place = Place(self.store.gateway, self.store.store, now, self.clock.trust())
        prepared = await asyncio.to_thread(checkpoints.prepare, self.store.path, reached, self.key, place)
        await self.store.transact(lambda raw: checkpoints.write(raw, prepared, now if fully else None))
        self.signed_at = monotonic()

    async def _alarm(self, found: str) -> None:
        if found != self.found:
            logger.error("the store is not sound: %s", found)
        self.found = found
        reason = f"The store is not what was committed: {found}. See `gateway verify`; nothing more is signed."
        with suppress(TransientError, StoreError):
            await self.commands.execute(RaiseAlarm(UNSOUND, reason, "store"), _GATEWAY)


class _Pace:
    """Rests between two read transactions."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._went_on = monotonic()

    def __call__(self, step: str, _: int) -> None:
        if step == "postings":
            self._stop.wait(_REST * (monotonic() - self._went_on))
        self._went_on = monotonic()


@dataclass(frozen=True, slots=True)
class VerificationCollector(Collector):
    """What Prometheus may alert on: a store that is unsound, or that wasn't verified for long."""

    verification: Verification

    def collect(self) -> Iterator[Metric]:
        """Yield the families of one scrape."""
        if self.verification.found is not None:
            sound = "1 while the last verification found nothing."
            yield GaugeMetricFamily("backflush_store_sound", sound, value=not self.verification.found)
        if self.verification.signed_at is not None:
            age = monotonic() - self.verification.signed_at
            yield GaugeMetricFamily("backflush_verified_age_seconds", "Age of the last signed checkpoint.", value=age)

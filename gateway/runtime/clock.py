"""The real clock. The only place, with the supervisor, that reads time."""

import asyncio
import logging
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import orjson

from gateway.domain.clock import (
    ASSUMED,
    PERSON,
    UNTRUSTED,
    ClockLimits,
    ClockTrust,
    Instant,
    Synchronised,
    clock_trust,
    stepped,
)
from gateway.errors import TransientError
from gateway.runtime.stalls import HEARTBEAT, Stalls
from gateway.runtime.time_source import SOURCES, ClockSource
from gateway.settings.gateway_file import GatewaySettings

logger = logging.getLogger(__name__)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_NOTED_EVERY = 60_000_000_000  # ns: a restart may forget how good the clock became within the last minute
_STEP = 100  # ms: below it, reading two clocks one after the other may explain the difference


class SystemClock:
    """Implements Clock on Linux: UTC wall clock, CLOCK_BOOTTIME, the kernel's boot id. It is believed as it is."""

    def __init__(self) -> None:
        self._boot = _BOOT_ID.read_text(encoding="ascii").strip()
        self._stalls = Stalls()

    def now(self) -> Instant:
        """Return this moment."""
        boottime = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        return Instant(datetime.now(UTC), boottime, self._boot, self._stalls.late(boottime))

    async def beat(self) -> None:
        """Notice when the process stands still, until cancelled; without that no moment is `late`."""
        while True:
            self._stalls.beat(time.clock_gettime_ns(time.CLOCK_BOOTTIME))
            await asyncio.sleep(HEARTBEAT)

    def trust(self) -> ClockTrust:
        """Return `assume`: for demo and tests."""
        return ClockTrust(ASSUMED, 0)

    def believe(self) -> None:
        """Nothing changes: it is believed already."""


class WatchedClock(SystemClock):
    """Believed once it was synchronised since boot, while its estimated error is small enough.

    What is known of it survives a restart in the small file `memory`; a power cut may lose that file, because
    then another boot begins and it says nothing any more.
    """

    def __init__(self, source: ClockSource, limits: ClockLimits, memory: Path) -> None:
        super().__init__()
        self._source = source
        self._limits = limits
        self._memory = memory
        self._noted: Synchronised | None = None
        self._last = _remembered(memory)
        self._complaint = ""
        self.doubted = False  # whether `trust` refused since somebody last looked

    def trust(self) -> ClockTrust:
        """Return whether the clock may be believed at this moment, and why not; a clock that was set is noticed."""
        trust = clock_trust(self._last, self.now(), self._limits)
        if trust.trust == UNTRUSTED:
            self.doubted = True
            if self._complaint:
                return ClockTrust(trust.trust, trust.error_ms, f"{trust.reason}: {self._complaint}")
        return trust

    def believe(self) -> None:
        """Take a person's word for it, until the next boot or until somebody sets the clock."""
        self._note(Synchronised(PERSON, self.now(), 0))

    async def poll(self) -> None:
        """Ask the source once; what it doesn't say leaves what is known as it was."""
        before = self.now()  # before the answer: if somebody sets the clock in between, that shows as a step
        try:
            reading = await self._source.read()
        except TransientError as error:
            if self._complaint != error.message:
                logger.warning("%s clock: %s", self._source.name, error)
            self._complaint = error.message
            return
        known, self._complaint = self._last, ""
        if known and reading.evidence and _is(known, self._source.name, reading.evidence) and _was_set(known, before):
            return  # the source hasn't noticed yet: what it says is of the time before
        self._note(Synchronised(self._source.name, before, reading.error_ms, reading.evidence))

    def _note(self, now: Synchronised) -> None:
        noted, self._last = self._noted, now
        if noted and _is(noted, now.by, now.evidence) and now.at.boottime - noted.at.boottime < _NOTED_EVERY:
            return
        self._noted = now
        with suppress(OSError):  # a full disk is told by the store; after a restart the source is asked again
            _write(self._memory, now)


def _is(last: Synchronised, by: str, evidence: str) -> bool:
    return (last.by, last.evidence) == (by, evidence)


def _was_set(last: Synchronised, now: Instant) -> bool:
    return last.at.boot == now.boot and abs(stepped(last, now)) > _STEP


def _remembered(memory: Path) -> Synchronised | None:
    """Return what an earlier run knew of the clock; None where there is nothing that can be read."""
    try:
        body = orjson.loads(memory.read_bytes())
        at = Instant(datetime.fromisoformat(body["wall"]), int(body["boottime"]), body["boot"])
        return Synchronised(body["by"], at, int(body["error_ms"]), body["evidence"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # never written, or cut short by a power cut: the source is asked anyway


def _write(memory: Path, last: Synchronised) -> None:
    body = {"by": last.by, "error_ms": last.error_ms, "evidence": last.evidence}
    at = {"wall": last.at.wall.isoformat(), "boottime": last.at.boottime, "boot": last.at.boot}
    beside = memory.with_name(f"{memory.name}.new")
    beside.write_bytes(orjson.dumps({**body, **at}))
    beside.replace(memory)


def clock_of(settings: GatewaySettings) -> SystemClock:
    """Return the clock as gateway.yaml wants it trusted; what is known of it stands beside the store."""
    if settings.clock_trust not in SOURCES:
        return SystemClock()
    store = settings.store.path
    memory = store.with_name(f"{store.name}.clock")
    limits = ClockLimits(round(settings.clock_max_error * 1000), round(settings.clock_drift * 1_000_000))
    return WatchedClock(SOURCES[settings.clock_trust](), limits, memory)

"""A running driver's surroundings: an intake that remembers, and a clock."""

import asyncio
import logging
import pkgutil
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module

import gateway.drivers
from gateway.domain.clock import ClockTrust, Instant
from gateway.domain.health import Link
from gateway.ports import Driver, DriverPlugin
from gateway.signals.sample import Scan

PLUGINS: dict[str, DriverPlugin] = {
    plugin.kind: plugin
    for module in pkgutil.iter_modules(gateway.drivers.__path__)
    for plugin in [import_module(f"gateway.drivers.{module.name}").PLUGIN]
}


class Ticks:
    def now(self) -> Instant:
        return Instant(datetime.now(UTC), 0, "boot")

    def trust(self) -> ClockTrust:
        return ClockTrust("assume", 0)


class Desk(logging.Handler):
    """The intake of a driver, and the ear for its log: whoever awaits a condition looks again after each."""

    def __init__(self) -> None:
        super().__init__()
        self.scans: list[Scan] = []
        self.changed = asyncio.Event()
        self.room = asyncio.Event()
        self.room.set()

    def offer(self, scan: Scan) -> None:
        self.scans.append(scan)
        self.changed.set()

    async def put(self, scan: Scan) -> None:
        await self.room.wait()
        self.offer(scan)

    def emit(self, _record: logging.LogRecord) -> None:
        self.changed.set()

    async def until(self, condition: Callable[[], bool], *more: asyncio.Event) -> None:
        async with asyncio.timeout(60):
            while not condition():
                events = (self.changed, *more)
                waits = [asyncio.create_task(event.wait()) for event in events]
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for wait, event in zip(waits, events, strict=True):
                    wait.cancel()
                    event.clear()
                await asyncio.gather(*waits, return_exceptions=True)

    def values(self, signal: str) -> list[object]:
        return [sample.value for scan in self.scans for sample in scan.samples if sample.signal == signal]

    def statuses(self, signal: str) -> list[str]:
        return [sample.status for scan in self.scans for sample in scan.samples if sample.signal == signal]

    async def shows(self, signal: str, value: object) -> None:
        await self.until(lambda: self.values(signal)[-1:] == [value])

    async def linked(self, driver: Driver, link: Link) -> None:
        await self.until(lambda: driver.health.link is link)


def make_driver(settings: dict, **more) -> Driver:
    plugin = PLUGINS[settings["kind"]]
    document = {"device": "FILLER-1", "line": "L1", "retry_after": "50ms", "retry_at_most": "200ms", **settings, **more}
    return plugin.create(plugin.settings.model_validate(document), Ticks())

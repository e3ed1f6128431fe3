"""The daemon's life: start every part, run until told to stop, drain, end."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.api.server import ApiServer
from gateway.pipeline.pipeline import Pipeline
from gateway.runtime.clock_watch import ClockWatch
from gateway.runtime.devices import Devices
from gateway.runtime.health import HealthSource
from gateway.runtime.line_model import line_model
from gateway.runtime.notify import notify, watchdog
from gateway.runtime.retention import Retention
from gateway.runtime.supervisor import supervise
from gateway.settings.load import Config
from gateway.store.log import PostingLog
from gateway.store.views import Views
from gateway.sync.dispatcher import Dispatcher

logger = logging.getLogger(__name__)
_DRAIN = 4.0  # seconds to commit what waits at SIGTERM: people and systemd expect 5 at most


@dataclass(slots=True)
class Gateway:
    """One gateway over one open store; `bootstrap.open_gateway` makes it."""

    config: Config
    log: PostingLog
    views: Views
    pipeline: Pipeline
    devices: Devices
    dispatchers: Mapping[str, Dispatcher]
    health: HealthSource
    retention: Retention
    api: ApiServer
    clock_watch: ClockWatch | None = None

    async def serve(self, stop: asyncio.Event) -> None:
        """Run every part until `stop`; then commit what waits, acknowledge it, and end within seconds."""
        pipeline = asyncio.create_task(supervise("pipeline", self.pipeline.run), name="pipeline")
        beside = [asyncio.create_task(supervise("api", self.api.run), name="api")]
        for name, one in self.dispatchers.items():
            beside.append(asyncio.create_task(supervise(f"sink {name}", one.run), name=f"sink {name}"))
        beside.append(asyncio.create_task(supervise("retention", self.retention.run), name="retention"))
        beside.append(asyncio.create_task(supervise("watchdog", watchdog), name="watchdog"))
        if self.clock_watch is not None:
            beside.append(asyncio.create_task(supervise("clock", self.clock_watch.run), name="clock"))
        try:
            self.devices.start(self.config.devices)
            self.health.running = True
            notify("READY=1")
            await stop.wait()
        finally:
            self.health.running = False
            notify("STOPPING=1")
            await self._drain(pipeline)
            await asyncio.gather(self.devices.stop(), _end(beside))

    async def reload(self, config: Config) -> None:
        """Put another configuration in force: only what changed restarts. CommandRefused: the old one goes on."""
        if config.gateway != self.config.gateway:
            logger.warning("gateway.yaml changed: that takes effect at the next start")
            config = replace(config, gateway=self.config.gateway)  # nobody leaves regulated mode by a reload
        # First: an event of a signal that has another name now isn't acknowledged any more, so it comes again.
        await self.devices.release(config.devices)
        try:
            await self.pipeline.commands.activate(line_model(config))
            self.config = config
        finally:
            self.devices.start(self.config.devices)

    async def _drain(self, pipeline: asyncio.Task[None]) -> None:
        # The drivers are still there: what is committed now is acknowledged to its source.
        self.pipeline.stop()
        done, _ = await asyncio.wait({pipeline}, timeout=_DRAIN)
        if not done:
            logger.error("not everything that waited could be committed: %s", self.pipeline.failure or "too slow")
            await _end([pipeline])
        self.pipeline.commands.refuse("the gateway is stopping")


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

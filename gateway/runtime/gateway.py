"""The daemon's life: start every part, run until told to stop, drain, end."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.api.server import ApiServer
from gateway.pipeline.pipeline import Pipeline
from gateway.runtime.clock_watch import ClockWatch
from gateway.runtime.devices import Devices
from gateway.runtime.disk_watch import DiskWatch
from gateway.runtime.expiry_watch import ExpiryWatch
from gateway.runtime.health import HealthSource
from gateway.runtime.line_model import line_model
from gateway.runtime.notify import notify, watchdog
from gateway.runtime.retention import Retention
from gateway.runtime.supervisor import Part, Supervisor, end
from gateway.runtime.verification import Verification
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
    verification: Verification
    api: ApiServer
    supervisor: Supervisor
    disk_watch: DiskWatch
    expiry_watch: ExpiryWatch
    heartbeat: Part | None = None  # of a clock that notices when the process stands still
    clock_watch: ClockWatch | None = None

    async def serve(self, stop: asyncio.Event) -> None:
        """Run every part until `stop`; then commit what waits, acknowledge it, and end within seconds."""
        pipeline = self._started("pipeline", self.pipeline.run)
        beside = [self._started("api", self.api.run)]
        beside += [self._started(f"sink {name}", one.run) for name, one in self.dispatchers.items()]
        beside.append(self._started("retention", self.retention.run))
        beside.append(self._started("verification", self.verification.run))
        beside.append(self._started("disk watch", self.disk_watch.run))
        beside.append(self._started("expiry watch", self.expiry_watch.run))
        beside.append(self._started("watchdog", watchdog))
        if self.heartbeat is not None:
            beside.append(self._started("heartbeat", self.heartbeat))
        if self.clock_watch is not None:
            beside.append(self._started("clock", self.clock_watch.run))
        try:
            self.devices.start(self.config.devices)
            self.health.running = True
            notify("READY=1")
            await stop.wait()
        finally:
            self.health.running = False
            notify("STOPPING=1")
            await self._drain(pipeline)
            await asyncio.gather(self.devices.stop(), end(beside))

    def _started(self, name: str, part: Part) -> asyncio.Task[None]:
        return asyncio.create_task(self.supervisor.supervise(name, part), name=name)

    async def reload(self, config: Config) -> None:
        """Put another configuration in force: only what changed restarts. CommandRefused: the old one goes on.

        Of gateway.yaml only the API's tokens, and its certificate's files: a token that was taken away is refused now.
        """
        api = self.config.gateway.api.model_copy(update={"tokens": config.gateway.api.tokens})
        kept = self.config.gateway.model_copy(update={"api": api})
        if config.gateway != kept:
            logger.warning("gateway.yaml changed: all but api.tokens takes effect at the next start")
        self.config = replace(self.config, gateway=kept)
        config = replace(config, gateway=kept)  # nobody leaves regulated mode by a reload
        # First: an event of a signal that has another name now isn't acknowledged any more, so it comes again.
        # And before the API's files, which may be bad: a device that was revoked is hung up on all the same.
        await self.devices.release(config.devices)
        try:
            self.api.renew()
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
            await end([pipeline])
        self.pipeline.commands.refuse("the gateway is stopping")

"""How the daemon is, for the API, systemd and the live table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.pipeline.pipeline import Pipeline
from gateway.ports import HealthReport
from gateway.runtime.devices import Devices
from gateway.runtime.disk_watch import DiskWatch
from gateway.sync.dispatcher import Dispatcher


@dataclass(slots=True)
class HealthSource:
    """Reads the parts when asked. `running` is set while intake runs."""

    pipeline: Pipeline
    devices: Devices
    dispatchers: Mapping[str, Dispatcher]
    watch: DiskWatch
    started_at: datetime
    unsafe: Callable[[], tuple[str, ...]] = tuple
    running: bool = False

    def report(self) -> HealthReport:
        """Return how every part is at this moment."""
        return HealthReport(
            ready=self.running and not self.pipeline.failure,
            store=self.pipeline.failure or "ok",
            started_at=self.started_at,
            devices=self.devices.health(),
            sinks={name: one.health for name, one in self.dispatchers.items()},
            paused=self.pipeline.paused,
            troubles=self.watch.troubles(),
            unsafe=self.unsafe(),
        )

"""The drivers of the configured devices, each in a supervised task of its own."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.domain.health import Health, Link
from gateway.pipeline.pipeline import Pipeline
from gateway.ports import Clock, Driver
from gateway.runtime import plugins
from gateway.runtime.supervisor import Supervisor, end
from gateway.settings.base import Secret, Settings
from gateway.settings.device import DeviceSettings
from gateway.transport.fingerprint import Fingerprint, fingerprint


@dataclass(frozen=True, slots=True)
class _Running:
    settings: DeviceSettings
    files: Fingerprint  # of the certificates, lists and passwords that the settings name
    driver: Driver
    task: asyncio.Task[None]


class Devices:
    """Starts and stops drivers; a device whose settings and their files did not change is left alone at a reload.

    A file may have changed because somebody is no longer to be believed: an open connection would go on with them.
    """

    def __init__(self, pipeline: Pipeline, clock: Clock, supervisor: Supervisor) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._supervisor = supervisor
        self._running: dict[str, _Running] = {}
        self._plugins = plugins.drivers()

    async def release(self, wanted: Mapping[str, DeviceSettings]) -> None:
        """Stop the drivers whose device is another in `wanted`, or isn't there any more."""
        await self._stop(
            [
                name
                for name, one in self._running.items()
                if wanted.get(name) != one.settings or _files(one.settings) != one.files
            ]
        )

    def start(self, wanted: Mapping[str, DeviceSettings]) -> None:
        """Start the drivers of `wanted` that don't run."""
        for name, settings in wanted.items():
            if name not in self._running:
                self._start(name, settings)

    async def stop(self) -> None:
        """Stop every driver."""
        await self._stop(list(self._running))

    def health(self) -> dict[str, Health]:
        """Return each device's state by name."""
        outside = self._pipeline.unusable.outside
        return {name: with_faults(one.driver.health, outside(name)) for name, one in self._running.items()}

    def _start(self, name: str, settings: DeviceSettings) -> None:
        files = _files(settings)
        driver = self._plugins[settings.kind].create(settings, self._clock)
        self._pipeline.attach(name, driver)
        running = self._supervisor.supervise(f"device {name}", lambda: driver.run(self._pipeline.intake))
        task = asyncio.create_task(running, name=name)
        self._running[name] = _Running(settings, files, driver, task)

    async def _stop(self, names: list[str]) -> None:
        await end([self._running.pop(name).task for name in names])


def _files(settings: DeviceSettings) -> Fingerprint:
    return fingerprint(*_named(settings))


def _named(settings: Settings) -> Iterator[Path | None]:
    for _, value in settings:
        if isinstance(value, Path):
            yield value
        elif isinstance(value, Secret):
            yield value.path
        elif isinstance(value, Settings):
            yield from _named(value)


def with_faults(health: Health, faults: list[str]) -> Health:
    """Return the health of a device that answers well what can't be used."""
    if not faults or health.link not in (Link.CONNECTED, Link.DEGRADED):
        return health
    return Health(Link.DEGRADED, "; ".join(filter(None, (health.detail, *faults))))

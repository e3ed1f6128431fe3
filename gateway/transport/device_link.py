"""The connection to a device: brought back whenever it ends, and how it stands logged when that changes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn

from gateway.domain.health import Health, Link
from gateway.errors import GatewayError
from gateway.settings.device import DeviceSettings
from gateway.transport.backoff import Backoff


class DeviceLink:
    """How one device's connection stands, and the loop that keeps it up; `log` is the driver's own."""

    def __init__(self, settings: DeviceSettings, log: logging.Logger) -> None:
        self.health = Health(Link.CONNECTING)
        self._settings = settings
        self._log = log
        self._backoff = Backoff(settings.retry_after, settings.retry_at_most)

    async def keep_up(self, attend: Callable[[], Awaitable[None]]) -> NoReturn:
        """Have the device attended to, and again after a pause whenever that ends; until cancelled.

        `attend` connects and reads until it fails; its GatewayError is the reason that is shown.
        """
        if self._settings.unsafe:
            self._log.warning("%s: %s", self._settings.device, self._settings.unsafe)
        while True:
            try:
                await attend()
            except GatewayError as error:
                self._now(Health(Link.DISCONNECTED, str(error)))
            await asyncio.sleep(self._backoff.next())

    def answered(self) -> None:
        """Begin the pauses anew: the device, or what stands before it, said something."""
        self._backoff.reset()

    def judge(self, faults: Sequence[str]) -> None:
        """Show it as connected, or with these faults as degraded."""
        self._now(Health(Link.DEGRADED, "; ".join(faults)) if faults else Health(Link.CONNECTED))

    def _now(self, health: Health) -> None:
        if health == self.health:
            return
        self.health = health
        level = logging.INFO if health.link is Link.CONNECTED else logging.WARNING
        self._log.log(level, "%s: %s", self._settings.device, health)

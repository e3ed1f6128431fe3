"""Asks every few seconds how good the clock is; when it can be believed again, what waited for it is tried."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass

from gateway.domain.clock import UNTRUSTED
from gateway.domain.command import Retry
from gateway.domain.signature import Author
from gateway.errors import StoreError, TransientError
from gateway.ports import Commands
from gateway.runtime.clock import WatchedClock

logger = logging.getLogger(__name__)
_PERIOD = 3.0  # seconds


@dataclass(frozen=True, slots=True)
class ClockWatch:
    """Runs beside the pipeline for as long as it does."""

    clock: WatchedClock
    commands: Commands

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            await self.clock.poll()
            with suppress(TransientError, StoreError):  # a broken store retries by itself once it recovers
                await self.retry_when_trusted()
            await asyncio.sleep(_PERIOD)

    async def retry_when_trusted(self) -> None:
        """Try again what waited for the clock, once it can be believed; later, where nothing can be carried out."""
        if not self.clock.doubted or self.clock.trust().trust == UNTRUSTED:
            return
        self.clock.doubted = False
        try:
            await self.commands.execute(Retry(), Author("gateway"))
        except (TransientError, StoreError):
            self.clock.doubted = True
            raise
        logger.info("the clock is trusted again")

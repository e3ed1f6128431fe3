"""Deletes, hour by hour, what every required consumer has and is older than it has to be kept."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from gateway.errors import StoreError
from gateway.ports import Clock
from gateway.runtime.archiving import Archiving
from gateway.store.retention import prune
from gateway.store.store import Store

logger = logging.getLogger(__name__)
_PERIOD = 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class Retention:
    """Works through the store's one writing connection, in small transactions between two batches.

    With `archiving` nothing goes that isn't in an archive that was verified, signed, and is as it was written.
    """

    store: Store
    clock: Clock
    keep: timedelta
    archiving: Archiving | None = None

    async def run(self) -> None:
        """Prune now and every hour until cancelled."""
        while True:
            try:
                await self.prune()
            except StoreError as error:
                logger.error("retention deletes nothing: %s", error)  # noqa: TRY400 - no bug: no traceback
            await asyncio.sleep(_PERIOD)

    async def prune(self) -> int:
        """Delete what may go now; return how many postings. StoreError where it can't be archived or deleted."""
        now = self.clock.now().wall
        through = await self.archiving.through(self.store.path, now - self.keep) if self.archiving else None
        deleted = await prune(self.store, self.keep, now, through)
        if deleted:
            logger.info("retention deleted %d acknowledged postings older than %s", deleted, self.keep)
        return deleted

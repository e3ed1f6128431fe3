"""Deletes, hour by hour, what every required consumer has and is older than it has to be kept."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from gateway.ports import Clock
from gateway.store.retention import prune
from gateway.store.store import Store

logger = logging.getLogger(__name__)
_PERIOD = 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class Retention:
    """Works through the store's one writing connection, in small transactions between two batches."""

    store: Store
    clock: Clock
    keep: timedelta

    async def run(self) -> None:
        """Prune now and every hour until cancelled."""
        while True:
            deleted = await prune(self.store, self.keep, self.clock.now().wall)
            if deleted:
                logger.info("retention deleted %d acknowledged postings older than %s", deleted, self.keep)
            await asyncio.sleep(_PERIOD)

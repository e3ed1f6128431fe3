"""Keeps every part running: a part that fails is started again with back-off and touches no other."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from gateway.transport.backoff import Backoff

logger = logging.getLogger(__name__)
_LONG_RUN = 60.0  # a part that ran this long (s) begins again with the shortest pause


async def supervise(name: str, part: Callable[[], Awaitable[None]]) -> None:
    """Run `part` until it ends by itself or is cancelled; when it fails, start it again after a pause."""
    backoff = Backoff(0.5, 30.0)
    loop = asyncio.get_running_loop()
    while True:
        begun = loop.time()
        try:
            return await part()
        except Exception:
            logger.exception("%s failed and is started again", name)
        if loop.time() - begun > _LONG_RUN:
            backoff.reset()
        await asyncio.sleep(backoff.next())

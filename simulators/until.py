"""Waiting for something that has no event of its own."""

import asyncio
import math
from collections.abc import Callable

POLL = 0.02  # seconds


async def until(condition: Callable[[], bool], within: float = math.inf) -> bool:
    """Return True once `condition` holds, or False after `within` seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while not condition():
        if loop.time() > end:
            return False
        await asyncio.sleep(POLL)
    return True

"""A gateway inside the test's own process: for what has to be seen, or replaced, from within."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.ports import Clock
from gateway.runtime.bootstrap import load_config, open_gateway
from gateway.runtime.gateway import Gateway


@asynccontextmanager
async def serving(config: Path, clock: Clock) -> AsyncIterator[Gateway]:
    """Run a configuration until the end of the block, then drain it."""
    async with open_gateway(load_config(config), clock) as gateway:
        end = asyncio.Event()
        task = asyncio.create_task(gateway.serve(end))
        try:
            yield gateway
        finally:
            end.set()
            await task

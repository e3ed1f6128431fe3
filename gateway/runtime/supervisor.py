"""Keeps every part running: a part that fails is started again with back-off and touches no other."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection

from gateway.runtime.breaker import Breaker, Rules
from gateway.transport.backoff import Backoff

logger = logging.getLogger(__name__)
Part = Callable[[], Awaitable[None]]
_ENDING = 1.0  # seconds in which a task that was cancelled has ended, if it was told


async def end(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel these tasks until each has ended: a library may drop a cancellation that meets an answer."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_ENDING)
    await asyncio.gather(*tasks, return_exceptions=True)  # seen: nobody else asks how they ended


class Supervisor:
    """Runs the daemon's parts, and knows which of them fail again and again."""

    def __init__(self, rules: Rules | None = None) -> None:
        self._rules = rules or Rules()
        self._breakers: dict[str, Breaker] = {}

    def tripped(self) -> dict[str, str]:
        """Return the parts that are started only rarely, by name, with the sentence that says why."""
        now = asyncio.get_running_loop().time()
        found = {name: one.tripped(now) for name, one in self._breakers.items()}
        return {name: why for name, why in found.items() if why}

    async def supervise(self, name: str, part: Part) -> None:
        """Run `part` until it ends by itself or is cancelled; when it fails, start it again after a pause."""
        breaker = self._breakers[name] = Breaker(self._rules)
        try:
            await self._keep_running(name, part, breaker)
        finally:
            del self._breakers[name]

    async def _keep_running(self, name: str, part: Part, breaker: Breaker) -> None:
        backoff = Backoff(self._rules.first, self._rules.at_most)
        now = asyncio.get_running_loop().time
        while True:
            breaker.started(now())
            try:
                return await part()
            except Exception as error:
                breaker.failed(now(), error)
                logger.exception("%s failed and is started again", name)
            if breaker.failures == 1:  # the first one since it was well
                backoff.reset()
            if why := breaker.tripped(now()):
                logger.error("%s %s", name, why)
                await asyncio.sleep(self._rules.rest)
            else:
                await asyncio.sleep(backoff.next())

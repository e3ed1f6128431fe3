"""Refused signed commands on their way into the chain: the first ones of a caller's minute, then how many more.

Each entry is a commit of its own and stays for ever, so nobody may write them without limit.
"""

from dataclasses import dataclass
from typing import NamedTuple

from gateway.domain.command import Command
from gateway.domain.signature import Author
from gateway.ports import Clock, Commands

ONE_BY_ONE = 10  # of a caller …
_WITHIN = 60 * 1_000_000_000  # … in so many nanoseconds


class Refused(NamedTuple):
    """A command that was refused before it was tried, who gave it, and why not."""

    command: Command
    author: Author
    why: str


@dataclass(slots=True)
class _Minute:
    """What a caller was refused since `begun` (boottime): `count` in all, the last of them."""

    begun: int
    last: Refused
    count: int = 0


class Refusals:
    """Counts what each caller is refused."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._minutes: dict[str, _Minute] = {}  # by caller: tokens, so there are only a few

    async def audit(self, commands: Commands, caller: str, refused: Refused) -> None:
        """Have it chained, or counted where that caller's minute has enough of them."""
        now = self._clock.now().boottime
        await self.settle(commands)
        minute = self._minutes.setdefault(caller, _Minute(now, refused))
        minute.count, minute.last = minute.count + 1, refused
        if minute.count <= ONE_BY_ONE:
            await commands.audit(*refused)

    async def settle(self, commands: Commands) -> None:
        """Chain how many more there were in the minutes that are over."""
        now = self._clock.now().boottime
        over = {name: one for name, one in self._minutes.items() if now - one.begun >= _WITHIN}
        for caller in over:
            del self._minutes[caller]  # all at once: others audit while these are written
        for caller, minute in over.items():
            if (more := minute.count - ONE_BY_ONE) > 0:
                command, author, why = minute.last
                await commands.audit(command, author, f"{why}: the last of {more} more of {caller} in that minute")

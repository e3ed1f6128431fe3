"""How many refused signed commands are chained one by one, and how the others are told."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from gateway.api.refusals import ONE_BY_ONE, Refusals, Refused
from gateway.domain.clock import ClockTrust, Instant
from gateway.domain.command import Command, Reverse
from gateway.domain.signature import Author

ANNA = Author("anna")


@dataclass
class Clock:
    seconds: int = 0

    def now(self) -> Instant:
        return Instant(datetime(2026, 11, 21, tzinfo=UTC), self.seconds * 1_000_000_000, "boot")

    def trust(self) -> ClockTrust:
        return ClockTrust("assume", 0)

    def believe(self) -> None:
        pass


@dataclass
class Chain:
    """Only remembers what it was to write."""

    said: list[str] = field(default_factory=list)

    async def audit(self, command: Command, author: Author, refused: str) -> None:
        assert isinstance(command, Reverse)
        assert author == ANNA
        self.said.append(refused)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def refusals(clock: Clock) -> Refusals:
    return Refusals(clock)


async def refuse(refusals: Refusals, chain: Chain, count: int) -> None:
    for number in range(1, count + 1):
        said = Refused(Reverse(number, "MISCOUNT"), ANNA, f"no {number}")
        await refusals.audit(chain, "terminal", said)  # type: ignore[arg-type]  # only that


async def test_the_first_ones_are_chained_one_by_one(refusals: Refusals) -> None:
    chain = Chain()
    await refuse(refusals, chain, ONE_BY_ONE + 3)

    assert [f"no {number}" for number in range(1, ONE_BY_ONE + 1)] == chain.said


async def test_how_many_more_there_were_is_told_when_the_minute_is_over(refusals: Refusals, clock: Clock) -> None:
    chain = Chain()
    await refuse(refusals, chain, ONE_BY_ONE + 3)
    clock.seconds = 60
    await refusals.settle(chain)  # type: ignore[arg-type]  # only that
    await refusals.settle(chain)  # type: ignore[arg-type]  # only that

    assert [f"no {ONE_BY_ONE + 3}: the last of 3 more of terminal in that minute"] == chain.said[ONE_BY_ONE:]


async def test_the_next_minute_is_chained_again(refusals: Refusals, clock: Clock) -> None:
    chain = Chain()
    await refuse(refusals, chain, ONE_BY_ONE)
    clock.seconds = 60
    await refuse(refusals, chain, 1)

    assert ONE_BY_ONE + 1 == len(chain.said)

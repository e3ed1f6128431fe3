"""The watched clock: what its source says, what it remembers, and when what waits is tried again."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.clock import ClockLimits
from gateway.domain.command import Retry
from gateway.domain.signature import Author
from gateway.errors import TransientError
from gateway.runtime.clock import SystemClock, WatchedClock
from gateway.runtime.clock_watch import ClockWatch
from gateway.runtime.time_source import ClockReading

LIMITS = ClockLimits(max_error_ms=60_000, drift_ppm=50)


class Source:
    """A time source that says what a test wants."""

    name = "chrony"

    def __init__(self, reading: ClockReading | None = None) -> None:
        self.reading = reading

    async def read(self) -> ClockReading:
        if self.reading is None:
            raise TransientError("chrony says that the clock is not synchronised")
        return self.reading


class Commands:
    def __init__(self) -> None:
        self.given: list[object] = []
        self.asked = asyncio.Event()
        self.broken = False

    async def execute(self, command: object, author: Author) -> object:
        if self.broken:
            raise TransientError("not carried out: the disk is full")
        self.given.append((command, author))
        self.asked.set()
        return None


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def memory(tmp_path):
    return tmp_path / "gateway.db.clock"


@pytest.fixture
def clock(source, memory):
    return WatchedClock(source, LIMITS, memory)


def set_wall(monkeypatch, clock, seconds):
    now = SystemClock.now
    monkeypatch.setattr(clock, "now", lambda: (at := now(clock)) and replace(at, wall=at.wall + timedelta(0, seconds)))


async def test_a_clock_that_never_was_synchronised_says_why_it_is_not_trusted(clock):
    await clock.poll()

    expected = "the clock was not synchronised since the last boot: chrony says that the clock is not synchronised"
    assert ("none", None, expected) == (clock.trust().trust, clock.trust().error_ms, clock.trust().reason)


async def test_a_synchronised_clock_is_trusted_with_the_sources_error(clock, source):
    source.reading = ClockReading(12, "a")
    await clock.poll()

    assert ("chrony", 12) == (clock.trust().trust, clock.trust().error_ms)


async def test_a_source_that_is_away_holds_nothing_by_itself(clock, source):
    source.reading = ClockReading(12, "a")
    await clock.poll()
    source.reading = None
    await clock.poll()

    assert "chrony" == clock.trust().trust


async def test_trust_survives_a_restart_within_the_same_boot(clock, source, memory):
    source.reading = ClockReading(12, "a")
    await clock.poll()

    assert "chrony" == WatchedClock(Source(), LIMITS, memory).trust().trust


async def test_trust_does_not_survive_a_boot(clock, source, memory):
    source.reading = ClockReading(12, "a")
    await clock.poll()
    memory.write_text(memory.read_text().replace(clock.now().boot, "the-boot-before"))

    assert "none" == WatchedClock(Source(), LIMITS, memory).trust().trust


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"wall": 7}'])
def test_a_memory_that_was_cut_short_knows_nothing(source, memory, content):
    memory.write_text(content)

    assert "none" == WatchedClock(source, LIMITS, memory).trust().trust


@pytest.mark.parametrize("hour", [3600, -3600])
async def test_a_clock_that_is_set_is_untrusted_at_once_and_until_the_source_has_seen_it(
    clock, source, monkeypatch, hour
):
    source.reading = ClockReading(12, "a")
    await clock.poll()
    set_wall(monkeypatch, clock, hour)
    seen = [clock.trust().trust]
    await clock.poll()  # chrony hasn't asked its server since
    seen.append(clock.trust().trust)
    source.reading = ClockReading(12, "b")
    await clock.poll()

    assert ["none", "none", "chrony"] == [*seen, clock.trust().trust]


async def test_a_person_may_trust_the_clock(clock, memory):
    clock.believe()

    assert "person" == clock.trust().trust
    assert "person" == WatchedClock(Source(), LIMITS, memory).trust().trust


async def test_a_memory_that_cannot_be_written_does_not_stop_the_clock(source, tmp_path):
    source.reading = ClockReading(12, "a")
    clock = WatchedClock(source, LIMITS, tmp_path / "nowhere" / "gateway.db.clock")
    await clock.poll()

    assert "chrony" == clock.trust().trust


async def test_what_waited_for_the_clock_is_tried_again_once(clock, source):
    commands = Commands()
    watch = ClockWatch(clock, commands)
    clock.trust()  # somebody was refused
    await watch.retry_when_trusted()
    source.reading = ClockReading(12, "a")
    await clock.poll()
    for _ in range(2):
        await watch.retry_when_trusted()

    assert [(Retry(), Author("gateway"))] == commands.given


async def test_where_nobody_was_refused_nothing_is_tried(clock, source):
    commands = Commands()
    source.reading = ClockReading(12, "a")
    await clock.poll()
    await ClockWatch(clock, commands).retry_when_trusted()

    assert [] == commands.given


async def test_a_retry_that_could_not_be_carried_out_is_asked_again(clock, source):
    commands = Commands()
    watch = ClockWatch(clock, commands)
    clock.trust()
    source.reading = ClockReading(12, "a")
    await clock.poll()
    commands.broken = True
    with pytest.raises(TransientError):
        await watch.retry_when_trusted()
    commands.broken = False
    await watch.retry_when_trusted()

    assert 1 == len(commands.given)


async def test_the_watch_polls_by_itself(clock, source):
    source.reading = ClockReading(12, "a")
    commands = Commands()
    clock.trust()
    watching = asyncio.create_task(ClockWatch(clock, commands).run())
    await commands.asked.wait()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)

    assert "chrony" == clock.trust().trust

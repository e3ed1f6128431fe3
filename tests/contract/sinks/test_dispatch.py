"""Every sink behind the dispatcher, over a real store: whatever happens, each posting is booked exactly once."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.settings.sink import SinkSettings
from gateway.store.batch import ConsumerKind
from gateway.store.letters import Refused
from gateway.sync.dispatcher import Dispatcher
from simulators.until import until
from tests.contract.sinks.conftest import Target
from tests.integration.api.writer import Writer, open_writer

SETTINGS = SinkSettings(sink="erp", kind="any", batch=4, retry_after=0.01, retry_at_most=0.05)


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer]:
    async with open_writer(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def dispatching(target: Target, writer: Writer) -> AsyncIterator[None]:
    task = asyncio.create_task(Dispatcher(SETTINGS, target.sink, writer.log, writer).run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def moved(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Awaitable[None]]:
    """Waits until the sink's watermark stands there."""
    news = asyncio.Condition()
    stands = 0
    deliver = writer.deliver

    async def announced(sink: str, through: int, rejected: dict[int, str]) -> None:
        nonlocal stands
        await deliver(sink, through, rejected)
        async with news:
            stands = through
            news.notify_all()

    async def until(through: int) -> None:
        async with asyncio.timeout(60), news:
            await news.wait_for(lambda: stands >= through)

    monkeypatch.setattr(writer, "deliver", announced)
    return until


def booked(target: Target, writer: Writer) -> list[int]:
    assert {(gateway, store) for gateway, store, _ in target.system.booked} <= {("PLANT1-L1", writer.store.store)}
    return sorted(seq for _, _, seq in target.system.booked)


async def test_the_log_arrives_byte_for_byte(
    target: Target, writer: Writer, moved: Callable[[int], Awaitable[None]]
) -> None:
    await writer.post(10)
    page = await writer.log.page(0, None, 10)

    async with dispatching(target, writer):
        await moved(10)

    assert [json.loads(one.body) for one in page.documents] == list(target.system.booked.values())


async def test_postings_made_while_it_runs_arrive(
    target: Target, writer: Writer, moved: Callable[[int], Awaitable[None]]
) -> None:
    async with dispatching(target, writer):
        await writer.post(1)
        await moved(1)
        await writer.post(2)
        await moved(3)

    assert booked(target, writer) == [1, 2, 3]


async def test_a_destination_down_for_a_while_catches_up(
    target: Target, writer: Writer, moved: Callable[[int], Awaitable[None]]
) -> None:
    async with dispatching(target, writer):
        await writer.post(2)
        await moved(2)
        await target.system.stop()
        await writer.post(9)
        await target.system.start()
        await moved(11)

    assert booked(target, writer) == list(range(1, 12))


async def test_a_watermark_that_could_not_be_kept_books_nothing_twice(
    target: Target, writer: Writer, moved: Callable[[int], Awaitable[None]]
) -> None:
    await writer.post(3)
    writer.failing = True
    async with dispatching(target, writer):
        assert await until(lambda: len(target.system.requests) > 1, within=60)  # sent again
        writer.failing = False
        await moved(3)

    assert booked(target, writer) == [1, 2, 3]


async def test_what_is_refused_is_kept_and_never_stops_the_rest(
    target: Target, writer: Writer, moved: Callable[[int], Awaitable[None]]
) -> None:
    target.system.refused[2] = "unknown item"
    await writer.post(6)

    async with dispatching(target, writer):
        await moved(6)

    buffers = await writer.views.buffers()
    assert booked(target, writer) == [1, 3, 4, 5, 6]
    assert [(one.kind, one.name, one.through, one.rejected) for one in buffers] == [(ConsumerKind.SINK, "erp", 6, 1)]


async def test_a_token_that_is_not_taken_puts_nothing_aside_and_the_new_one_brings_all(
    target: Target, writer: Writer, moved: Callable[[int], Awaitable[None]]
) -> None:
    await writer.post(6)
    target.system.token = "another token"
    async with dispatching(target, writer):
        assert await until(lambda: len(target.system.requests) > 1, within=60)
        target.renew_token("another token")
        await moved(6)

    (erp,) = await writer.views.buffers()
    assert (6, 0) == (erp.through, erp.rejected)
    assert booked(target, writer) == [1, 2, 3, 4, 5, 6]


async def test_what_is_put_off_comes_again_until_it_is_taken(
    target: Target, writer: Writer, moved: Callable[[int], Awaitable[None]]
) -> None:
    target.system.put_off.add(3)
    await writer.post(6)
    async with dispatching(target, writer):
        await moved(2)
        assert (await writer.watermarks())[ConsumerKind.SINK, "erp"] == 2

        target.system.put_off.clear()
        await moved(6)

    assert booked(target, writer) == [1, 2, 3, 4, 5, 6]


async def test_it_goes_on_after_a_restart_without_sending_the_log_again(
    target: Target, writer: Writer, moved: Callable[[int], Awaitable[None]]
) -> None:
    await writer.post(4)
    async with dispatching(target, writer):
        await moved(4)
    requests = len(target.system.requests)
    await writer.post(2)

    async with dispatching(target, writer):
        await moved(6)

    assert len(target.system.requests) == requests + 1


async def refusals(writer: Writer, done: Callable[[Refused], bool]) -> Refused:
    """Wait until that is so of the only refusal; return it."""
    async with asyncio.timeout(60):
        while True:
            found = [one for closed in (True, False) for one in await writer.views.refused(("", 0), 10, closed=closed)]
            if found and done(found[0]):
                return found[0]
            await asyncio.sleep(0.01)


async def test_a_refused_posting_is_booked_on_another_try(
    target: Target, writer: Writer, moved: Callable[[int], Awaitable[None]]
) -> None:
    target.system.refused[2] = "unknown item"
    await writer.post(3)
    async with dispatching(target, writer):
        await moved(3)
        target.system.refused.clear()
        await writer.ask_again("erp", 2)
        found = await refusals(writer, lambda one: one.closed is not None)

    assert found.closed is not None
    assert found.closed.reason == "booked on another try"
    assert booked(target, writer) == [1, 2, 3]
    assert (await writer.watermarks())[ConsumerKind.SINK, "erp"] == 3


async def test_another_refusal_brings_the_new_reason(
    target: Target, writer: Writer, moved: Callable[[int], Awaitable[None]]
) -> None:
    target.system.refused[2] = "unknown item"
    await writer.post(3)
    async with dispatching(target, writer):
        await moved(3)
        target.system.refused[2] = "lot is blocked"
        await writer.ask_again("erp", 2)
        found = await refusals(writer, lambda one: one.tries > 1)

    assert (found.reason, found.asked, found.closed) == ("lot is blocked", False, None)


async def test_another_try_goes_on_after_a_restart(
    target: Target, writer: Writer, moved: Callable[[int], Awaitable[None]]
) -> None:
    target.system.refused[2] = "unknown item"
    await writer.post(3)
    async with dispatching(target, writer):
        await moved(3)
    await writer.ask_again("erp", 2)
    target.system.refused.clear()
    async with dispatching(target, writer):
        await refusals(writer, lambda one: one.closed is not None)

    assert booked(target, writer) == [1, 2, 3]

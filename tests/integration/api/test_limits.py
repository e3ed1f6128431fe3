"""What one caller may take from the others: size, time, number of requests and of connections."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gateway.api import body, protocol
from gateway.api.auth import STRANGERS_BURST, STRANGERS_PER_SECOND
from gateway.api.limits import AT_A_TIME, BURST, LARGEST_HEADERS, LONGEST_TARGET, MOST_HEADERS, PER_SECOND, Rates
from gateway.domain.clock import Instant
from tests.integration.api.conftest import Site
from tests.integration.api.writer import NOW, StoppedClock

SECOND = 1_000_000_000


class Clock(StoppedClock):
    seconds = 0

    def now(self) -> Instant:
        return Instant(NOW, self.seconds * SECOND, "boot")


def test_a_bucket_gives_its_burst_and_then_so_many_a_second() -> None:
    clock = Clock()
    rates = Rates(clock, per_second=2, burst=3)
    at_once = [rates.take("erp") for _ in range(4)]
    clock.seconds = 1
    later = [rates.take("erp") > 0 for _ in range(3)]

    assert ([0, 0, 0, 0.5], [False, False, True]) == (at_once, later)


def test_callers_have_buckets_of_their_own_and_only_the_busy_ones_are_remembered() -> None:
    clock = Clock()
    rates = Rates(clock, per_second=1, burst=1)
    first = [rates.take(f"address {number}") for number in range(1000)]
    clock.seconds = 10
    rates.take("another")

    assert {0.0} == set(first)
    assert ["another"] == list(rates._full_at)


async def statuses(client: httpx.AsyncClient, count: int, path: str) -> list[int]:
    return [(await client.get(path)).status_code for _ in range(count)]


async def test_a_token_that_asks_too_often_is_told_when_to_come_again(site: Site) -> None:
    erp = site.client("erp")
    answered = await statuses(erp, BURST, "/api/v1/consumers")
    refused = await erp.get("/api/v1/consumers")
    other = await site.client("viewer").get("/api/v1/consumers")

    assert {200} == set(answered)
    assert (429, "1", 200) == (refused.status_code, refused.headers["Retry-After"], other.status_code)


async def test_guessing_tokens_is_slowed_down_and_the_right_one_goes_through(site: Site) -> None:
    guessed = await statuses(site.client("stranger"), STRANGERS_BURST, "/api/v1/status")
    refused = await site.client("stranger").get("/api/v1/status")
    right = await site.client("viewer").get("/api/v1/consumers")

    assert {401} == set(guessed)
    assert (429, 200) == (refused.status_code, right.status_code)


def test_the_erp_has_room() -> None:
    """With pages of 200 postings it catches up a day of one a second in less than five seconds."""
    assert 86_400 / 200 / PER_SECOND < 5
    assert STRANGERS_PER_SECOND < PER_SECOND


async def test_only_so_many_requests_of_a_token_wait_at_a_time(site: Site) -> None:
    erp = site.client("erp")
    last = await site.writer.log.last()
    poll = f"/api/v1/postings?after={last}&wait=60"
    polls = [asyncio.create_task(erp.get(poll, timeout=90)) for _ in range(AT_A_TIME + 1)]
    done, waiting = await asyncio.wait(polls, timeout=30, return_when=asyncio.FIRST_COMPLETED)
    other = await site.client("admin").get("/api/v1/consumers")
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)

    assert [429] == [one.result().status_code for one in done]
    assert 200 == other.status_code


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param({"params": {"after": "1" * LONGEST_TARGET}}, 414, id="long address"),
        pytest.param({"headers": {f"X-{number}": "" for number in range(MOST_HEADERS)}}, 431, id="many headers"),
        pytest.param({"headers": {"X-Long": "a" * LARGEST_HEADERS}}, 431, id="long header"),
    ],
)
async def test_a_head_that_no_client_of_ours_sends_is_refused_before_anything_else(
    site: Site, request_: dict[str, Any], status: int
) -> None:
    answer = await site.client(None).get("/api/v1/postings", **request_)

    # uvicorn may have seen it come in pieces, and then refuses it by itself.
    assert answer.status_code in (status, 400)


@contextlib.asynccontextmanager
async def connected(site: Site) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.server.port)
    yield reader, writer
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def rest(reader: asyncio.StreamReader) -> bytes:
    said = b""
    async with asyncio.timeout(60):
        with contextlib.suppress(ConnectionResetError):  # it hung up on what was still being sent
            while more := await reader.read(65536):
                said += more
    return said


async def dribble(writer: asyncio.StreamWriter, text: bytes) -> None:
    with contextlib.suppress(OSError):
        while True:
            writer.write(text)
            await writer.drain()
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("head", "more"),
    [
        pytest.param(b"", b"", id="silent"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: a\r\n", b"X-A: b\r\n", id="headers without end"),
    ],
)
async def test_a_client_that_dribbles_its_head_is_hung_up_on_while_others_are_served(
    site: Site, monkeypatch: pytest.MonkeyPatch, head: bytes, more: bytes
) -> None:
    monkeypatch.setattr(protocol, "HEAD_WITHIN", 1.0)
    async with connected(site) as (reader, writer):
        writer.write(head)
        dribbling = asyncio.create_task(dribble(writer, more))
        served = await site.client("viewer").get("/api/v1/consumers")
        ended = await rest(reader)
        dribbling.cancel()

    assert (200, b"") == (served.status_code, ended)


async def test_a_second_head_on_the_same_connection_has_no_more_time(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_WITHIN", 1.0)
    async with connected(site) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\n")
        dribbling = asyncio.create_task(dribble(writer, b"X-A: b\r\n"))
        ended = await rest(reader)
        dribbling.cancel()

    assert 1 == ended.count(b"200 OK")


async def test_a_body_that_dribbles_is_408(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_WITHIN", 0.5)
    async with connected(site) as (reader, writer):
        head = "POST /api/v1/stagings HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer token of operator\r\n"
        writer.write(f"{head}Content-Length: 1000\r\n\r\n".encode())
        dribbling = asyncio.create_task(dribble(writer, b" "))
        ended = await rest(reader)
        dribbling.cancel()

    assert ended.startswith(b"HTTP/1.1 408 ")


async def test_one_address_has_only_so_many_connections(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MOST_OF_ONE_ADDRESS", 2)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(connected(site))
        async with connected(site) as (reader, _):
            ended = await rest(reader)

    assert b"" == ended
    assert 200 == (await site.client("viewer").get("/api/v1/consumers")).status_code


async def test_a_client_that_reads_nothing_is_hung_up_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "ANSWER_WITHIN", 0.5)
    monkeypatch.setattr(protocol, "MOST_OF_ONE_ADDRESS", 1)
    request = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer token of viewer\r\n\r\n"
    async with connected(site) as (reader, writer):
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(request * 100)

        await _let_in(site)  # once the first connection is gone


async def _let_in(site: Site) -> None:
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(httpx.TransportError):
                assert 200 == (await site.client("viewer").get("/api/v1/consumers")).status_code
                return
            await asyncio.sleep(0.05)

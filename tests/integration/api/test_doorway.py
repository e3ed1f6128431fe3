"""Who is not let in over TLS: the log says why, and whoever says nothing costs little."""

import asyncio
import contextlib
import gc
import socket
import ssl
from asyncio.sslproto import SSLProtocol
from pathlib import Path

import httpx
import pytest

from gateway.api.protocol import MOST_OF_ONE_ADDRESS
from gateway.api.server import ApiServer
from simulators.until import until
from tests.integration.api.conftest import Site
from tests.integration.api.tls import WRONG, Plant, ask, in_the_log, revoke, serving


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("another authority", "its authority isn't known here (put the authority's certificate into "),
        ("expired", "its certificate has expired"),
        ("revoked", "its certificate was revoked"),
        ("expired list", "a revocation list has expired: that of CN=client-ca, "),
    ],
)
async def test_the_log_says_why_a_client_certificate_was_refused_and_whose(
    site: Site, plant: Plant, caplog: pytest.LogCaptureFixture, wrong: str, said: str
) -> None:
    shown = WRONG[wrong](plant)
    async with serving(site, plant) as server:
        with pytest.raises(httpx.TransportError):
            await ask(server, plant.servers.certificate, "erp", shown)

        assert await in_the_log(caplog, "api: no TLS connection with 127.0.0.1", said)


async def test_the_log_says_that_a_client_does_not_take_the_gateways_certificate(
    site: Site, plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(port: int) -> None:  # asyncio's clients hang up without the alert that others send
        client = ssl.create_default_context(cafile=plant.clients.certificate)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as plain, pytest.raises(ssl.SSLError):
            client.wrap_socket(plain, server_hostname="127.0.0.1")

    async with serving(site, plant) as server:
        await asyncio.to_thread(refuse, server.port)

        assert await in_the_log(caplog, f"does not take our certificate {plant.server.certificate}")


async def test_the_same_refusal_of_the_same_address_is_logged_once(
    site: Site, plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    shown = revoke(plant)
    async with serving(site, plant) as server:
        for _ in range(3):
            with pytest.raises(httpx.TransportError):
                await ask(server, plant.servers.certificate, "erp", shown)
        assert 200 == (await ask(server, plant.servers.certificate, "operator")).status_code
        assert await in_the_log(caplog, "was revoked")

    assert 1 == sum("was revoked" in line for line in caplog.messages)


async def test_who_connects_and_says_nothing_is_hung_up_on(
    site: Site, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.api.doorway.HANDSHAKE_WITHIN", 0.1)
    async with serving(site, plant) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        async with asyncio.timeout(60):
            said = await reader.read()
        writer.close()

    assert b"" == said


async def _hung_up_on(silent: socket.socket) -> bool:
    with contextlib.suppress(ConnectionResetError):
        return b"" == await asyncio.get_running_loop().sock_recv(silent, 1)
    return True


def _connect(stack: contextlib.ExitStack, port: int, count: int, host: str = "127.0.0.1") -> list[socket.socket]:
    """Connect so often, and say nothing; nobody in this loop has had a turn since."""
    return [
        stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60, source_address=(host, 0)))
        for _ in range(count)
    ]


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.api.doorway.HANDSHAKE_WITHIN", 600.0)


@pytest.mark.usefixtures("patient")
async def test_who_connects_without_end_and_says_nothing_takes_few_descriptors_and_keeps_nobody_out(
    site: Site, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.api.doorway.HANDSHAKES_OF_ONE_ADDRESS", 16)
    before = most = _descriptors()
    count = 100  # fewer than the kernel lets wait
    with contextlib.ExitStack() as stack:
        async with serving(site, plant) as server:
            silent = _connect(stack, server.port, count)
            for one in silent:
                one.setblocking(False)
            gone = asyncio.gather(*map(_hung_up_on, silent[:-16]))
            async with asyncio.timeout(60):
                while not gone.done():
                    most = max(most, _descriptors())
                    await asyncio.sleep(0)
            answer = await ask(server, plant.servers.certificate, "operator")

    assert all(gone.result())
    assert 200 == answer.status_code
    assert most < before + count + count // 2  # the clients' own, and not one more for each


@pytest.mark.usefixtures("patient")
async def test_as_many_clients_of_one_address_as_may_connect_get_in_at_once(site: Site, plant: Plant) -> None:
    context = ssl.create_default_context(cafile=plant.servers.certificate)
    with contextlib.ExitStack() as stack:
        async with serving(site, plant) as server, asyncio.timeout(60):
            clients = _connect(stack, server.port, MOST_OF_ONE_ADDRESS)
            await until(lambda: _under_way(server) == len(clients), within=20)
            opened = [asyncio.open_connection(sock=one, ssl=context, server_hostname="127.0.0.1") for one in clients]
            streams = await asyncio.gather(*opened)
            answers = await asyncio.gather(*(_asked(*one) for one in streams))

    assert {b"HTTP/1.1 200"} == set(answers)


def _under_way(server: ApiServer) -> int:
    return sum(len(one._handshakes) for one in server._server._doorways) if server._server else 0


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n")
    answer = await reader.readexactly(12)
    writer.close()
    return answer


@pytest.mark.usefixtures("patient")
async def test_the_address_with_the_most_handshakes_makes_room(
    site: Site, plant: Plant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gateway.api.doorway.MOST_HANDSHAKES", 3)
    with contextlib.ExitStack() as stack:
        async with serving(site, plant) as server:
            hosts = ("127.0.0.2", "127.0.0.3", "127.0.0.3", "127.0.0.4")
            silent = [_connect(stack, server.port, 1, host=host)[0] for host in hosts]
            for one in silent:
                one.setblocking(False)
            ends = [asyncio.create_task(_hung_up_on(one)) for one in silent]
            await asyncio.wait(ends, timeout=60, return_when=asyncio.FIRST_COMPLETED)
            gone = [one.done() for one in ends]

    assert [False, True, False, False] == gone
    assert "api: no TLS connection with 127.0.0.3: too many at a time, the oldest is hung up on" in caplog.messages


@pytest.mark.usefixtures("patient")
async def test_the_oldest_handshake_makes_room_where_no_address_has_more_than_another(
    site: Site, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.api.doorway.MOST_HANDSHAKES", 3)
    with contextlib.ExitStack() as stack:
        async with serving(site, plant) as server:
            silent = [_connect(stack, server.port, 1, host=f"127.0.0.{number}")[0] for number in range(2, 6)]
            for one in silent:
                one.setblocking(False)
            async with asyncio.timeout(60):
                first = await _hung_up_on(silent[0])
            others = [asyncio.create_task(_hung_up_on(one)) for one in silent[1:]]
            answer = await ask(server, plant.servers.certificate, "operator")
            async with asyncio.timeout(60):
                second = await others[0]
            still = [one.done() for one in others[1:]]

    assert (True, True, [False, False]) == (first, second, still)
    assert 200 == answer.status_code


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\n\r\n"], ids=["hangs up", "no TLS"])
async def test_a_handshake_that_failed_leaves_nothing_in_memory(
    site: Site, plant: Plant, caplog: pytest.LogCaptureFixture, said: bytes
) -> None:
    gc.collect()
    before = _handshakes()  # of other tests
    gc.disable()  # it comes round too seldom for what strangers leave
    try:
        async with serving(site, plant) as server:
            with socket.create_connection(("127.0.0.1", server.port), timeout=60) as plain:
                plain.sendall(said)
            failed = await in_the_log(caplog, "api: no TLS connection with 127.0.0.1")
            freed = await until(lambda: _handshakes() <= before, within=60)
    finally:
        gc.enable()

    assert (True, True) == (failed, freed)


def _handshakes() -> int:
    return sum(type(one) is SSLProtocol for one in gc.get_objects())

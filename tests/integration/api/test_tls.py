"""The API over TLS: its own certificate, and the client certificate that the ERP's token takes."""

import asyncio
import contextlib
import socket
import ssl
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.errors import ConfigError
from gateway.transport.validity import lives
from simulators.until import until
from tests.harness.certificates import Authority
from tests.integration.api.conftest import Site
from tests.integration.api.tls import WRONG, Plant, ask, revoke, serving


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path)


async def test_the_erp_pulls_with_its_certificate_and_people_go_without(site: Site, plant: Plant) -> None:
    async with serving(site, plant) as server:
        erp = await ask(server, plant.servers.certificate, "erp", plant.erp)
        person = await ask(server, plant.servers.certificate, "operator")

    assert (200, 200) == (erp.status_code, person.status_code)


async def test_the_erps_token_alone_is_worth_nothing(site: Site, plant: Plant) -> None:
    async with serving(site, plant) as server:
        answer = await ask(server, plant.servers.certificate, "erp")

    assert 401 == answer.status_code
    assert "only with a client certificate" in answer.json()["detail"]


@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
async def test_a_wrong_client_certificate_gets_no_answer(site: Site, plant: Plant, wrong: Any) -> None:
    shown = wrong(plant)
    async with serving(site, plant) as server:
        with pytest.raises(httpx.TransportError):
            await ask(server, plant.servers.certificate, "erp", shown)

        assert 200 == (await ask(server, plant.servers.certificate, "operator")).status_code


async def test_a_revocation_counts_from_the_next_reload_on(site: Site, plant: Plant) -> None:
    async with serving(site, plant) as server:
        before = await ask(server, plant.servers.certificate, "erp", plant.erp)
        revoke(plant)
        server.renew()

        assert 200 == before.status_code
        with pytest.raises(httpx.TransportError):
            await ask(server, plant.servers.certificate, "erp", plant.erp)


async def test_an_authority_that_was_taken_away_is_trusted_no_more_from_the_next_reload_on(
    site: Site, plant: Plant
) -> None:
    another = Authority(plant.folder, "another-ca")
    async with serving(site, plant) as server:
        before = await ask(server, plant.servers.certificate, "erp", plant.erp)
        plant.clients.certificate.write_bytes(another.certificate.read_bytes())
        plant.crl.write_bytes(another.revocations())
        server.renew()

        assert 200 == before.status_code
        with pytest.raises(httpx.TransportError):
            await ask(server, plant.servers.certificate, "erp", plant.erp)


async def test_bad_files_leave_the_ones_before_in_force(site: Site, plant: Plant) -> None:
    async with serving(site, plant) as server:
        plant.crl.write_bytes(b"no list")
        with pytest.raises(ConfigError):
            server.renew()

        assert 200 == (await ask(server, plant.servers.certificate, "erp", plant.erp)).status_code


async def test_a_revoked_client_can_not_go_on_with_its_open_connection(site: Site, plant: Plant) -> None:
    context = ssl.create_default_context(cafile=plant.servers.certificate)
    context.load_cert_chain(*plant.erp)
    async with serving(site, plant) as server:
        server._server.config.timeout_keep_alive = 600  # it shall not end by itself
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=context)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n")
        answer = await reader.readuntil(b"\r\n\r\n")
        revoke(plant)
        server.renew()
        async with asyncio.timeout(60):
            await reader.read()
        writer.close()

    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_revoked_client_can_not_end_the_handshake_that_it_began(
    site: Site, plant: Plant, monkeypatch: pytest.MonkeyPatch, version: ssl.TLSVersion
) -> None:
    monkeypatch.setattr("gateway.api.doorway.HANDSHAKE_WITHIN", 600.0)
    context = ssl.create_default_context(cafile=plant.servers.certificate)
    context.load_cert_chain(*plant.erp)
    context.minimum_version = context.maximum_version = version
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(received, sent, server_hostname="127.0.0.1")
    async with serving(site, plant) as server, asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        writer.write(sent.read())
        received.write(await reader.read(65536))  # the server has begun, too
        revoke(plant)
        server.renew()
        with contextlib.suppress(ssl.SSLWantReadError):
            client.do_handshake()  # its certificate
            client.write(b"GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            writer.write(sent.read())
            received.write(await reader.read())  # until we are hung up on
        writer.close()

    assert not received.pending


async def test_a_long_poll_of_a_revoked_client_ends_without_postings(
    site: Site, plant: Plant, waiting: asyncio.Event
) -> None:
    async with serving(site, plant) as server, asyncio.timeout(60):
        poll = asyncio.create_task(ask(server, plant.servers.certificate, "erp", plant.erp, "postings?wait=60"))
        await waiting.wait()
        revoke(plant)
        server.renew()
        await site.writer.post(1)
        answer = await poll

    assert 200 == answer.status_code
    assert ([], 0) == (answer.json()["items"], answer.json()["next_after"])


async def test_a_connection_that_outlives_its_certificate_is_worth_nothing(site: Site, plant: Plant) -> None:
    context = ssl.create_default_context(cafile=plant.servers.certificate)
    context.load_cert_chain(*plant.erp)
    async with serving(site, plant) as server:
        server._server.config.timeout_keep_alive = 600  # it shall not end by itself
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=context)
        answers = []
        for ahead in (timedelta(), timedelta(days=2)):
            server._services.clock.ahead = ahead
            writer.write(b"GET /api/v1/consumers HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer token of erp\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            answers.append(head.split()[1])
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split()[0]))
        writer.close()

    assert [b"200", b"401"] == answers


class Resumer:
    """A client with a certificate that tries to go on with its first session."""

    request = b"GET /healthz HTTP/1.1"

    def __init__(self, plant: Plant, version: ssl.TLSVersion) -> None:
        self.context = ssl.create_default_context(cafile=plant.servers.certificate)
        self.context.load_cert_chain(*plant.erp)
        self.context.minimum_version = self.context.maximum_version = version
        self.session: ssl.SSLSession | None = None

    def ask(self, port: int) -> tuple[bool, bytes]:
        """Return whether the session went on, and how the answer begins: with nothing where we were hung up on."""
        with (
            socket.create_connection(("127.0.0.1", port), timeout=60) as plain,
            self.context.wrap_socket(plain, server_hostname="127.0.0.1", session=self.session) as tls,
        ):
            tls.sendall(self.request + b"\r\nHost: gateway\r\nConnection: close\r\n\r\n")
            answer = tls.recv(12)
            self.session = self.session or tls.session
            return bool(tls.session_reused), answer


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_revoked_client_can_not_resume_its_session(site: Site, plant: Plant, version: ssl.TLSVersion) -> None:
    client, after = Resumer(plant, version), (False, b"")
    async with serving(site, plant) as server:
        before = [await asyncio.to_thread(client.ask, server.port) for _ in range(2)]
        revoke(plant)
        server.renew()
        with contextlib.suppress(OSError):  # how it is told depends on the version and on the moment
            after = await asyncio.to_thread(client.ask, server.port)

    assert [(False, b"HTTP/1.1 200"), (True, b"HTTP/1.1 200")] == before
    assert (False, b"") == after


async def _resumes_until(client: Resumer, port: int, end: float) -> list[tuple[bool, bytes]]:
    """Return the answers to a client that goes on with its session, and the last one after `end` (POSIX seconds)."""
    answers = [await asyncio.to_thread(client.ask, port) for _ in range(2)]
    # The moment itself: OpenSSL goes by no other clock, and by one that is some milliseconds late.
    await until(lambda: time.time() > end + 0.1)
    with contextlib.suppress(OSError):
        answers.append(await asyncio.to_thread(client.ask, port))
    return answers


async def _soon(site: Site, plant: Plant) -> int:
    """Return a moment (POSIX seconds) that leaves time enough for making a certificate and asking twice."""
    begun = time.monotonic()
    client = Resumer(plant, ssl.TLSVersion.TLSv1_2)
    async with serving(site, plant) as server:
        plant.clients.issue("rehearsal")
        for _ in range(2):
            await asyncio.to_thread(client.ask, server.port)
    return int(time.time() + 3 + 10 * (time.monotonic() - begun))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_no_session_goes_on_once_the_list_has_expired(site: Site, plant: Plant, version: ssl.TLSVersion) -> None:
    end: float = await _soon(site, plant)
    plant.crl.write_bytes(plant.clients.revocations(days=_until(end)))
    end = _end_of(plant.crl)
    async with serving(site, plant) as server:
        answers = await _resumes_until(Resumer(plant, version), server.port, end)

    assert [(False, b"HTTP/1.1 200"), (True, b"HTTP/1.1 200")] == answers[:2]
    assert answers[2:] in ([], [(False, b"")])


async def test_a_certificate_that_expired_is_none_in_a_session_that_goes_on(site: Site, plant: Plant) -> None:
    end: float = await _soon(site, plant)
    plant.erp = plant.clients.issue("erp", days=_until(end))
    end = _end_of(plant.erp.certificate)
    client = Resumer(plant, ssl.TLSVersion.TLSv1_2)
    client.request = b"GET /api/v1/consumers HTTP/1.1\r\nAuthorization: Bearer token of erp"
    async with serving(site, plant) as server:
        *before, after = await _resumes_until(client, server.port, end)

    assert [(False, b"HTTP/1.1 200"), (True, b"HTTP/1.1 200")] == before
    assert (True, b"HTTP/1.1 401") == after


def _end_of(path: Path) -> float:
    """Return when it really ends: making it took time."""
    return min(one.end for one in lives(path)).timestamp()


def _until(end: float) -> float:
    """Return in how many days that is; certificates and lists end on whole seconds."""
    return (end + 0.5 - time.time()) / 86_400


async def test_a_client_that_does_not_know_the_gateway_sends_it_no_token(site: Site, plant: Plant) -> None:
    async with serving(site, plant) as server:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await ask(server, plant.clients.certificate, "operator")

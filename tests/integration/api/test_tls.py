"""The API over TLS: its own certificate, and the client certificate that the ERP's token takes."""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.api.server import ApiServer
from gateway.errors import ConfigError
from gateway.settings.api import ApiSettings
from simulators.until import until
from tests.harness.certificates import Authority, Issued
from tests.integration.api.conftest import Site


class Plant:
    """The gateway's certificate, and the authority of its clients with its revocation list."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.servers, self.clients = Authority(folder, "server-ca"), Authority(folder, "client-ca")
        self.server, self.erp = self.servers.issue("gateway"), self.clients.issue("erp")
        self.crl = folder / "clients.crl"
        self.crl.write_bytes(self.clients.revocations())

    @property
    def settings(self) -> ApiSettings:
        files = {"certificate": str(self.server.certificate), "private_key": str(self.server.key)}
        clients = {"client_ca": str(self.clients.certificate), "client_crl": str(self.crl)}
        return ApiSettings.model_validate({"listen": "127.0.0.1:0", "tls": files | clients})


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path)


@asynccontextmanager
async def serving(site: Site, plant: Plant) -> AsyncIterator[ApiServer]:
    server = ApiServer(plant.settings, replace(site.server._services))
    task = asyncio.create_task(server.run())
    await server.listening.wait()
    try:
        yield server
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ask(server: ApiServer, ca: Path, role: str, shown: Issued | None = None) -> httpx.Response:
    context = ssl.create_default_context(cafile=ca)
    if shown:
        context.load_cert_chain(*shown)
    headers = {"Authorization": f"Bearer token of {role}"}
    async with httpx.AsyncClient(verify=context, headers=headers, trust_env=False) as client:
        return await client.get(f"https://127.0.0.1:{server.port}/api/v1/consumers")


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


def _revoke(plant: Plant) -> Issued:
    plant.crl.write_bytes(plant.clients.revocations(plant.erp))
    return plant.erp


def _expire_the_list(plant: Plant) -> Issued:
    plant.crl.write_bytes(plant.clients.revocations(days=-1))
    return plant.erp


WRONG: dict[str, Any] = {
    "another authority": lambda plant: Authority(plant.folder, "strange-ca").issue("erp"),
    "expired": lambda plant: plant.clients.issue("erp", days=-1),
    "not yet valid": lambda plant: plant.clients.issue("erp", starts=1, days=2),
    "revoked": _revoke,
    "expired list": _expire_the_list,
}


async def _in_the_log(caplog: pytest.LogCaptureFixture, *said: str) -> bool:
    """Tell whether a line comes that says all of it; the client may know before the server does."""
    return await until(lambda: any(all(one in line for one in said) for line in caplog.messages), within=10)


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

        assert await _in_the_log(caplog, "api: no TLS connection with 127.0.0.1", said)


async def test_the_log_says_that_a_client_does_not_take_the_gateways_certificate(
    site: Site, plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(port: int) -> None:  # asyncio's clients hang up without the alert that others send
        client = ssl.create_default_context(cafile=plant.clients.certificate)
        with socket.create_connection(("127.0.0.1", port), timeout=10) as plain, pytest.raises(ssl.SSLError):
            client.wrap_socket(plain, server_hostname="127.0.0.1")

    async with serving(site, plant) as server:
        await asyncio.to_thread(refuse, server.port)

        assert await _in_the_log(caplog, f"does not take our certificate {plant.server.certificate}")


async def test_the_same_refusal_of_the_same_address_is_logged_once(
    site: Site, plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    shown = _revoke(plant)
    async with serving(site, plant) as server:
        for _ in range(3):
            with pytest.raises(httpx.TransportError):
                await ask(server, plant.servers.certificate, "erp", shown)
        assert 200 == (await ask(server, plant.servers.certificate, "operator")).status_code

    assert 1 == sum("was revoked" in line for line in caplog.messages)


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
        _revoke(plant)
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
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=context)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n")
        answer = await reader.readuntil(b"\r\n\r\n")
        _revoke(plant)
        server.renew()
        async with asyncio.timeout(3):  # sooner than an idle connection ends by itself
            await reader.read()
        writer.close()

    assert answer.startswith(b"HTTP/1.1 200")


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
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
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
        _revoke(plant)
        server.renew()
        with contextlib.suppress(OSError):  # how it is told depends on the version and on the moment
            after = await asyncio.to_thread(client.ask, server.port)

    assert [(False, b"HTTP/1.1 200"), (True, b"HTTP/1.1 200")] == before
    assert (False, b"") == after


async def _resumes_until(client: Resumer, port: int, end: float) -> list[tuple[bool, bytes]]:
    """Return the answers to a client that goes on with its session, and the last one after `end` (POSIX seconds)."""
    answers = [await asyncio.to_thread(client.ask, port) for _ in range(2)]
    await asyncio.sleep(end - time.time())  # the moment itself: OpenSSL goes by no other clock
    with contextlib.suppress(OSError):
        answers.append(await asyncio.to_thread(client.ask, port))
    return answers


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_no_session_goes_on_once_the_list_has_expired(site: Site, plant: Plant, version: ssl.TLSVersion) -> None:
    end = int(time.time()) + 3
    plant.crl.write_bytes(plant.clients.revocations(days=_until(end)))
    async with serving(site, plant) as server:
        answers = await _resumes_until(Resumer(plant, version), server.port, end)

    assert [(False, b"HTTP/1.1 200"), (True, b"HTTP/1.1 200")] == answers[:2]
    assert answers[2:] in ([], [(False, b"")])


async def test_a_certificate_that_expired_is_none_in_a_session_that_goes_on(site: Site, plant: Plant) -> None:
    end = int(time.time()) + 3
    plant.erp = plant.clients.issue("erp", days=_until(end))
    client = Resumer(plant, ssl.TLSVersion.TLSv1_2)
    client.request = b"GET /api/v1/consumers HTTP/1.1\r\nAuthorization: Bearer token of erp"
    async with serving(site, plant) as server:
        *before, after = await _resumes_until(client, server.port, end)

    assert [(False, b"HTTP/1.1 200"), (True, b"HTTP/1.1 200")] == before
    assert (True, b"HTTP/1.1 401") == after


def _until(end: float) -> float:
    """Return in how many days that is; certificates and lists end on whole seconds."""
    return (end + 0.5 - time.time()) / 86_400


async def test_who_connects_and_says_nothing_is_hung_up_on(
    site: Site, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.api.doorway.HANDSHAKE_WITHIN", 0.1)
    async with serving(site, plant) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        async with asyncio.timeout(10):
            said = await reader.read()
        writer.close()

    assert b"" == said


async def test_a_client_that_does_not_know_the_gateway_sends_it_no_token(site: Site, plant: Plant) -> None:
    async with serving(site, plant) as server:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await ask(server, plant.clients.certificate, "operator")

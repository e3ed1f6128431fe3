"""The API over TLS, with the certificates of a plant: the gateway's own, and those of its clients."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.api.server import ApiServer
from gateway.domain.clock import Instant
from gateway.settings.api import ApiSettings
from simulators.until import until
from tests.harness.certificates import Authority, Issued
from tests.integration.api.conftest import Site
from tests.integration.api.writer import StoppedClock


class Clock(StoppedClock):
    """The one that certificates are made by, moved `ahead`."""

    ahead = timedelta()

    def now(self) -> Instant:
        return Instant(datetime.now(UTC) + self.ahead, 0, "boot")


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


@asynccontextmanager
async def serving(site: Site, plant: Plant) -> AsyncIterator[ApiServer]:
    server = ApiServer(plant.settings, replace(site.server._services, clock=Clock()))
    task = asyncio.create_task(server.run())
    await server.listening.wait()
    try:
        yield server
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ask(
    server: ApiServer, ca: Path, role: str, shown: Issued | None = None, what: str = "consumers"
) -> httpx.Response:
    context = ssl.create_default_context(cafile=ca)
    if shown:
        context.load_cert_chain(*shown)
    headers = {"Authorization": f"Bearer token of {role}"}
    async with httpx.AsyncClient(verify=context, headers=headers, trust_env=False, timeout=60) as client:
        return await client.get(f"https://127.0.0.1:{server.port}/api/v1/{what}")


def revoke(plant: Plant) -> Issued:
    plant.crl.write_bytes(plant.clients.revocations(plant.erp))
    return plant.erp


def expire_the_list(plant: Plant) -> Issued:
    plant.crl.write_bytes(plant.clients.revocations(days=-1))
    return plant.erp


WRONG: dict[str, Any] = {
    "another authority": lambda plant: Authority(plant.folder, "strange-ca").issue("erp"),
    "expired": lambda plant: plant.clients.issue("erp", days=-1),
    "not yet valid": lambda plant: plant.clients.issue("erp", starts=1, days=2),
    "revoked": revoke,
    "expired list": expire_the_list,
}


async def in_the_log(caplog: pytest.LogCaptureFixture, *said: str) -> bool:
    """Tell whether a line comes that says all of it; the client may know before the server does."""
    return await until(lambda: any(all(one in line for one in said) for line in caplog.messages), within=60)

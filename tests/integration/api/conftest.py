"""A real server on a free port, over a real store."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from argon2 import PasswordHasher

from gateway.api.server import ApiServer
from gateway.api.services import Services
from gateway.api.signatures import Signatures
from gateway.domain.health import Health, Link
from gateway.domain.masterdata import MasterData
from gateway.domain.material import Units
from gateway.ports import HealthReport
from gateway.settings.api import ApiSettings, Role, TokenSettings
from gateway.settings.users import Person, write_users
from tests.integration.api.writer import NOW, StoppedClock, Writer, open_writer

ROLES: tuple[Role, ...] = get_args(Role)
PASSWORD = "correct horse"
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
NO_MASTER = MasterData(hash="sha256:0", items={}, units=Units({}), boms={}, orders={})


@dataclass
class Site:
    """The running API. `client(role)` asks it with that role's token; `report` is what health says."""

    writer: Writer
    server: ApiServer
    master: MasterData
    report: HealthReport
    task: "asyncio.Task[None]"
    tokens: list[TokenSettings]
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def client(self, role: str | None = "admin") -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer token of {role}"} if role else {}
        url = f"http://127.0.0.1:{self.server.port}"
        client = httpx.AsyncClient(
            base_url=url, headers=headers, trust_env=False, verify=False, timeout=60
        )  # plain HTTP
        self.clients.append(client)
        return client

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer]:
    async with open_writer(tmp_path) as opened:
        yield opened


@pytest.fixture
async def site(writer: Writer) -> AsyncIterator[Site]:
    started = await start_site(writer)
    yield started
    for client in started.clients:
        await client.aclose()
    await started.stop()


async def start_site(writer: Writer) -> Site:
    """Start the server; each role has a user of its name, whose password is `PASSWORD`."""
    users = writer.path.with_name("users.yaml")
    write_users(users, [make_person(role) for role in ROLES])
    report = HealthReport(
        ready=True,
        store="ok",
        started_at=NOW,
        devices={"FILLER-1": Health(Link.CONNECTED), "CAPPER-1": Health(Link.DISCONNECTED, "no route to host")},
        sinks={"erp": Health(Link.CONNECTED)},
    )
    services = Services(
        log=writer.log,
        views=writer.views,
        commands=writer,
        clock=StoppedClock(),
        health=lambda: site.report,
        metrics=render_metrics,
        tokens=lambda: site.tokens,
        signatures=Signatures(users, StoppedClock()),
        master=lambda: site.master,
    )
    server = ApiServer(ApiSettings(listen="127.0.0.1:0"), services)
    tokens = [*map(make_token, ROLES), make_token("expired", role="admin", expires=NOW)]
    site = Site(writer, server, NO_MASTER, report, asyncio.create_task(server.run()), tokens)
    await server.listening.wait()
    return site


def make_person(role: Role) -> Person:
    return Person(user=role, name=f"The {role}", roles=(role,), password=_CHEAP.hash(PASSWORD))


async def render_metrics() -> bytes:
    return b"backflush_store_ok 1.0\n"


def make_token(name: str, **changes: Any) -> TokenSettings:
    digest = sha256(f"token of {name}".encode()).hexdigest()
    return TokenSettings.model_validate({"name": name, "role": name, "sha256": digest} | changes)


@pytest.fixture
def waiting(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set once a long poll waits for news."""
    begun = asyncio.Event()
    wait_beyond: Callable[[int, float], Awaitable[bool]] = writer.log.wait_beyond

    async def announced(seq: int, seconds: float) -> bool:
        begun.set()
        return await wait_beyond(seq, seconds)

    monkeypatch.setattr(writer.log, "wait_beyond", announced)
    return begun

"""uvicorn inside the daemon's loop: it neither takes the signals nor ends the process."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import uvicorn

from gateway.api.app import create_app
from gateway.api.doorway import Doorway
from gateway.api.protocol import PatientProtocol
from gateway.api.services import Services
from gateway.api.tls import RenewableContext
from gateway.errors import TransientError
from gateway.settings.api import ApiSettings, Role
from gateway.transport.validity import Life

logger = logging.getLogger(__name__)
_GRACE = 2  # seconds that answers under way get at the end; SIGTERM has five for everything


class _Server(uvicorn.Server):
    """`tls` is how its clients are let in; None where nothing is encrypted."""

    def __init__(self, config: uvicorn.Config, tls: RenewableContext | None) -> None:
        super().__init__(config)
        self._tls = tls
        self._doorways: list[Doorway] = []

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the daemon, which ends more than this server."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; uvicorn's own would wait a minute for each handshake, and say nothing of one that failed."""
        config, loop = self.config, asyncio.get_running_loop()

        def protocol() -> PatientProtocol:
            return PatientProtocol(config, self.server_state, app_state={})

        opened: list[Any] = []  # of both kinds uvicorn only asks to close
        for one in sockets or ():
            if self._tls:
                doorway = Doorway(one, protocol, self._tls)
                doorway.open(config.backlog)
                self._doorways.append(doorway)
                opened.append(doorway)
            else:
                opened.append(await loop.create_server(protocol, sock=one, backlog=config.backlog))
        self.servers = opened
        self.started = True

    def hang_up(self) -> None:
        """End every connection after the answer that is under way on it, and every handshake at once."""
        for doorway in self._doorways:
            doorway.renewed()
        for connection in list(self.server_state.connections):
            connection.shutdown()


class ApiServer:
    """`port` is the real one once `listening` is set, where the settings say 0."""

    def __init__(self, settings: ApiSettings, services: Services) -> None:
        self._settings = settings
        self._services = services
        self.port = settings.port
        self._context = RenewableContext(settings.tls) if settings.tls else None
        self.listening = asyncio.Event()
        self._server: _Server | None = None

    @property
    def lives(self) -> Mapping[str, tuple[Life, ...]]:
        """Until when the certificates and lists in use are good, by setting."""
        return self._context.lives if self._context else {}

    def renew(self) -> None:
        """Read certificate, key and lists again: every client has to show its own anew. ConfigError for bad files."""
        if self._context:
            self._context.renew()
            if self._server:
                self._server.hang_up()

    async def run(self) -> None:
        """Serve until cancelled; then end long polls at once and let other answers finish.

        TransientError when the address is taken: a gateway counts without its API, and tries again.
        """
        if self._settings.unsafe:
            logger.warning("api: %s", self._settings.unsafe)
        with _listen(self._settings) as listener:
            self.port = listener.getsockname()[1]
            self.listening.set()
            try:
                await self._serve(listener)
            finally:
                self.listening.clear()

    async def _serve(self, listener: socket.socket) -> None:
        stopping = asyncio.Event()
        certified: tuple[Role, ...] = ("erp",) if self._settings.tls and self._settings.tls.client_ca else ()
        services = replace(self._services, stopping=stopping, certified=certified)
        self._server = server = _Server(_config(services), self._context)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await asyncio.shield(serving)
        finally:
            stopping.set()
            server.should_exit = True
            await serving


def _config(services: Services) -> uvicorn.Config:
    config = uvicorn.Config(
        create_app(services),
        http=PatientProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE,
    )
    config.load()
    return config


def _listen(settings: ApiSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise TransientError(
            f"api.listen {settings.listen}: {error.strerror or error}", "another process has it, or it isn't ours"
        ) from error

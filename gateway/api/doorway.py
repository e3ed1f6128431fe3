"""Lets clients in over TLS one by one, because a listener of asyncio's keeps silent about who didn't get in."""

import asyncio
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import cast

from gateway.api.protocol import MOST_OF_ONE_ADDRESS
from gateway.api.tls import RenewableContext
from gateway.transport.handshake import Files, explain

logger = logging.getLogger(__name__)
HANDSHAKE_WITHIN = 5.0  # s for TLS
MOST_HANDSHAKES = 256  # under way: each has a file descriptor and some 300 KiB, and nobody knows yet who it is
HANDSHAKES_OF_ONE_ADDRESS = MOST_OF_ONE_ADDRESS  # all come at once after a renewal
_AGAIN = 600.0  # s until the same is logged of the same address again …
_MOST_LINES = 100  # … and as many lines in that time at most, whoever knocks
_PAUSE = 1.0  # s, where no file descriptor is free


@dataclass(slots=True)
class Doorway:
    """What uvicorn takes for a server: clients of `listener` speak `protocol` within `context`, until it is closed."""

    listener: socket.socket
    protocol: Callable[[], asyncio.Protocol]
    context: RenewableContext
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _handshakes: dict[asyncio.Task[None], str] = field(default_factory=dict)  # with which address, the oldest first
    _logged: dict[tuple[str, str], float] = field(default_factory=dict)

    def open(self, backlog: int) -> None:
        """Listen."""
        self.listener.setblocking(False)
        self.listener.listen(backlog)
        self._begin(self._accept())

    def close(self) -> None:
        """Take no more clients; who is in already stays."""
        asyncio.get_running_loop().remove_reader(self.listener)  # at once: its number may be another's soon
        for task in self._tasks:
            task.cancel()

    def renewed(self) -> None:
        """Hang up on whoever is half in: a handshake goes on with the context that it began with."""
        for handshake in list(self._handshakes):
            handshake.cancel()

    async def wait_closed(self) -> None:
        """Wait until nobody is at the door."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, address = await loop.sock_accept(self.listener)
            except ConnectionError:  # it is gone already
                continue
            except OSError as error:
                self._log("anybody", f"{error.strerror}")
                await asyncio.sleep(_PAUSE)
            else:
                self._begin(self._let_in(client, address[0]))
                # While others wait to be accepted nothing else has had a turn: not even who was just hung up on.
                await asyncio.sleep(0)

    def _make_room(self) -> None:
        # Not by the newest: who says nothing would keep out all others, who need milliseconds.
        crowd, count = Counter(self._handshakes.values()).most_common(1)[0]
        if count > HANDSHAKES_OF_ONE_ADDRESS or len(self._handshakes) > MOST_HANDSHAKES:
            self._log(crowd, "too many at a time, the oldest is hung up on")
            oldest = next(one for one, host in self._handshakes.items() if host == crowd)
            del self._handshakes[oldest]
            oldest.cancel()

    async def _let_in(self, client: socket.socket, host: str) -> None:
        loop = asyncio.get_running_loop()
        handshake = cast("asyncio.Task[None]", asyncio.current_task())
        self._handshakes[handshake] = host  # not before: a task that is cancelled unbegun closes no `client`
        self._make_room()
        try:
            await loop.connect_accepted_socket(
                self.protocol, client, ssl=self.context, ssl_handshake_timeout=HANDSHAKE_WITHIN
            )
        except OSError as error:  # TLS's, too
            self._log(host, self._reason(error))
            # asyncio's frames hold it, and it them: their buffers would stay until the collector comes round.
            error.with_traceback(None)
        finally:
            self._handshakes.pop(handshake, None)

    def _reason(self, error: OSError) -> str:
        if not isinstance(error, ssl.SSLError):
            return str(error) or "it hung up"
        tls = self.context.settings
        files = Files("api.tls", tls.client_ca, tls.client_crl, tls.certificate, "client_ca", "client_crl")
        why, way_out = explain(error, files, other="client")
        return f"{why or error} ({way_out})"

    def _log(self, host: str, reason: str) -> None:
        now = asyncio.get_running_loop().time()
        self._logged = {one: at for one, at in self._logged.items() if now - at < _AGAIN}
        if (host, reason) not in self._logged and len(self._logged) < _MOST_LINES:
            self._logged[host, reason] = now
            logger.warning("api: no TLS connection with %s: %s", host, reason)

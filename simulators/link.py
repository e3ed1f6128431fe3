"""The cable to a device: a TCP relay in front of its server that can be cut or fall silent.

The device itself keeps running behind it, which is what a broken cable is like.
"""

import asyncio
import socket
from contextlib import suppress

LOOPBACK = "127.0.0.1"


def bound_socket(port: int = 0) -> socket.socket:
    """A loopback socket that owns its port but does not listen yet: connecting to it is refused."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
    except OSError as error:
        bound.close()
        raise OSError(error.errno, f"port {port} on {LOOPBACK} is taken; choose another") from error
    return bound


class Link:
    """Relays `port` to `upstream` (host, port). Port 0 takes a free one and keeps it for good."""

    def __init__(self, port: int = 0) -> None:
        self._socket = bound_socket(port)
        self.port: int = self._socket.getsockname()[1]
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._answers = asyncio.Event()
        self._answers.set()
        self._upstream = (LOOPBACK, 0)

    async def open(self, upstream: tuple[str, int] | None = None) -> None:
        """Listen; `upstream` is needed the first time only."""
        self._upstream = upstream or self._upstream
        self._server = await asyncio.start_server(self._relay, sock=self._socket)

    async def cut(self) -> None:
        """Stop listening and close every connection; the port stays ours and refuses."""
        await self._shut()
        self._socket = bound_socket(self.port)

    async def close(self) -> None:
        """Give the port back."""
        await self._shut()
        self._socket.close()

    async def drop(self, seconds: float) -> None:
        """Cut the cable for `seconds`, then listen on the same port again."""
        await self.cut()
        await asyncio.sleep(seconds)
        await self.open()

    async def silent(self, seconds: float) -> None:
        """Accept connections but pass nothing on for `seconds`."""
        self._answers.clear()
        await asyncio.sleep(seconds)
        self._answers.set()

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.ensure_future(self._connect(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)
        try:
            await asyncio.wait([connection])
        finally:
            writer.close()  # here: who is cut off at once never begins

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            up_reader, up_writer = await asyncio.open_connection(*self._upstream)
            await self._pump_both((reader, up_writer), (up_reader, writer))

    async def _pump_both(self, *ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        pumps = [asyncio.ensure_future(self._pump(*way)) for way in ways]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            for _, writer in ways:
                writer.close()  # before the next await, which may be cancelled
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._answers.wait()
                writer.write(data)
                await writer.drain()

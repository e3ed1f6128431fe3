"""What lies between a driver and its server when a test wants to count, to listen, or to cut the wire."""

import asyncio
from collections.abc import Callable
from typing import Self


class Proxy:
    """Passes on to `upstream`, counts connections and what clients send, and can fall silent or hang up."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.sent = 0
        self.silent = False
        self.tap: Callable[[bytes], object] | None = None
        self.changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        self.changed.set()
        try:
            answers, requests = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            writer.close()
            return
        self._writers.append(requests)
        for source, target, asks in ((reader, requests, True), (answers, writer, False)):
            task = asyncio.create_task(self._pass(source, target, asks=asks))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, asks: bool) -> None:
        try:
            while data := await source.read(65536):
                self.sent += asks
                if asks and self.tap:
                    self.tap(data)
                self.changed.set()
                if not self.silent:
                    target.write(data)
        except OSError:
            pass
        target.close()

"""A central system over real HTTP that a test can command: the destination of the `http` sink."""

import asyncio
import contextlib
import gzip
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

TOKEN = "central-token"
Identity = tuple[str, str, int]


class Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class CentralSystem:
    """Books each posting once, by its identity. `refused`, `put_off` and `answers` are what a test makes it say."""

    booked: dict[Identity, Any] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    put_off: set[int] = field(default_factory=set)
    answers: list[Response] = field(default_factory=list)  # given first, instead of booking
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    token: str = TOKEN  # that it takes
    port: int = 0
    _server: Server | None = None
    _task: "asyncio.Task[None] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/postings"

    async def start(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        app = Starlette(routes=[Route("/api/postings", self._post, methods=["POST"])])
        self._server = Server(uvicorn.Config(app, http="h11", ws="none", lifespan="off", log_config=None))
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))

    async def stop(self) -> None:
        assert self._server is not None
        assert self._task is not None
        self._server.should_exit = True
        await self._task

    async def _post(self, request: Request) -> Response:
        packed = await request.body()
        self.requests.append((dict(request.headers), packed))
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return Response(status_code=401)
        if self.answers:
            return self.answers.pop(0)
        body = json.loads(gzip.decompress(packed))
        results = [self._book(body["gateway"], body["store"], item) for item in body["items"]]
        return Response(json.dumps({"results": results}), media_type="application/json")

    def _book(self, gateway: str, store: str, item: Any) -> dict[str, Any]:
        seq = item["seq"]
        if seq in self.refused:
            return {"seq": seq, "status": "rejected", "reason": self.refused[seq]}
        if seq in self.put_off:
            return {"seq": seq, "status": "later"}
        if (gateway, store, seq) in self.booked:
            return {"seq": seq, "status": "duplicate"}
        self.booked[(gateway, store, seq)] = item
        return {"seq": seq, "status": "booked"}

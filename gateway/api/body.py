"""A bound on what a request may carry, whether it says so beforehand or not, and on how long that may take."""

import asyncio

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_WITHIN = 30.0  # s
_CLOSE = {"Connection": "close"}
_TOO_LARGE = JSONResponse({"detail": "the request body is too large"}, status_code=413, headers=_CLOSE)
_TOO_SLOW = JSONResponse({"detail": "the request body did not come in time"}, status_code=408, headers=_CLOSE)


class BodyLimit:
    """ASGI: answers 413 to a body over `limit` bytes, 408 to a slow one; any other is read whole and handed on."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413 or 408 instead of the application when too much comes, or too slowly."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(BODY_WITHIN):
                body = await self._read(scope, receive)
        except TimeoutError:
            await _TOO_SLOW(scope, receive, send)
            return
        if body is None:
            await _TOO_LARGE(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        declared = Headers(scope=scope).get("Content-Length", "0")
        if not declared.isdecimal() or int(declared) > self._limit:
            return None
        body, more = bytearray(), True
        while more and len(body) <= self._limit:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return bytes(body) if len(body) <= self._limit else None


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return waiting.pop() if waiting else await receive()

    return next_message

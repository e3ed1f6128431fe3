"""A bound on what a request may carry, whether it says so beforehand or not."""

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TOO_LARGE = JSONResponse({"detail": "the request body is too large"}, status_code=413, headers={"Connection": "close"})


class BodyLimit:
    """ASGI: answers 413 to a body over `limit` bytes; a smaller one is read whole and handed on."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413 instead of the application when too much comes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await self._read(scope, receive)
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

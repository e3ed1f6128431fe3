"""How much one caller may ask for, so that nobody keeps the others waiting: sizes, requests a second, at a time."""

from collections import Counter
from math import ceil

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.ports import Clock

LONGEST_TARGET = 8 << 10  # bytes of path and query
MOST_HEADERS = 100
LARGEST_HEADERS = 32 << 10  # bytes of all names and values
# An ERP that catches up reads a thousand postings a page: this is a hundred thousand postings a second.
PER_SECOND = 100
BURST = 500  # requests that may come at once after a rest
AT_A_TIME = 16  # requests of one caller under way, long polls among them
_MOST_KEYS = 1000
_SECOND = 1_000_000_000  # ns


def too_many(seconds: float, detail: str = "too many requests") -> JSONResponse:
    """Return the 429 that says when to come again."""
    return JSONResponse({"detail": detail}, status_code=429, headers={"Retry-After": str(max(1, ceil(seconds)))})


class Rates:
    """A bucket of `burst` requests for each key, refilled by `per_second`."""

    def __init__(self, clock: Clock, per_second: int = PER_SECOND, burst: int = BURST) -> None:
        self._clock = clock
        self._per_second, self._burst = per_second, burst
        self._full_at: dict[str, int] = {}  # key → boottime at which its bucket is full again

    def take(self, key: str) -> float:
        """Take one out; return 0, or the seconds until there is one where the bucket is empty."""
        now, each = self._clock.now().boottime, _SECOND // self._per_second
        full_at = max(now, self._full_at.get(key, now)) + each
        excess = full_at - now - self._burst * each
        if excess > 0:
            return excess / _SECOND
        if len(self._full_at) >= _MOST_KEYS:
            self._full_at = {known: at for known, at in self._full_at.items() if at > now}
        self._full_at[key] = full_at
        return 0.0


class RequestLimits:
    """ASGI: answers 414 and 431 to a request whose address or headers are longer than any client of ours has."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer instead of the application when the head is too large."""
        answer = _refusal(scope) if scope["type"] == "http" else None
        await (answer or self._app)(scope, receive, send)


def _refusal(scope: Scope) -> JSONResponse | None:
    close = {"Connection": "close"}
    if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_TARGET:
        return JSONResponse({"detail": "the request's address is too long"}, status_code=414, headers=close)
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    if len(headers) > MOST_HEADERS or sum(len(name) + len(value) for name, value in headers) > LARGEST_HEADERS:
        return JSONResponse({"detail": "the request's headers are too large"}, status_code=431, headers=close)
    return None


class CallerLimits:
    """ASGI: answers 429 to a caller (a token, or an address without one) who asks too often or too much at a time."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._rates = Rates(clock)
        self._under_way: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer instead of the application when it is too much."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        key = f"token {caller.name}" if (caller := scope.get("caller")) else address_of(scope)
        if wait := self._rates.take(key):
            await too_many(wait)(scope, receive, send)
        elif self._under_way[key] >= AT_A_TIME:
            await too_many(1, "too many requests at a time")(scope, receive, send)
        else:
            await self._count(key, scope, receive, send)

    async def _count(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        self._under_way[key] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way[key] -= 1
            if not self._under_way[key]:
                del self._under_way[key]


def address_of(scope: Scope) -> str:
    """Return where a request comes from."""
    client: tuple[str, int] | None = scope.get("client")
    return client[0] if client else ""

"""Who asks, and what they may: a bearer token by its hash, and one permission a route.

Both come before anything of the request is read or validated: 401 without a valid token, 403 with the
wrong role. Only the two health paths are open.
"""

import hmac
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.ports import Clock
from gateway.settings.api import Role, TokenSettings

OPEN_PATHS = ("/healthz", "/readyz")


class Permission(StrEnum):
    """What a route is for; a role has some of them."""

    OPEN = "open"  # anybody
    VIEW = "view"  # see how it stands
    STAGE = "stage"  # bring stock to the line
    PULL = "pull"  # read postings and acknowledge them


GRANTS: dict[Role, frozenset[Permission]] = {
    "viewer": frozenset({Permission.OPEN, Permission.VIEW}),
    "operator": frozenset({Permission.OPEN, Permission.VIEW, Permission.STAGE}),
    "erp": frozenset({Permission.OPEN, Permission.VIEW, Permission.PULL}),
    "admin": frozenset(Permission),
}

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Authentication:
    """ASGI: lets a request in when it carries a known token that hasn't expired, as `scope["caller"]`."""

    def __init__(self, app: ASGIApp, tokens: Sequence[TokenSettings], clock: Clock) -> None:
        self._app = app
        self._tokens = tuple(tokens)
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 instead of the application when nobody known asks."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        scope["caller"] = identify(self._tokens, bearer(Headers(scope=scope)), self._clock.now().wall)
        answer = self._app if scope["caller"] is not None else _UNAUTHENTICATED
        await answer(scope, receive, send)


_UNAUTHENTICATED = JSONResponse(
    {"detail": "a valid token is needed: Authorization: Bearer <token>"},
    status_code=401,
    headers={"WWW-Authenticate": 'Bearer realm="gateway"', "Connection": "close"},
)


def bearer(headers: Headers) -> str:
    """Return the token of the Authorization header; empty where there is none."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def identify(tokens: Sequence[TokenSettings], token: str, now: datetime) -> TokenSettings | None:
    """Return whose token this is; None when nobody's, or expired at `now`."""
    digest = sha256(token.encode()).hexdigest()
    # Every hash is compared, each in constant time, so that the time taken tells nothing.
    matches = [known for known in tokens if hmac.compare_digest(known.sha256, digest)]
    return next((known for known in matches if known.expires is None or now < known.expires), None)


def guarded(permission: Permission) -> type[APIRoute]:
    """Return a route class that answers 403, before it reads the request, unless the caller has the permission."""

    class Guarded(APIRoute):
        def get_route_handler(self) -> Handler:
            handler = super().get_route_handler()

            async def guard(request: Request) -> Response:
                _authorize(request.scope.get("caller"), permission)
                return await handler(request)

            return handler if permission is Permission.OPEN else guard

    return Guarded


def _authorize(caller: TokenSettings | None, permission: Permission) -> None:
    role = caller.role if caller else "nobody"
    if caller is None or permission not in GRANTS[caller.role]:
        raise HTTPException(403, f"the role {role} has no permission to {permission}")

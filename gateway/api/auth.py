"""Who asks, and what they may: a bearer token by its hash, and one permission a route.

Both come before anything of the request is read or validated: 401 without a valid token, 403 with the
wrong role. Only the two health paths are open.
"""

import hmac
from collections.abc import Callable, Collection, Coroutine, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api.limits import Rates, address_of, too_many
from gateway.ports import Clock
from gateway.settings.api import Role, TokenSettings

OPEN_PATHS = ("/healthz", "/readyz")


class Permission(StrEnum):
    """What a route is for; a role has some of them."""

    OPEN = "open"  # anybody
    VIEW = "view"  # see how it stands
    STAGE = "stage"  # bring stock to the line
    OPERATE = "operate"  # tell the gateway what happens at the line; ask for what another person signs
    DECIDE = "decide"  # decide about orders, labels and configurations
    PULL = "pull"  # read postings and acknowledge them


_VIEWER = frozenset({Permission.OPEN, Permission.VIEW})
_OPERATOR = _VIEWER | {Permission.STAGE, Permission.OPERATE}
_SUPERVISOR = _OPERATOR | {Permission.DECIDE}

# A token is a workplace or a program, so an operator's terminal may carry what a supervisor signs there: what
# a person may sign is in `signatures`.
GRANTS: dict[Role, frozenset[Permission]] = {
    "viewer": _VIEWER,
    "operator": _OPERATOR,
    "supervisor": _SUPERVISOR,
    "quality": _SUPERVISOR,
    "erp": _VIEWER | {Permission.PULL},
    "admin": frozenset(Permission),
}

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Audit = Callable[[Request, str], Coroutine[Any, Any, None]]
Tokens = Callable[[], Sequence[TokenSettings]]  # those in force now: a reload takes one away at once

STRANGERS_PER_SECOND = 10  # requests without a valid token that are answered …
STRANGERS_BURST = 100  # … of one address, and at once


class Authentication:
    """ASGI: lets a request in when it carries a known token that hasn't expired, as `scope["caller"]`.

    `certified` are the roles whose tokens count only with a client certificate.
    """

    def __init__(self, app: ASGIApp, tokens: Tokens, clock: Clock, certified: Collection[Role] = ()) -> None:
        self._app = app
        self._tokens = tokens
        self._clock = clock
        self._certified = certified
        self._strangers = Rates(clock, per_second=STRANGERS_PER_SECOND, burst=STRANGERS_BURST)  # by address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 instead of the application when nobody known asks."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        refusal = stranger(scope, self._tokens(), self._certified, self._clock.now().wall)
        answer = self._refused(scope, refusal) if refusal else self._app
        await answer(scope, receive, send)

    def _refused(self, scope: Scope, answer: JSONResponse) -> JSONResponse:
        # Only who isn't let in: behind a proxy everybody has the same address.
        wait = self._strangers.take(address_of(scope))
        return too_many(wait, "too many requests without a valid token") if wait else answer


def _unauthenticated(detail: str) -> JSONResponse:
    headers = {"WWW-Authenticate": 'Bearer realm="gateway"', "Connection": "close"}
    return JSONResponse({"detail": detail}, status_code=401, headers=headers)


_NO_TOKEN = _unauthenticated("a valid token is needed: Authorization: Bearer <token>")
_NO_CERTIFICATE = _unauthenticated("this token counts only with a client certificate (api.tls.client_ca)")


def stranger(
    scope: Scope, tokens: Sequence[TokenSettings], certified: Collection[Role], now: datetime
) -> JSONResponse | None:
    """Return the 401 for a request that isn't let in at `now`, None where it is.

    `scope["caller"]` is its token. Of a request that was let in before it has to have the same role still; another
    name or end of the same token changes nothing for it.
    """
    caller = identify(tokens, bearer(Headers(scope=scope)), now)
    if caller is None or caller.role != scope.setdefault("caller", caller).role:
        return _NO_TOKEN
    until: datetime | None = scope["state"].get("certified_until")
    if caller.role in certified and not (until and now < until):  # a connection may outlive its certificate
        return _NO_CERTIFICATE
    return None


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


def guarded(permission: Permission, audit: Audit | None = None) -> type[APIRoute]:
    """Return a route class that answers 403, before it reads the request, unless the caller has the permission.

    `audit` is told who was refused, with the reason.
    """

    class Guarded(APIRoute):
        def get_route_handler(self) -> Handler:
            handler = super().get_route_handler()

            async def guard(request: Request) -> Response:
                if refusal := _refusal(request.scope.get("caller"), permission):
                    if audit:
                        await audit(request, refusal)
                    raise HTTPException(403, refusal)
                return await handler(request)

            return handler if permission is Permission.OPEN else guard

    return Guarded


def _refusal(caller: TokenSettings | None, permission: Permission) -> str:
    if caller is not None and permission in GRANTS[caller.role]:
        return ""
    return f"the role {caller.role if caller else 'nobody'} has no permission to {permission}"

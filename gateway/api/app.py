"""The HTTP API: every route, and what a caller needs to be allowed to use it."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.middleware import Middleware

from gateway import __version__
from gateway.api.auth import Audit, Authentication, Permission, guarded
from gateway.api.body import BodyLimit
from gateway.api.commands import PERMISSIONS, audit_of, handler_of, name_of
from gateway.api.consumers import acknowledge, list_consumers
from gateway.api.health import healthz, readyz
from gateway.api.limits import CallerLimits, RequestLimits
from gateway.api.postings import read_postings
from gateway.api.problems import invalid_request, unavailable
from gateway.api.services import Services
from gateway.api.stagings import stage
from gateway.api.views.baselines import list_baselines
from gateway.api.views.checkpoints import read_checkpoints
from gateway.api.views.exceptions import exceptions
from gateway.api.views.explain import explain_posting
from gateway.api.views.genealogy import read_genealogy
from gateway.api.views.letters import list_letters, list_rejections, read_letter
from gateway.api.views.measures import read_measures, read_shadow
from gateway.api.views.openapi import openapi
from gateway.api.views.orders import list_orders, read_order
from gateway.api.views.statistics import read_full_documents
from gateway.api.views.status import metrics, status
from gateway.api.views.stock import list_lots, list_windows
from gateway.errors import ConfigError, StoreError, TransientError

LARGEST_BODY = 1 << 20  # bytes


class Endpoint(NamedTuple):
    """One route: who may use it, what it does, and which refusals a client has to expect besides those of all."""

    method: str
    path: str
    permission: Permission
    handler: Callable[..., Any]
    refusals: tuple[int, ...] = ()
    audit: Audit | None = None  # is told who was refused


ENDPOINTS = (
    Endpoint("GET", "/healthz", Permission.OPEN, healthz, (503,)),
    Endpoint("GET", "/readyz", Permission.OPEN, readyz, (503,)),
    Endpoint("GET", "/metrics", Permission.VIEW, metrics),
    Endpoint("GET", "/api/v1/openapi.json", Permission.VIEW, openapi),
    Endpoint("GET", "/api/v1/status", Permission.VIEW, status),
    Endpoint("GET", "/api/v1/exceptions", Permission.VIEW, exceptions),
    Endpoint("GET", "/api/v1/baselines", Permission.VIEW, list_baselines),
    Endpoint("GET", "/api/v1/orders", Permission.VIEW, list_orders),
    Endpoint("GET", "/api/v1/orders/{order}", Permission.VIEW, read_order, (404,)),
    Endpoint("GET", "/api/v1/orders/{order}/documents", Permission.VIEW, read_full_documents, (404,)),
    Endpoint("GET", "/api/v1/genealogy", Permission.VIEW, read_genealogy, (404,)),
    Endpoint("GET", "/api/v1/postings/{seq}/explain", Permission.VIEW, explain_posting, (404, 410)),
    Endpoint("GET", "/api/v1/measures", Permission.VIEW, read_measures),
    Endpoint("GET", "/api/v1/shadow", Permission.VIEW, read_shadow),
    Endpoint("GET", "/api/v1/lots", Permission.VIEW, list_lots),
    Endpoint("GET", "/api/v1/windows", Permission.VIEW, list_windows),
    Endpoint("GET", "/api/v1/dead-letters", Permission.VIEW, list_letters),
    Endpoint("GET", "/api/v1/dead-letters/{letter}", Permission.VIEW, read_letter, (404,)),
    Endpoint("GET", "/api/v1/rejections", Permission.VIEW, list_rejections),
    Endpoint("GET", "/api/v1/checkpoints", Permission.VIEW, read_checkpoints),
    Endpoint("GET", "/api/v1/consumers", Permission.VIEW, list_consumers),
    Endpoint("GET", "/api/v1/postings", Permission.PULL, read_postings, (409, 410)),
    Endpoint("POST", "/api/v1/consumers/{name}/ack", Permission.PULL, acknowledge, (409, 413, 503)),
    Endpoint("POST", "/api/v1/stagings", Permission.STAGE, stage, (409, 413, 503)),
    *(
        Endpoint(
            "POST",
            f"/api/v1/commands/{name_of(kind)}",
            permission,
            handler_of(kind),
            (409, 413, 429, 503),
            audit_of(kind),
        )
        for kind, permission in PERMISSIONS.items()
    ),
)


def create_app(services: Services) -> FastAPI:
    """Return the ASGI application; it has no state but `services`."""
    app = FastAPI(
        title="Backflush gateway",
        version=__version__,
        openapi_url=None,  # the route that serves it is guarded like every other
        redirect_slashes=False,  # to wherever the request's Host header says
        middleware=[
            Middleware(RequestLimits),
            Middleware(Authentication, tokens=services.tokens, clock=services.clock, certified=services.certified),
            Middleware(CallerLimits, clock=services.clock),
            Middleware(BodyLimit, limit=LARGEST_BODY),
        ],
        exception_handlers={
            RequestValidationError: invalid_request,
            ConfigError: unavailable,  # of the users file
            StoreError: unavailable,
            TransientError: unavailable,
        },
    )
    app.state.services = services
    for endpoint in ENDPOINTS:
        _add(app, endpoint)
    return app


def _add(app: FastAPI, endpoint: Endpoint) -> None:
    secured = endpoint.permission is not Permission.OPEN
    app.router.add_api_route(
        endpoint.path,
        endpoint.handler,
        methods=[endpoint.method],
        route_class_override=guarded(endpoint.permission, endpoint.audit),
        response_model=None,
        responses={code: {"description": HTTPStatus(code).phrase} for code in _refusals(endpoint)},
        openapi_extra={"security": [{"bearer": []}]} if secured else None,
    )


def _refusals(endpoint: Endpoint) -> list[int]:
    everywhere = {414, 429, 431, *endpoint.refusals}  # what limits.py says
    secured = set() if endpoint.permission is Permission.OPEN else {401, 403}
    body = {400, 413} if endpoint.method == "POST" else set()  # 400: no UTF-8
    return sorted(everywhere | secured | body)

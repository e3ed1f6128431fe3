"""Who may do what: nobody without a token, and each role only its own."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi.routing import APIRoute

from gateway.api.app import LARGEST_BODY, create_app
from gateway.api.commands import name_of
from gateway.domain.command import ClearAlarm, RaiseAlarm
from tests.integration.api.conftest import ROLES, Site, make_token

EVERYBODY = {"viewer", "operator", "supervisor", "quality", "erp", "admin"}
PEOPLE = {"operator", "supervisor", "quality", "admin"}  # who works at the line, or beside it
DECIDERS = {"supervisor", "quality", "admin"}
# Written here a second time on purpose: a new route needs a decision in both places.
ALLOWED = {
    "GET /healthz": None,
    "GET /readyz": None,
    "GET /metrics": EVERYBODY,
    "GET /api/v1/openapi.json": EVERYBODY,
    "GET /api/v1/status": EVERYBODY,
    "GET /api/v1/exceptions": EVERYBODY,
    "GET /api/v1/baselines": EVERYBODY,
    "GET /api/v1/checkpoints": EVERYBODY,
    "GET /api/v1/consumers": EVERYBODY,
    "GET /api/v1/postings": {"erp", "admin"},
    "POST /api/v1/consumers/{name}/ack": {"erp", "admin"},
    "GET /api/v1/orders": EVERYBODY,
    "GET /api/v1/orders/{order}": EVERYBODY,
    "GET /api/v1/orders/{order}/documents": EVERYBODY,
    "GET /api/v1/genealogy": EVERYBODY,
    "GET /api/v1/postings/{seq}/explain": EVERYBODY,
    "GET /api/v1/measures": EVERYBODY,
    "GET /api/v1/shadow": EVERYBODY,
    "GET /api/v1/lots": EVERYBODY,
    "GET /api/v1/windows": EVERYBODY,
    "GET /api/v1/dead-letters": EVERYBODY,
    "GET /api/v1/dead-letters/{letter}": EVERYBODY,
    "GET /api/v1/rejections": EVERYBODY,
    "POST /api/v1/stagings": PEOPLE,
    "POST /api/v1/commands/stage": PEOPLE,
    "POST /api/v1/commands/scan-in": PEOPLE,
    "POST /api/v1/commands/set-lot-status": PEOPLE,
    "POST /api/v1/commands/return-lot": PEOPLE,
    "POST /api/v1/commands/count-lot": PEOPLE,
    "POST /api/v1/commands/issue-lot": PEOPLE,
    "POST /api/v1/commands/enter-output": PEOPLE,
    "POST /api/v1/commands/start-order": PEOPLE,
    "POST /api/v1/commands/clear-line": PEOPLE,
    "POST /api/v1/commands/approve-label": DECIDERS,
    "POST /api/v1/commands/pin-bom": PEOPLE,
    "POST /api/v1/commands/allow-overrun": PEOPLE,
    "POST /api/v1/commands/trust-clock": PEOPLE,
    "POST /api/v1/commands/retry": PEOPLE,
    "POST /api/v1/commands/accept-deviation": PEOPLE,
    "POST /api/v1/commands/close-exception": PEOPLE,
    "POST /api/v1/commands/reverse": PEOPLE,
    "POST /api/v1/commands/close-window": PEOPLE,
    "POST /api/v1/commands/close-order": DECIDERS,
    "POST /api/v1/commands/settle-hold": PEOPLE,
    "POST /api/v1/commands/settle-holds": PEOPLE,
    "POST /api/v1/commands/sign-baseline": PEOPLE,
    "POST /api/v1/commands/activate": DECIDERS,
    "POST /api/v1/commands/redrive-letter": PEOPLE,
    "POST /api/v1/commands/discard-letter": PEOPLE,
    "POST /api/v1/commands/redrive-posting": PEOPLE,
    "POST /api/v1/commands/settle-posting": PEOPLE,
}
ROUTES = [
    f"{method} {cast('APIRoute', route).path}"
    for route in create_app(cast("Any", SimpleNamespace(tokens=tuple, clock=None, certified=()))).routes
    for method in sorted(cast("APIRoute", route).methods)
]
GUARDED = [route for route in ROUTES if ALLOWED.get(route, EVERYBODY) is not None]


def test_every_route_of_the_application_is_in_the_matrix() -> None:
    assert set(ALLOWED) == set(ROUTES)


async def ask(site: Site, role: str | None, route: str, **request: Any) -> int:
    method, path = route.split()
    return (await site.client(role).request(method, path.replace("{name}", "erp"), **request)).status_code


@pytest.mark.parametrize("route", GUARDED)
async def test_only_the_allowed_roles_get_past_403(site: Site, route: str) -> None:
    passed = {role for role in ROLES if await ask(site, role, route) != 403}

    assert passed == ALLOWED[route]


@pytest.mark.parametrize("route", [*GUARDED, "GET /nowhere", "DELETE /api/v1/postings"])
async def test_without_a_valid_token_it_is_401_before_anything_is_validated(site: Site, route: str) -> None:
    strangers = (None, "stranger", "expired")
    statuses = [await ask(site, who, route, params={"after": "nonsense"}, content=b"{") for who in strangers]

    assert statuses == [401, 401, 401]


GARBAGE = {
    "empty": "",
    "no token": "Bearer",
    "another scheme": "Basic YWRtaW46YWRtaW4=",
    "the token alone": "token of admin",
    "a hash as it stands in the configuration": f"Bearer {make_token('admin').sha256}",
    "not ASCII": "Bearer tökén of admin".encode(),
    "two tokens": "Bearer token of admin, Bearer token of viewer",
    "very long": f"Bearer {'a' * 10_000}",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=list(GARBAGE))
async def test_garbage_is_no_token_on_any_route(site: Site, garbage: str | bytes) -> None:
    statuses = {await ask(site, None, route, headers={"Authorization": garbage}) for route in GUARDED}

    assert statuses == {401}


async def test_a_token_that_was_taken_away_is_refused_at_once(site: Site) -> None:
    client = site.client("erp")
    before = await client.get("/api/v1/status")
    site.tokens[:] = [one for one in site.tokens if one.name != "erp"]
    after = await client.get("/api/v1/status")  # over the same connection

    assert (before.status_code, after.status_code) == (200, 401)


async def test_a_path_with_a_slash_too_many_is_unknown_and_sends_nobody_elsewhere(site: Site) -> None:
    answer = await site.client("admin").get("/api/v1/status/", headers={"Host": "evil.example"})

    assert (404, None) == (answer.status_code, answer.headers.get("Location"))


@pytest.mark.parametrize("command", [RaiseAlarm, ClearAlarm])
async def test_what_only_the_gateway_itself_may_say_is_no_route(site: Site, command: type) -> None:
    assert 404 == await ask(site, "admin", f"POST /api/v1/commands/{name_of(command)}", json={})


async def test_401_says_what_is_needed(site: Site) -> None:
    answer = await site.client(None).get("/api/v1/status")

    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="gateway"'


async def test_403_comes_before_the_body_is_read(site: Site) -> None:
    status = await ask(site, "viewer", "POST /api/v1/stagings", content=b"{")

    assert status == 403


@pytest.mark.parametrize("route", ["GET /healthz", "GET /readyz"])
async def test_health_needs_no_token(site: Site, route: str) -> None:
    status = await ask(site, None, route)

    assert status == 200


async def _pieces(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1024):
        yield b" " * 1024


@pytest.mark.parametrize(
    ("size", "status"),
    [pytest.param(LARGEST_BODY, 422, id="at the limit"), pytest.param(LARGEST_BODY + 1024, 413, id="above")],
)
@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_above_a_mebibyte_is_413(site: Site, size: int, status: int, announced: bool) -> None:
    content = b" " * size if announced else _pieces(size)

    assert status == await ask(
        site, "operator", "POST /api/v1/stagings", content=content, headers={"Content-Type": "application/json"}
    )

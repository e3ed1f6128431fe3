"""Stock brought to the line through the API."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from gateway.domain.lot import LotKey, LotStatus, Owner, Staging
from tests.integration.api.conftest import Site
from tests.integration.api.writer import NOW

BODY = {
    "staging": "ST-1",
    "item": "CAP-28",
    "lot": "L-7",
    "location": "L1-CAP",
    "quantity": "12000.50",
    "uom": "EA",
    "order": "100045",
}


async def stage(site: Site, **changes: Any) -> Any:
    return await site.client("operator").post("/api/v1/stagings", json=BODY | changes)


async def test_a_new_transfer_is_applied_once(site: Site) -> None:
    first = await stage(site)

    second = await stage(site)

    assert (first.status_code, first.json()) == (201, {"staging": "ST-1", "applied": True})
    assert (second.status_code, second.json()) == (200, {"staging": "ST-1", "applied": False})


async def test_it_may_say_when_it_came_but_not_that_it_comes_later(site: Site) -> None:
    before = await stage(site, received_at="2026-11-20T06:00:00Z")
    later = await stage(site, staging="ST-2", received_at="2026-11-21T10:00:01Z")

    assert (before.status_code, later.status_code) == (201, 422)
    assert "is yet to come" in later.json()["detail"][0]["msg"]


async def test_the_same_id_with_other_content_is_a_conflict(site: Site) -> None:
    await stage(site)

    answer = await stage(site, quantity="1")

    assert answer.status_code == 409
    assert "other content" in answer.json()["detail"]


async def test_it_reaches_the_writer_exactly_with_the_person_who_asked(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Staging, str]] = []

    async def record(staging: Staging, person: str) -> bool:
        seen.append((staging, person))
        return True

    monkeypatch.setattr(site.writer, "stage", record)

    await stage(site, order=None, line="L1", expires_at="2027-01-01T02:00:00+02:00", status="quarantine")

    key = LotKey(Owner("line", "L1"), "CAP-28", "L-7", "L1-CAP")
    expires = datetime(2027, 1, 1, tzinfo=UTC)
    assert seen == [(Staging("ST-1", key, Decimal("12000.50"), "EA", NOW, expires, LotStatus.QUARANTINE), "operator")]


@pytest.mark.parametrize(
    ("changes", "loc"),
    [
        ({"quantity": 1.5}, ["body", "quantity"]),
        ({"quantity": "0"}, ["body", "quantity"]),
        ({"quantity": "-1"}, ["body", "quantity"]),
        ({"quantity": "NaN"}, ["body", "quantity"]),
        ({"quantity": "1e99"}, ["body", "quantity"]),
        ({"quantity": None}, ["body", "quantity"]),
        ({"item": ""}, ["body", "item"]),
        ({"lot": "a\x00b"}, ["body", "lot"]),
        ({"expires_at": "2027-01-01T00:00:00"}, ["body", "expires_at"]),
        ({"expires_at": "0001-01-01T00:00:00+14:00"}, ["body", "expires_at"]),
        ({"status": "eaten"}, ["body", "status"]),
        ({"line": "L1"}, ["body"]),
        ({"order": None}, ["body"]),
        ({"colour": "red"}, ["body", "colour"]),
    ],
)
async def test_a_malformed_body_is_refused_with_its_field(site: Site, changes: dict[str, Any], loc: list[str]) -> None:
    answer = await stage(site, **changes)

    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, loc)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        pytest.param(b"", 422, id="empty"),
        pytest.param(b"{", 422, id="cut off"),
        pytest.param(b"[]", 422, id="a list"),
        pytest.param(b'{"quantity": NaN}', 422, id="NaN"),
        pytest.param(b'{"\\ud800": 1}', 422, id="half a surrogate pair"),
        pytest.param(b'{"item": "\\ud800"}', 422, id="half a surrogate pair as value"),
        pytest.param(b"\xff", 400, id="no UTF-8"),
        pytest.param(b"[" * 100_000, 400, id="nested without end"),
    ],
)
async def test_what_is_no_json_is_a_clear_refusal(site: Site, content: bytes, status: int) -> None:
    answer = await site.client("operator").post(
        "/api/v1/stagings", content=content, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == status
    assert answer.json()["detail"]

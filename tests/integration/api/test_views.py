"""Health, status, the work list, metrics and the API's description."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.domain.event import SignalId
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.health import Health, Link
from gateway.formats import signed
from gateway.store.batch import Batch, Tally
from tests.integration.api.conftest import Site
from tests.integration.api.writer import NOW

SHORTAGE = ExceptionRecord(
    id=7,
    kind=ExceptionKind.TRIGGER,
    code="shortage",
    reason="CAP-28: 12 EA are needed, 3 are staged to order 100045",
    scope=("100045", "0020"),
    quantity=Decimal(12),
    uom="EA",
    count=12,
    first_event=NOW,
    last_event=NOW + timedelta(seconds=1),
    opened_at=NOW,
    detail='{"item": "CAP-28"}',
)


@pytest.mark.parametrize(
    ("changes", "healthz", "readyz"),
    [
        pytest.param({}, 200, 200, id="all well"),
        pytest.param({"ready": False}, 200, 503, id="not running yet"),
        pytest.param({"store": "disk full"}, 503, 503, id="the store takes nothing"),
        pytest.param({"store": "disk full", "paused": True}, 200, 503, id="a full disk: a restart cures nothing"),
        pytest.param({"devices": {"FILLER-1": Health(Link.DISCONNECTED)}}, 200, 200, id="a dead device"),
    ],
)
async def test_health_and_readiness(site: Site, changes: dict[str, Any], healthz: int, readyz: int) -> None:
    site.report = replace(site.report, **changes)
    anybody = site.client(None)

    statuses = [(await anybody.get(path)).status_code for path in ("/healthz", "/readyz")]

    assert statuses == [healthz, readyz]


async def test_health_counts_and_names_nothing(site: Site) -> None:
    answer = await site.client(None).get("/healthz")

    assert answer.json() == {
        "ready": True,
        "store": "ok",
        "paused": False,
        "troubles": 0,
        "started_at": "2026-11-21T10:00:00.000Z",
        "devices": {"connected": 1, "disconnected": 1},
        "sinks": {"connected": 1},
    }


async def test_health_says_why_the_store_stopped_it(site: Site) -> None:
    site.report = replace(site.report, store="disk full")

    answer = await site.client(None).get("/healthz")

    assert answer.json()["store"] == "disk full"


async def test_status_shows_devices_totals_and_buffers(site: Site) -> None:
    tally = Tally("EA", Decimal("10.0"), Decimal(7), Decimal(1), Decimal(2))
    await site.writer.store.commit(Batch(tallies={SignalId("FILLER-1", "good"): tally}, exceptions={7: SHORTAGE}))
    await site.writer.post(5)
    await site.writer.deliver("erp", 3, {2: "unknown item"})

    answer = (await site.client("viewer").get("/api/v1/status")).json()

    assert answer["devices"]["CAPPER-1"] == {"link": "disconnected", "detail": "no route to host"}
    assert answer["signals"] == [
        {
            "device": "FILLER-1",
            "signal": "good",
            "uom": "EA",
            "counted": "10",
            "posted": "7",
            "scrapped": "1",
            "held": "2",
            "reversed": "0",
        }
    ]
    assert (answer["last_seq"], answer["exceptions_open"]) == (5, 1)
    assert answer["consumers"] == [
        {"consumer": "erp", "kind": "sink", "required": False, "through": 3, "waiting": 2, "rejected": 1}
    ]


async def test_the_work_list_has_the_exact_reason(site: Site) -> None:
    await site.writer.store.commit(Batch(exceptions={7: SHORTAGE, 8: replace(SHORTAGE, id=8, detail="")}))

    first, second = (await site.client("viewer").get("/api/v1/exceptions")).json()["exceptions"]

    assert first == {
        "id": 7,
        "kind": "trigger",
        "code": "shortage",
        "reason": "CAP-28: 12 EA are needed, 3 are staged to order 100045",
        "scope": ["100045", "0020"],
        "quantity": "12",
        "uom": "EA",
        "count": 12,
        "owner": None,
        "first_event": "2026-11-21T10:00:00.000Z",
        "last_event": "2026-11-21T10:00:01.000Z",
        "opened_at": "2026-11-21T10:00:00.000Z",
        "detail": {"item": "CAP-28"},
        "seen": signed.held(SHORTAGE),
    }
    assert second["detail"] is None


async def test_closed_entries_say_how_and_by_whom(site: Site) -> None:
    closed = replace(SHORTAGE, closed_at=NOW, close_reason="TEST: trial run", closed_by="eva")
    await site.writer.store.commit(Batch(exceptions={7: closed, 8: replace(SHORTAGE, id=8)}))

    (one,) = (await site.client("viewer").get("/api/v1/exceptions", params={"closed": True})).json()["exceptions"]

    assert (7, "TEST: trial run", "eva", "2026-11-21T10:00:00.000Z") == (
        one["id"],
        one["close_reason"],
        one["closed_by"],
        one["closed_at"],
    )


async def test_metrics_are_what_runtime_renders(site: Site) -> None:
    answer = await site.client("viewer").get("/metrics")

    assert answer.content == b"backflush_store_ok 1.0\n"
    assert answer.headers["Content-Type"].startswith("text/plain")


async def test_the_description_names_the_scheme_and_what_may_be_refused(site: Site) -> None:
    document = (await site.client("viewer").get("/api/v1/openapi.json")).json()
    postings = document["paths"]["/api/v1/postings"]["get"]

    assert document["components"]["securitySchemes"] == {"bearer": {"type": "http", "scheme": "bearer"}}
    assert postings["security"] == [{"bearer": []}]
    assert {"401", "403", "409", "410", "422"} <= set(postings["responses"])

"""Named pullers and their watermarks."""

from typing import Any

import pytest

from gateway.store.batch import ConsumerKind
from tests.integration.api.conftest import Site


async def acknowledge(site: Site, name: str, through: Any = 0, **changes: Any) -> Any:
    body = {"store": site.writer.store.store, "through": through} | changes
    return await site.client("erp").post(f"/api/v1/consumers/{name}/ack", json=body)


async def test_an_acknowledgement_moves_only_that_consumer(site: Site) -> None:
    await site.writer.post(5)
    await site.writer.deliver("erp", 1, {})
    await acknowledge(site, "erp", 2)

    answer = await acknowledge(site, "mes", 4)

    assert answer.json() == {"consumer": "mes", "through": 4}
    assert await site.writer.watermarks() == {
        (ConsumerKind.PULLER, "erp"): 2,
        (ConsumerKind.PULLER, "mes"): 4,
        (ConsumerKind.SINK, "erp"): 1,
    }


async def test_a_watermark_never_moves_back(site: Site) -> None:
    await site.writer.post(5)
    await acknowledge(site, "erp", 4)

    answer = await acknowledge(site, "erp", 2)

    assert (answer.status_code, answer.json()["through"]) == (200, 4)


async def test_beyond_the_last_posting_is_refused_with_the_field(site: Site) -> None:
    await site.writer.post(5)

    answer = await acknowledge(site, "erp", 6)

    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "through"])
    assert await site.writer.watermarks() == {}


async def test_another_store_is_a_conflict_that_tells_the_current_one(site: Site) -> None:
    answer = await acknowledge(site, "erp", 0, store="OTHER")

    assert (answer.status_code, answer.json()["store"]) == (409, site.writer.store.store)


@pytest.mark.parametrize(
    ("changes", "loc"),
    [
        ({"through": -1}, ["body", "through"]),
        ({"through": "1"}, ["body", "through"]),
        ({"through": 1.0}, ["body", "through"]),
        ({"through": True}, ["body", "through"]),
        ({"through": 2**63}, ["body", "through"]),
        ({"store": None}, ["body", "store"]),
        ({"thruogh": 1}, ["body", "thruogh"]),
    ],
)
async def test_a_malformed_body_is_refused_with_its_field(site: Site, changes: dict[str, Any], loc: list[str]) -> None:
    answer = await acknowledge(site, "erp", **changes)

    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, loc)


async def test_a_name_that_is_none_is_refused(site: Site) -> None:
    answer = await acknowledge(site, "a%20b", 0)

    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["path", "name"])


async def test_the_list_tells_how_far_each_is_behind(site: Site) -> None:
    await site.writer.post(5)
    await acknowledge(site, "mes", 3)

    answer = (await site.client("viewer").get("/api/v1/consumers")).json()

    assert answer["last_seq"] == 5
    assert answer["consumers"] == [
        {
            "consumer": "mes",
            "kind": "puller",
            "through": 3,
            "behind": 2,
            "required": False,
            "updated_at": "2026-11-21T10:00:00.000Z",
        }
    ]


async def test_a_store_that_takes_nothing_answers_503(site: Site) -> None:
    site.writer.failing = True

    answer = await acknowledge(site, "erp", 0)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")

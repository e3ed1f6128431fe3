"""The pull API: pages, cursors, long polls."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from gateway.formats import chain
from tests.integration.api.conftest import Site, make_token, start_site
from tests.integration.api.writer import NOW, Writer

POSTINGS = "/api/v1/postings"


def seqs(answer: dict[str, Any]) -> list[int]:
    return [item["seq"] for item in answer["items"]]


async def test_a_bounded_page_is_the_same_bytes_for_ever(site: Site) -> None:
    await site.writer.post(5)
    erp, query = site.client("erp"), {"after": 1, "through": 4}
    first = await erp.get(POSTINGS, params=query)
    await site.writer.post(5)

    second = await erp.get(POSTINGS, params=query)

    assert second.content == first.content
    assert seqs(first.json()) == [2, 3, 4]
    assert (first.json()["next_after"], first.json()["has_more"]) == (4, False)


async def test_the_answer_has_its_members_in_a_fixed_order_and_the_items_as_they_were_stored(site: Site) -> None:
    await site.writer.post(1)
    page = await site.writer.log.page(0, None, 1)

    answer = await site.client("erp").get(POSTINGS)

    assert list(answer.json()) == ["gateway", "store", "items", "next_after", "has_more"]
    assert page.documents[0].body in answer.content
    assert chain.unseal(page.documents[0].body)


async def test_the_cursor_walks_through_the_whole_log(site: Site) -> None:
    await site.writer.post(7)
    erp, after, more, found = site.client("erp"), 0, True, []

    while more:
        answer = (await erp.get(POSTINGS, params={"after": after, "limit": 3})).json()
        after, more = answer["next_after"], answer["has_more"]
        found.append(seqs(answer))

    assert found == [[1, 2, 3], [4, 5, 6], [7]]


async def test_an_empty_page_keeps_the_cursor(site: Site) -> None:
    await site.writer.post(2)

    answer = (await site.client("erp").get(POSTINGS, params={"after": 2})).json()

    assert (answer["items"], answer["next_after"], answer["has_more"]) == ([], 2, False)


async def test_the_named_store_is_served(site: Site) -> None:
    answer = await site.client("erp").get(POSTINGS, params={"store": site.writer.store.store})

    assert answer.status_code == 200


async def test_another_store_is_a_conflict_that_tells_the_current_one(site: Site) -> None:
    answer = await site.client("erp").get(POSTINGS, params={"store": "OTHER"})

    assert answer.status_code == 409
    assert answer.json()["store"] == site.writer.store.store


@pytest.mark.parametrize(("after", "status"), [(0, 410), (2, 410), (3, 200), (5, 200)])
async def test_what_retention_deleted_is_gone(site: Site, after: int, status: int) -> None:
    await site.writer.post(5)
    await site.writer.retain_from(4)

    answer = await site.client("erp").get(POSTINGS, params={"after": after})

    assert answer.status_code == status
    assert status == 200 or answer.json()["first_available"] == 4


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"after": "-1"}, "after"),
        ({"after": "1.5"}, "after"),
        ({"after": "9223372036854775808"}, "after"),
        ({"after": "4"}, "after"),
        ({"through": "4"}, "through"),
        ({"after": "3", "through": "2"}, "through"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"wait": "61"}, "wait"),
        ({"wait": "nan"}, "wait"),
        ({"wait": "10s"}, "wait"),
        ({"afetr": "1"}, "afetr"),
    ],
)
async def test_a_malformed_query_is_refused_with_its_field(site: Site, query: dict[str, str], field: str) -> None:
    await site.writer.post(3)

    answer = await site.client("erp").get(POSTINGS, params=query)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", field]


async def test_a_long_poll_ends_when_a_posting_comes(site: Site, waiting: asyncio.Event) -> None:
    poll = asyncio.create_task(site.client("erp").get(POSTINGS, params={"wait": 60}, timeout=70))
    await waiting.wait()

    await site.writer.post(1)
    async with asyncio.timeout(30):
        answer = await poll

    assert seqs(answer.json()) == [1]


async def test_a_long_poll_for_a_bound_waits_until_the_bound_exists(site: Site, waiting: asyncio.Event) -> None:
    await site.writer.post(1)
    poll = asyncio.create_task(site.client("erp").get(POSTINGS, params={"through": 3, "wait": 60}, timeout=70))
    await waiting.wait()

    await site.writer.post(2)
    async with asyncio.timeout(30):
        answer = await poll

    assert seqs(answer.json()) == [1, 2, 3]


async def test_a_long_poll_without_news_ends_empty(site: Site) -> None:
    answer = await site.client("erp").get(POSTINGS, params={"wait": 0.01})

    assert (answer.status_code, answer.json()["items"]) == (200, [])


async def test_a_long_poll_ends_at_once_when_the_server_stops(writer: Writer, waiting: asyncio.Event) -> None:
    site = await start_site(writer)
    async with site.client("erp") as erp:
        poll = asyncio.create_task(erp.get(POSTINGS, params={"wait": 60}, timeout=70))
        await waiting.wait()

        async with asyncio.timeout(30):
            await site.stop()
            answer = await poll

    assert (answer.status_code, answer.json()["items"]) == (200, [])


def _take_away(site: Site) -> None:
    site.tokens[:] = [one for one in site.tokens if one.name != "erp"]


def _demote(site: Site) -> None:
    site.tokens[:] = [make_token("erp", role="viewer")]


def _expire(site: Site) -> None:
    site.tokens[:] = [make_token("erp", expires=NOW)]


@pytest.mark.parametrize("change", [_take_away, _demote, _expire])
async def test_a_long_poll_does_not_outlive_its_token(
    site: Site, waiting: asyncio.Event, change: Callable[[Site], None]
) -> None:
    poll = asyncio.create_task(site.client("erp").get(POSTINGS, params={"wait": 60}, timeout=70))
    await waiting.wait()
    change(site)

    await site.writer.post(1)
    async with asyncio.timeout(60):
        answer = await poll

    assert answer.status_code == 401


async def test_a_long_poll_outlives_another_name_and_a_later_end_of_its_token(
    site: Site, waiting: asyncio.Event
) -> None:
    poll = asyncio.create_task(site.client("erp").get(POSTINGS, params={"wait": 60}, timeout=70))
    await waiting.wait()
    _take_away(site)
    site.tokens.append(make_token("erp").model_copy(update={"name": "ERP", "expires": NOW + timedelta(days=1)}))

    await site.writer.post(1)
    async with asyncio.timeout(60):
        answer = await poll

    assert (answer.status_code, seqs(answer.json())) == (200, [1])

"""Dead letters and refused postings over the API."""

import base64
import time
from datetime import timedelta
from typing import Any

import pytest

from gateway.store.batch import Batch, Closing, DeadLetter, Rejection
from gateway.store.letters import PREVIEW
from tests.integration.api.conftest import Site
from tests.integration.api.writer import NOW

TEXT, BINARY = b'{"id": null}\n', b"\x00\xff\x1b[2J"


def make_letter(payload: bytes = TEXT, **changes: Any) -> DeadLetter:
    letter = DeadLetter("PACKER-1", "line1/packer/case", payload, "$.id is missing", NOW)
    return letter._replace(**changes)


async def read(site: Site, path: str, **asked: Any) -> Any:
    answer = await site.client("viewer").get(f"/api/v1/{path}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_letter_says_from_where_when_and_why(site: Site) -> None:
    await site.writer.store.commit(Batch(dead_letters=[make_letter()]))

    expected = {
        "id": 1,
        "device": "PACKER-1",
        "source": "line1/packer/case",
        "at": "2026-11-21T10:00:00.000Z",
        "reason": "$.id is missing",
        "size": len(TEXT),
        "retained": False,
        "text": TEXT.decode(),
        "base64": None,
        "complete": True,
    }

    assert {"dead_letters": [expected], "next_after": 1, "has_more": False} == await read(site, "dead-letters")


async def test_bytes_that_nobody_can_read_are_base64(site: Site) -> None:
    await site.writer.store.commit(Batch(dead_letters=[make_letter(BINARY)]))
    (one,) = (await read(site, "dead-letters"))["dead_letters"]

    assert (None, BINARY) == (one["text"], base64.b64decode(one["base64"]))


async def test_a_list_shows_the_beginning_of_a_long_message_and_its_own_page_all_of_it(site: Site) -> None:
    long = "ü".encode() * 1_500_000
    await site.writer.store.commit(Batch(dead_letters=[make_letter(b"x" + long)]))
    (one,) = (await read(site, "dead-letters"))["dead_letters"]
    whole = await read(site, "dead-letters/1")

    assert ("x" + "ü" * ((PREVIEW - 1) // 2), 3_000_001, False) == (one["text"], one["size"], one["complete"])
    assert ("x" + long.decode(), True) == (whole["text"], whole["complete"])


async def test_pages_lead_through_all_of_them(site: Site) -> None:
    await site.writer.store.commit(Batch(dead_letters=[make_letter()] * 5))
    first = await read(site, "dead-letters", limit=3)
    second = await read(site, "dead-letters", limit=3, after=first["next_after"])

    assert ([1, 2, 3], True) == ([one["id"] for one in first["dead_letters"]], first["has_more"])
    assert ([4, 5], False) == ([one["id"] for one in second["dead_letters"]], second["has_more"])


async def test_closed_letters_are_a_list_of_their_own(site: Site) -> None:
    await site.writer.store.commit(Batch(dead_letters=[make_letter()] * 2))
    closing = Closing(NOW + timedelta(seconds=1), "a test message", "eva")
    await site.writer.store.commit(Batch(closed_letters={1: closing}))
    (one,) = (await read(site, "dead-letters", closed=True))["dead_letters"]

    assert [2] == [letter["id"] for letter in (await read(site, "dead-letters"))["dead_letters"]]
    assert ("2026-11-21T10:00:01.000Z", "a test message", "eva") == (
        one["closed_at"],
        one["close_reason"],
        one["closed_by"],
    )


@pytest.mark.parametrize("number", [0, 7, 2**63 - 1])
async def test_a_letter_that_never_was_is_404(site: Site, number: int) -> None:
    answer = await site.client("viewer").get(f"/api/v1/dead-letters/{number}")

    assert (404, f"there is no dead letter {number}") == (answer.status_code, answer.json()["detail"])


async def test_a_hundred_thousand_letters_are_read_in_pages_at_once(site: Site) -> None:
    closing = Closing(NOW, "a test message", "eva")
    await site.writer.store.commit(Batch(dead_letters=[make_letter()] * 100_000))
    await site.writer.store.commit(Batch(closed_letters=dict.fromkeys(range(1, 99_000), closing)))
    begun = time.monotonic()
    page = await read(site, "dead-letters", limit=3)
    status = await read(site, "status")

    assert ([99_000, 99_001, 99_002], 1001) == ([one["id"] for one in page["dead_letters"]], status["dead_letters"])
    assert time.monotonic() - begun < 20  # by the index; a scan of a gigabyte would take far longer


async def test_a_refused_posting_says_by_whom_and_why(site: Site) -> None:
    await site.writer.post(3)
    await site.writer.store.commit(Batch(rejections=[Rejection("erp", 2, "unknown item", NOW)]))
    await site.writer.store.commit(Batch(rejections=[Rejection("erp", 2, "lot is blocked", NOW)]))
    answer = await read(site, "rejections")

    assert [("erp", 2, "100045", "lot is blocked", 2, False)] == [
        (one["sink"], one["seq"], one["order"], one["reason"], one["tries"], one["asked_again"])
        for one in answer["rejections"]
    ]


async def test_refused_postings_come_in_pages_over_all_sinks(site: Site) -> None:
    await site.writer.post(3)
    rejections = [Rejection(sink, seq, "no", NOW) for sink in ("erp", "mes") for seq in (1, 3)]
    await site.writer.store.commit(Batch(rejections=rejections))
    first = await read(site, "rejections", limit=3)
    second = await read(site, "rejections", limit=3, **first["next_after"])

    assert [("erp", 1), ("erp", 3), ("mes", 1)] == [(one["sink"], one["seq"]) for one in first["rejections"]]
    assert ([("mes", 3)], False) == (
        [(one["sink"], one["seq"]) for one in second["rejections"]],
        second["has_more"],
    )

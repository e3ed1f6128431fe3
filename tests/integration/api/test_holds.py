"""Settlements and baselines over HTTP: what is signed is what was there, and what has to be signed is listed."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gateway.counting.counter import Baseline
from gateway.domain.command import SettledHold, SettledPart, SettleHold, SettleHolds
from gateway.domain.event import SignalId
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.formats import signed
from gateway.store.batch import Batch
from tests.integration.api.conftest import PASSWORD, Site
from tests.integration.api.writer import NOW

HELD = ExceptionRecord(
    id=7,
    kind=ExceptionKind.COUNTER,
    code="gap_held",
    reason="Nobody was looking.",
    scope=("FILLER-1", "good"),
    quantity=Decimal(12),
    uom="",
    count=1,
    first_event=NOW,
    last_event=NOW,
    opened_at=NOW,
    detail='{"orders":["100045","100046"],"proposal":[{"quantity":"12","order":"100045","at":"2026-11-21T10:00:00Z"}]}',
)
SETTLED = {"exception": 7, "reason": "COUNT", "parts": [{"quantity": "12", "order": "100045"}]}


def signature(user: str = "supervisor") -> dict[str, str]:
    return {"user": user, "password": PASSWORD, "meaning": "settled"}


async def settle(site: Site, **changes: Any) -> Any:
    body = SETTLED | {"signature": signature()} | changes
    return await site.client("operator").post("/api/v1/commands/settle-hold", json=body)


@pytest.fixture
async def held(site: Site) -> Site:
    await site.writer.store.commit(Batch(exceptions={7: HELD}))
    return site


async def test_the_signature_covers_what_the_hold_says_and_what_it_is_settled_as(held: Site) -> None:
    answer = await settle(held)
    ((command, author),) = held.writer.executed
    asked = SettleHold(7, "COUNT", (SettledPart(Decimal(12), "100045"),), signed.held(HELD))

    assert (200, asked) == (answer.status_code, command)
    assert author.signature is not None
    assert signed.record(asked) == author.signature.record


@pytest.fixture
async def gap(site: Site) -> Site:
    await site.writer.store.commit(Batch(exceptions={7: replace(HELD, kind=ExceptionKind.GAP, code="gap")}))
    return site


async def close(site: Site, **changes: Any) -> Any:
    body = {"exception": 7, "reason": "COUNT", "signature": signature()} | changes
    return await site.client("operator").post("/api/v1/commands/close-exception", json=body)


@pytest.mark.parametrize("ask", [settle, close])
async def test_nobody_settles_or_closes_a_gap_without_saying_what_they_were_shown_of_it(gap: Site, ask: Any) -> None:
    answer = await ask(gap)

    assert (409, []) == (answer.status_code, gap.writer.executed)
    assert "exception 7 is a gap, which may have grown" in answer.json()["detail"]
    assert "`seen`" in answer.json()["hint"]


@pytest.mark.parametrize("ask", [settle, close])
async def test_the_work_list_has_what_to_say_there(gap: Site, ask: Any) -> None:
    (entry,) = (await gap.client("viewer").get("/api/v1/exceptions")).json()["exceptions"]
    answer = await ask(gap, seen=entry["seen"])
    ((command, _),) = gap.writer.executed

    assert (200, entry["seen"]) == (answer.status_code, command.seen)
    assert signed.held(replace(HELD, kind=ExceptionKind.GAP, code="gap")) == entry["seen"]


async def test_parts_may_say_when_and_nothing_at_all(held: Site) -> None:
    at = {"quantity": "2", "at": "2026-11-21T11:00:00+02:00"}
    await settle(held, parts=[at])
    await settle(held, parts=[])
    (first, _), (second, _) = held.writer.executed

    assert isinstance(first, SettleHold)
    assert [(Decimal(2), "", "2026-11-21T09:00:00+00:00")] == [
        (one.quantity, one.order, one.at and one.at.isoformat()) for one in first.parts
    ]
    assert replace(first, parts=()) == second


@pytest.mark.parametrize("parts", [[{"quantity": 1.5}], [{"quantity": "-1"}], [{"quantity": "1", "uom": "kg"}], "none"])
async def test_what_is_no_settlement_is_422(held: Site, parts: Any) -> None:
    answer = await settle(held, parts=parts)

    assert (422, []) == (answer.status_code, held.writer.executed)


async def test_nobody_settles_without_a_signature(held: Site) -> None:
    answer = await settle(held, signature=None)

    assert (422, "this needs a signature: settlement of a hold") == (answer.status_code, answer.json()["detail"])


async def test_an_operator_may_not_sign_it(held: Site) -> None:
    answer = await settle(held, signature=signature("operator"))

    assert 403 == answer.status_code


async def test_the_work_list_has_the_proposal(held: Site) -> None:
    (entry,) = (await held.client("viewer").get("/api/v1/exceptions")).json()["exceptions"]

    assert [{"quantity": "12", "order": "100045", "at": "2026-11-21T10:00:00Z"}] == entry["detail"]["proposal"]


async def test_baselines_are_listed_with_who_has_signed_them(site: Site) -> None:
    signal = SignalId("FILLER-1", "good")
    began = {signal: Baseline(41, "7", NOW, "anna", NOW), signal._replace(signal="reject"): Baseline(3, None, NOW)}
    await site.writer.store.commit(Batch(baselines=began))
    first, second = (await site.client("viewer").get("/api/v1/baselines")).json()["baselines"]

    assert {
        "device": "FILLER-1",
        "signal": "good",
        "value": 41,
        "epoch": "7",
        "at": "2026-11-21T10:00:00.000Z",
        "signed_by": "anna",
        "signed_at": "2026-11-21T10:00:00.000Z",
    } == first
    assert ("reject", None, None, None) == (second["signal"], second["epoch"], second["signed_by"], second["signed_at"])
    assert 1 == (await site.client("viewer").get("/api/v1/status")).json()["baselines_unsigned"]


async def test_one_signature_covers_which_entries_are_settled_together_and_as_what(held: Site) -> None:
    seen = signed.held(HELD)
    holds = [{"exception": 7, "seen": seen, "parts": [{"quantity": "12"}]}, {"exception": 9, "seen": "sha256:other"}]
    body = {"holds": holds, "reason": "COUNT", "signature": signature()}
    answer = await held.client("operator").post("/api/v1/commands/settle-holds", json=body)
    ((command, author),) = held.writer.executed
    asked = SettleHolds(
        (SettledHold(7, seen, (SettledPart(Decimal(12)),)), SettledHold(9, "sha256:other")), reason="COUNT"
    )

    assert (200, asked) == (answer.status_code, command)
    assert author.signature is not None
    assert signed.record(asked) == author.signature.record


async def test_nobody_settles_many_without_saying_what_they_were_shown(held: Site) -> None:
    body = {"holds": [{"exception": 7, "parts": []}], "reason": "COUNT", "signature": signature()}
    answer = await held.client("operator").post("/api/v1/commands/settle-holds", json=body)

    assert (422, []) == (answer.status_code, held.writer.executed)


@pytest.mark.parametrize(("closed", "numbers"), [(False, [1, 2, 3, 4, 5]), (True, [15, 14, 13, 12, 11])])
async def test_the_work_list_is_read_page_by_page(site: Site, closed: bool, numbers: list[int]) -> None:
    opened = {number: replace(HELD, id=number) for number in range(1, 6)}
    ended = {number: replace(HELD, id=number, closed_at=NOW) for number in range(11, 16)}
    await site.writer.store.commit(Batch(exceptions=opened | ended))
    found, page = [], {"next_after": 0, "has_more": True}
    while page["has_more"]:
        params = {"limit": 2, "after": page["next_after"], "closed": closed}
        page = (await site.client("viewer").get("/api/v1/exceptions", params=params)).json()
        found += [one["id"] for one in page["exceptions"]]

    assert numbers == found

"""Reversals through the real pipeline and store: each refusal has its own message, and is chained in the journal."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.runtime.bootstrap import load_config, open_gateway
from gateway.runtime.clock import SystemClock
from gateway.settings.users import write_users
from gateway.store.verify import verify
from tests.integration.api.conftest import PASSWORD, ROLES, make_person, make_token

EXAMPLE = Path(__file__).parents[3] / "config"
REASON = "MISCOUNT-T"


@dataclass
class Line:
    """A gateway with its pipeline and its API, but no machines."""

    api: httpx.AsyncClient
    store: Path

    async def command(self, name: str, role: str = "supervisor", **body: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer token of {role}"}
        return await self.api.post(f"/api/v1/commands/{name}", json=body, headers=headers)

    async def reverse(self, seq: int, role: str = "operator", **more: Any) -> httpx.Response:
        return await self.command("reverse", role, **{"seq": seq, "reason": REASON, "signature": signature(), **more})

    async def made(self, units: int) -> int:
        """Enter packed cases by hand; return the posting's seq."""
        answer = await self.command("enter-output", entry=f"E-{units}", order="100045", operation="0030", good=units)
        assert answer.is_success, answer.text
        return (await self.postings())[-1]["seq"]

    async def postings(self) -> list[dict[str, Any]]:
        answer = await self.api.get("/api/v1/postings", headers={"Authorization": "Bearer token of erp"})
        items: list[dict[str, Any]] = answer.json()["items"]
        return [one for one in items if one["kind"] == "posting"]

    def refused(self) -> list[dict[str, Any]]:
        """Return the journal's entries about refusals."""
        with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT body FROM journal WHERE kind = 'refused' ORDER BY position")
            return [json.loads(body) for (body,) in rows]


def signature(user: str = "supervisor", password: str = PASSWORD) -> dict[str, str]:
    return {"user": user, "password": password, "meaning": "reversal approved"}


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    folder = tmp_path / "config"
    shutil.copytree(EXAMPLE, folder)
    (folder / "masterdata" / "reasons-test.yaml").write_text(f"reasons: [{{reason: {REASON}, text: Miscounted}}]\n")
    tokens = json.dumps([make_token(role).model_dump(mode="json") for role in ROLES])
    settings = (folder / "gateway.yaml").read_text("utf-8")
    for before, after in (("tokens: []", f"tokens: {tokens}"), ("127.0.0.1:8080", "127.0.0.1:0")):
        assert before in settings
        settings = settings.replace(before, after, 1)
    (folder / "gateway.yaml").write_text(settings, "utf-8")
    write_users(folder / "users.yaml", [make_person(role) for role in ROLES])
    config = load_config(folder)
    async with open_gateway(config, SystemClock()) as gateway:
        tasks = [asyncio.create_task(gateway.pipeline.run()), asyncio.create_task(gateway.api.run())]
        await gateway.api.listening.wait()
        url = f"http://127.0.0.1:{gateway.api.port}"
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=30) as api:  # plain HTTP
            yield Line(api, config.store_path)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


REFUSALS = {
    "without signature": ({"signature": None}, 422, "this needs a signature: reversal"),
    "wrong password": ({"signature": signature(password="wrong")}, 401, "unknown user or wrong password"),
    "signed by a viewer": ({"signature": signature("viewer")}, 403, "viewer (viewer) may not sign reversal"),
    "by a viewer's token": ({"role": "viewer"}, 403, "the role viewer has no permission to operate"),
    "more than is left": ({"units": "6"}, 409, "6 EA is more than posting {seq} has left: 5"),
    "unknown reason": ({"reason": "BECAUSE"}, 409, "unknown reason code 'BECAUSE'"),
}


@pytest.mark.parametrize("case", REFUSALS)
async def test_a_refused_reversal_says_why_is_audited_and_posts_nothing(line: Line, case: str) -> None:
    how, status, message = REFUSALS[case]
    seq = await line.made(5)

    answer = await line.reverse(seq, **how)

    assert (answer.status_code, answer.json()["detail"]) == (status, message.format(seq=seq))
    (entry,) = line.refused()
    assert ("Reverse", seq) == (entry["command"], entry["about"]["seq"])
    assert entry["why"].startswith(message.format(seq=seq))
    assert {"without signature": "operator", "by a viewer's token": "viewer"}.get(case, entry["person"]) == entry[
        "person"
    ]
    assert PASSWORD not in json.dumps(entry)
    assert seq == (await line.postings())[-1]["seq"]


async def test_a_reversal_mirrors_once_and_then_is_refused(line: Line) -> None:
    seq = await line.made(5)

    first, second = await line.reverse(seq), await line.reverse(seq)

    (mirror,) = first.json()["result"]
    assert (409, f"posting {seq} is already reversed, by posting {mirror}") == (
        second.status_code,
        second.json()["detail"],
    )
    assert 1 == len(line.refused())


async def test_a_reversal_bears_its_signature_and_its_reason(line: Line) -> None:
    seq = await line.made(5)
    original = (await line.postings())[-1]
    await line.reverse(seq, reason=f"{REASON}: two cases fell off")
    mirror = (await line.postings())[-1]

    assert {"seq": seq} == mirror["reverses"]
    assert {"code": REASON, "text": "Miscounted: two cases fell off"} == mirror["reason"]
    assert ("supervisor", "The supervisor", "supervisor", "reversal approved") == tuple(
        mirror["signature"][name] for name in ("user", "name", "role", "meaning")
    )
    assert mirror["signature"]["record"].startswith("sha256:")
    assert f"-{original['output']['good']}" == mirror["output"]["good"]


async def test_the_store_is_sound_after_refusals_and_reversals(line: Line) -> None:
    seq = await line.made(5)
    await line.reverse(seq, units="2")
    await line.reverse(seq, units="4")
    await line.reverse(seq)

    report = await asyncio.to_thread(verify, line.store)

    assert report.ok, [one for one in report.checks if not one.ok]

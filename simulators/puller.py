"""The ERP's other way: reading the gateway's postings with a cursor and acknowledging them."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from simulators.books import Books

PAGE = 200  # postings
WAIT = 10  # seconds the gateway may hold an empty answer
BACK_OFF = (0.2, 5.0)  # seconds: the first, the longest


@dataclass(frozen=True, slots=True)
class PullSettings:
    """Whom to read from. The token file is read at each start, so it may appear later."""

    url: str
    token_file: Path
    consumer: str = "erp"


class Puller:
    """Books page by page, moves its cursor, then acknowledges; a crash between repeats harmlessly."""

    def __init__(self, books: Books, settings: PullSettings) -> None:
        self._books = books
        self._settings = settings
        self._owed = True  # an acknowledgement: one that was sent may not have been kept
        self._task: asyncio.Task[None] | None = None
        self._told: set[str] = set()

    def start(self) -> None:
        """Begin to pull."""
        self._task = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        """Stop pulling."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        pause = BACK_OFF[0]
        async with httpx.AsyncClient(base_url=self._settings.url, timeout=WAIT + 10, trust_env=False) as client:
            while True:
                try:
                    await self._page(client)
                    pause = BACK_OFF[0]
                except (httpx.HTTPError, OSError):
                    # the gateway is away, or its token is not there yet
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, BACK_OFF[1])

    async def _page(self, client: httpx.AsyncClient) -> None:
        consumer = self._settings.consumer
        token = self._settings.token_file.read_text("utf-8").strip()
        headers = {"Authorization": f"Bearer {token}"}
        store, after = self._books.cursor(consumer)
        query = {"after": after, "limit": PAGE, "wait": 0 if self._owed else WAIT} | ({"store": store} if store else {})
        answer = await client.get("/api/v1/postings", params=query, headers=headers)
        if answer.status_code in (httpx.codes.CONFLICT, httpx.codes.GONE):
            self._jump(answer.status_code, _problem(answer), store, after)
            self._owed = True  # a restored gateway may have forgotten how far we were
            return
        page = answer.raise_for_status().json()
        await self._checkpoints(client, page["store"], headers)
        self._books.book(page["gateway"], page["store"], page["items"], "pull")
        self._books.move_cursor(consumer, page["store"], page["next_after"])
        self._owed |= bool(page["items"])
        if self._owed and page["next_after"]:
            acknowledgement = {"store": page["store"], "through": page["next_after"]}
            answer = await client.post(f"/api/v1/consumers/{consumer}/ack", json=acknowledgement, headers=headers)
            answer.raise_for_status()
        self._owed = False

    async def _checkpoints(self, client: httpx.AsyncClient, store: str, headers: dict[str, str]) -> None:
        """Keep what the gateway signed since; the last one again, to see that it still stands."""
        query = {"after": max(0, self._books.last_checkpoint(store)[0] - 1)}
        answer = await client.get("/api/v1/checkpoints", params=query, headers=headers)
        if answer.status_code == httpx.codes.NOT_FOUND:  # an older gateway signs nothing
            return
        fault = self._books.keep_checkpoints(answer.raise_for_status().json())
        if fault and fault not in self._told:
            self._told.add(fault)
            self._books.refuse("", store, 0, fault, "pull")

    def _jump(self, status: int, problem: dict[str, Any], store: str, after: int) -> None:
        consumer = self._settings.consumer
        if status == httpx.codes.CONFLICT:
            former = {one["store"]: one["last_seq"] for one in problem.get("former_stores", ())}
            self._books.move_cursor(consumer, problem["store"], min(after, former.get(store, 0)))
            return
        first = problem["first_available"]
        self._books.refuse("", store, after + 1, f"gap: {after + 1} to {first - 1} no longer kept", "pull")
        self._books.move_cursor(consumer, store, first - 1)


def _problem(answer: httpx.Response) -> dict[str, Any]:
    body = answer.json()
    return dict(body.get("detail") if isinstance(body.get("detail"), dict) else body)

"""The pull API: the posting log by cursor, as the bytes stored at commit."""

import asyncio
import json
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.auth import stranger
from gateway.api.problems import gone, other_store, unprocessable
from gateway.api.services import FromServices, Services
from gateway.store.log import Page

LARGEST_SEQ = 2**63 - 1  # SQLite's integers end there


class PostingsQuery(BaseModel):
    """Which page, of which store, and how long to wait for it."""

    model_config = ConfigDict(extra="forbid")

    after: int = Field(default=0, ge=0, le=LARGEST_SEQ, description="the cursor: the last seq already booked")
    through: int | None = Field(
        default=None, ge=0, le=LARGEST_SEQ, description="last seq to read; such a page is the same bytes for ever"
    )
    store: str | None = Field(default=None, description="the store the cursor belongs to")
    limit: int = Field(default=200, ge=1, le=1000, description="postings in one answer")
    wait: float = Field(default=0, ge=0, le=60, description="seconds to wait while there is nothing to read")


async def read_postings(query: Annotated[PostingsQuery, Query()], services: FromServices, request: Request) -> Response:
    """Return {"gateway", "store", "items", "next_after", "has_more"}; the next page is after `next_after`."""
    log = services.log
    if query.store not in (None, log.store):
        return other_store(log.lineage)
    if query.through is not None and query.through < query.after:
        return unprocessable(("query", "through"), f"through {query.through} is before after {query.after}")
    ending: asyncio.Event = request.scope["state"]["ending"]
    await _wait(services, query, ending)
    now = services.clock.now().wall
    if refusal := stranger(request.scope, services.tokens(), services.certified, now):
        return refusal  # its token was taken away, or has ended, while it waited
    # A bound that is not there yet would make the page grow later; a cursor that is not there yet is of another store.
    last = await log.last()
    for name, seq in (("after", query.after), ("through", query.through or 0)):
        if seq > last:
            return unprocessable(("query", name), f"{name} {seq} is beyond the last posting {last}")
    # Nothing over a connection that ended under the wait: its client may be one whose certificate was revoked.
    limit = 0 if query.wait and ending.is_set() else query.limit
    page = await log.page(query.after, query.through, limit)
    # Asked after the page was read: retention may delete between the two, and must not leave a silent gap.
    if query.after + 1 < (first := await log.first_available()):
        return gone(first)
    return Response(_render(log.gateway, log.store, page), media_type="application/json")


async def _wait(services: Services, query: PostingsQuery, ending: asyncio.Event) -> None:
    """Wait until there is something to read, the time is over, the server stops or the connection ends."""
    if not query.wait:
        return
    beyond = query.after if query.through is None else query.through - 1
    news = asyncio.ensure_future(services.log.wait_beyond(beyond, query.wait))
    waits = (news, *(asyncio.ensure_future(end.wait()) for end in (services.stopping, ending)))
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waits:
            one.cancel()


def _render(gateway: str, store: str, page: Page) -> bytes:
    items = b",".join(document.body for document in page.documents)
    return b'{"gateway":%s,"store":%s,"items":[%s],"next_after":%d,"has_more":%s}' % (
        json.dumps(gateway).encode(),
        json.dumps(store).encode(),
        items,
        page.next_after,
        b"true" if page.has_more else b"false",
    )

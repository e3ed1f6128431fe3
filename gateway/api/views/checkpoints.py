"""The signed checkpoints: whoever keeps them can tell later that nothing was cut off or written anew."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.postings import LARGEST_SEQ
from gateway.api.services import FromServices
from gateway.store.checkpoints import page


class CheckpointsQuery(BaseModel):
    """Which page."""

    model_config = ConfigDict(extra="forbid")

    after: int = Field(default=0, ge=0, le=LARGEST_SEQ, description="the position of the last checkpoint already kept")
    limit: int = Field(default=200, ge=1, le=1000, description="checkpoints in one answer")


async def read_checkpoints(query: Annotated[CheckpointsQuery, Query()], services: FromServices) -> dict[str, Any]:
    """Return {"gateway", "store", "keys", "items", "has_more"}: {"id", "public"}, {"position", "body", "signature"}.

    `signature` (Ed25519, hex) covers the text of `body`, which is JSON; its `key` is one of `keys`. The newest one is
    replaced by another with the same position while nothing is written: ask again behind the last but one.
    """
    found = await services.views.read(lambda raw: page(raw, query.after, query.limit))
    return {
        "gateway": services.log.gateway,
        "store": services.log.store,
        "keys": [{"id": name, "public": public} for name, public in found.keys],
        "items": [{"position": one.position, "body": one.body, "signature": one.signature} for one in found.items],
        "has_more": found.has_more,
    }

"""Why a posting says what it says."""

from typing import Annotated, Any

from fastapi import HTTPException, Path, Response

from gateway.api.postings import LARGEST_SEQ
from gateway.api.problems import gone
from gateway.api.services import FromServices
from gateway.store.explanation import explain


async def explain_posting(
    seq: Annotated[int, Path(ge=1, le=LARGEST_SEQ)], services: FromServices
) -> dict[str, Any] | Response:
    """Return every reading, rule, formula, remainder and lot of a posting: enough to recompute it by hand."""
    found = await services.views.read(lambda raw: explain(raw, seq))
    if found is not None:
        return found
    if seq < (first := await services.log.first_available()):
        return gone(first)
    raise HTTPException(404, f"there is no posting {seq}")

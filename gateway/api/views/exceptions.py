"""The work list: what may not be posted yet, and what became of what was closed."""

import json
from typing import Annotated, Any

from fastapi import Query

from gateway.api.services import FromServices
from gateway.api.shapes import LARGEST
from gateway.domain.clock import rfc3339
from gateway.domain.exception import ExceptionRecord
from gateway.domain.quantity import text
from gateway.formats import signed


async def exceptions(
    services: FromServices,
    after: Annotated[int, Query(ge=0, le=LARGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    *,
    closed: Annotated[bool, Query(description="the closed entries instead, the last one first")] = False,
) -> dict[str, Any]:
    """Return the open work list, oldest first, each entry with the exact reason.

    Read on behind `next_after`, the last entry's id, while `has_more`.
    """
    read = services.views.exceptions_closed if closed else services.views.exceptions
    found = await read(limit + 1, after)
    page = found[:limit]
    return {
        "exceptions": [shown(one) for one in page],
        "next_after": page[-1].id if page else after,
        "has_more": len(found) > limit,
    }


def shown(one: ExceptionRecord) -> dict[str, Any]:
    """Return an entry as JSON; how it was closed only where it was, else the `seen` of who settles or closes it."""
    entry = {
        "id": one.id,
        "kind": str(one.kind),
        "code": one.code,
        "reason": one.reason,
        "scope": list(one.scope),
        "quantity": text(one.quantity),
        "uom": one.uom,
        "count": one.count,
        "owner": one.owner or None,
        "first_event": rfc3339(one.first_event),
        "last_event": rfc3339(one.last_event),
        "opened_at": rfc3339(one.opened_at),
        "detail": json.loads(one.detail) if one.detail else None,
    }
    if one.closed_at is None:
        return {**entry, "seen": signed.held(one)}
    return {
        **entry,
        "closed_at": rfc3339(one.closed_at),
        "close_reason": one.close_reason,
        "closed_by": one.closed_by,
    }

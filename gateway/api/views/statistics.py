"""Full documents: an order's postings of a day as one."""

from typing import Annotated, Any

from fastapi import HTTPException, Query

from gateway.api.services import FromServices
from gateway.store.statistics import full_documents, is_unknown


async def read_full_documents(
    order: str, services: FromServices, day: Annotated[str | None, Query(pattern=r"^\d{4}-\d{2}-\d{2}$")] = None
) -> dict[str, Any]:
    """Return the order's full documents, one for each day it posted (UTC), with what is planned, received and open."""
    found = await services.views.read(lambda raw: full_documents(raw, order, day))
    if is_unknown(found) and order not in services.master().orders:
        raise HTTPException(404, f"there is no order {order}")
    return found

"""Full documents: an order's postings of a day as one."""

from typing import Annotated, Any

from fastapi import Query

from gateway.api.services import FromServices
from gateway.store.statistics import full_documents


async def read_full_documents(
    order: str, services: FromServices, day: Annotated[str | None, Query(pattern=r"^\d{4}-\d{2}-\d{2}$")] = None
) -> dict[str, Any]:
    """Return the order's full documents, one for each day it posted (UTC), with what is planned, received and open."""
    return await services.views.read(lambda raw: full_documents(raw, order, day))

"""Genealogy in both directions: from a case or finished lot to component lots, from a component lot to its cases."""

from decimal import Decimal
from typing import Annotated

import orjson
from fastapi import HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.problems import unprocessable
from gateway.api.services import FromServices
from gateway.domain.quantity import text
from gateway.errors import DataError
from gateway.store.genealogy import genealogy, unknown


class GenealogyQuery(BaseModel):
    """What is asked for: exactly one of case, component lot and finished lot."""

    model_config = ConfigDict(extra="forbid")

    sscc: str | None = Field(default=None, description="a case or pallet, with or without its (00)")
    lot: str | None = Field(default=None, description="a component lot")
    item: str | None = Field(default=None, description="the component lot's item, where several have such a lot")
    finished_lot: str | None = Field(default=None, description="a finished lot")


async def read_genealogy(query: Annotated[GenealogyQuery, Query()], services: FromServices) -> Response:
    """Return {"cases", "lots", "finished_lots"}; what was not asked for is empty. Open windows have no `seq` yet."""
    asked = query.model_dump()
    what = [one for one in (query.sscc, query.lot, query.finished_lot) if one is not None]
    if len(what) != 1:
        return unprocessable(("query",), "ask for one of sscc, lot and finished_lot")
    if query.item is not None and query.lot is None:
        return unprocessable(("query", "item"), "the item belongs to a lot")
    try:
        answer = await services.views.read(lambda raw: genealogy(raw, **asked))
    except DataError as error:
        return unprocessable(("query", "sscc"), error.message)
    if not answer.is_known:
        raise HTTPException(404, f"nothing is known of {unknown(**asked)}")
    return Response(orjson.dumps(answer, default=plain), media_type="application/json")


def plain(value: object) -> object:
    """Return what JSON has no type for: exact quantities as decimal strings."""
    if isinstance(value, Decimal):
        return text(value)
    raise TypeError(f"genealogy has no {type(value).__name__}")

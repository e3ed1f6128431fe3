"""Genealogy in both directions: from a case or finished lot to component lots, from a component lot to its cases."""

from decimal import Decimal
from typing import Annotated

import orjson
from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.problems import unprocessable
from gateway.api.services import FromServices
from gateway.domain.quantity import text
from gateway.errors import DataError
from gateway.store.genealogy import genealogy


class GenealogyQuery(BaseModel):
    """What is asked for; at least one of case, component lot and finished lot."""

    model_config = ConfigDict(extra="forbid")

    sscc: str | None = Field(default=None, description="a case or pallet, with or without its (00)")
    lot: str | None = Field(default=None, description="a component lot")
    item: str | None = Field(default=None, description="the component lot's item, where several have such a lot")
    finished_lot: str | None = Field(default=None, description="a finished lot")


async def read_genealogy(query: Annotated[GenealogyQuery, Query()], services: FromServices) -> Response:
    """Return {"cases", "lots", "finished_lots"}; what was not asked for is empty. Open windows have no `seq` yet."""
    asked = query.model_dump()
    if query.sscc is None and query.lot is None and query.finished_lot is None:
        return unprocessable(("query",), "ask for sscc, lot or finished_lot")
    try:
        answer = await services.views.read(lambda raw: genealogy(raw, **asked))
    except DataError as error:
        return unprocessable(("query", "sscc"), error.message)
    return Response(orjson.dumps(answer, default=plain), media_type="application/json")


def plain(value: object) -> object:
    """Return what JSON has no type for: exact quantities as decimal strings."""
    if isinstance(value, Decimal):
        return text(value)
    raise TypeError(f"genealogy has no {type(value).__name__}")

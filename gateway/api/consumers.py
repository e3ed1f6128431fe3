"""Named pullers: who has booked how far."""

from typing import Annotated, Any

from fastapi import Path, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.postings import LARGEST_SEQ
from gateway.api.problems import other_store, unprocessable
from gateway.api.services import FromServices
from gateway.domain.clock import rfc3339
from gateway.errors import CommandRefused
from gateway.settings.consumer import CONSUMER_NAME


class Acknowledgement(BaseModel):
    """Everything of `store` up to and including seq `through` is booked and safe at the consumer's."""

    model_config = ConfigDict(extra="forbid", strict=True)

    store: str
    through: int = Field(ge=0, le=LARGEST_SEQ)


async def acknowledge(
    name: Annotated[str, Path(pattern=CONSUMER_NAME)], body: Acknowledgement, services: FromServices
) -> Response:
    """Move this consumer's watermark, never back; return {"consumer", "through"} as it stands then.

    A name nobody configured is registered as not required: retention doesn't wait for it.
    """
    log = services.log
    if body.store != log.store:
        return other_store(log.lineage)
    if body.through > (last := await log.last()):
        return unprocessable(("body", "through"), f"through {body.through} is beyond the last posting {last}")
    try:
        through = await services.commands.acknowledge(name, body.store, body.through)
    except CommandRefused as error:
        return unprocessable(("body", "through"), str(error))
    return JSONResponse({"consumer": name, "through": through})


async def list_consumers(services: FromServices) -> dict[str, Any]:
    """Return every puller and sink with its watermark, and how many postings it is behind."""
    last = await services.log.last()
    return {
        "store": services.log.store,
        "last_seq": last,
        "consumers": [
            {
                "consumer": one.name,
                "kind": one.kind,
                "through": one.through,
                "behind": last - one.through,
                "required": one.required,
                "updated_at": rfc3339(one.updated_at),
            }
            for one in await services.log.consumers()
        ],
    }

"""Stock that was brought to the line."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import Field, model_validator

from gateway.api.problems import conflict, unprocessable
from gateway.api.services import Caller, FromServices
from gateway.api.shapes import Body, Moment, Name, received
from gateway.domain.lot import LotKey, LotStatus, Owner, Staging
from gateway.errors import CommandRefused, DataError
from gateway.settings.base import Exact


class StagingBody(Body):
    """One transfer of a lot to the line, for one order or for everyone on a line."""

    staging: Name = Field(description="the transfer's own id: it is applied once")
    item: Name
    lot: Name
    location: Name
    quantity: Annotated[Exact, Field(gt=0, description="a decimal string")]
    uom: Name
    order: Name | None = None
    line: Name | None = None
    received_at: Moment | None = Field(default=None, description="when it came; left out: now")
    expires_at: Moment | None = None
    status: Annotated[LotStatus, Field(strict=False)] = LotStatus.UNRESTRICTED

    @model_validator(mode="after")
    def _one_owner(self) -> "StagingBody":
        if (self.order is None) == (self.line is None):
            raise ValueError("give either order or line: whom the stock serves")
        return self

    def staging_at(self, now: datetime) -> Staging:
        """Return what it means to the domain; received `now` where it doesn't say when, DataError after that."""
        owner = Owner("order", self.order) if self.order is not None else Owner("line", str(self.line))
        key = LotKey(owner, self.item, self.lot, self.location)
        quantity: Decimal = self.quantity
        return Staging(
            self.staging, key, quantity, self.uom, received(self.received_at, now), self.expires_at, self.status
        )


async def stage(body: StagingBody, services: FromServices, caller: Caller) -> Response:
    """Apply it: 201 when it is new, 200 when it was applied before, 409 when its id stands for something else."""
    try:
        new = await services.commands.stage(body.staging_at(services.clock.now().wall), caller.name)
    except CommandRefused as error:
        return conflict(str(error))
    except DataError as error:
        return unprocessable(("body",), str(error))
    return JSONResponse({"staging": body.staging, "applied": new}, status_code=201 if new else 200)

"""What is measured: variances, rates and ratios; and what shadows would have consumed."""

from typing import Any

import orjson
from fastapi import Response

from gateway.api.services import FromServices
from gateway.store.shadow_report import shadow_report


async def read_measures(services: FromServices) -> Response:
    """Return {"measures": {name: [row, …]}, "age_seconds"}; quantities are exact, ratios have four digits.

    They are read in the background, at most every fifteen seconds: `age_seconds` (and the header Age) says how old.
    """
    measured = await services.views.measured()
    body = orjson.dumps({"measures": measured.measures, "age_seconds": round(measured.age, 3)})
    return Response(body, media_type="application/json", headers={"Age": str(int(measured.age))})


async def read_shadow(services: FromServices) -> dict[str, Any]:
    """Return {"shadow": [{source, order, item, uom, would_be, live, difference, percent}, …]}."""
    return {"shadow": [one._asdict() for one in await services.views.read(shadow_report)]}

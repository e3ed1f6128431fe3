"""What is measured: variances, rates and ratios; and what shadows would have consumed."""

from typing import Any

from gateway.api.services import FromServices
from gateway.store.measures import measures
from gateway.store.shadow_report import shadow_report


async def read_measures(services: FromServices) -> dict[str, Any]:
    """Return {"measures": {name: [row, …]}}; quantities are exact, ratios have four digits."""
    return {"measures": await services.views.read(measures)}


async def read_shadow(services: FromServices) -> dict[str, Any]:
    """Return {"shadow": [{source, order, item, uom, would_be, live, difference, percent}, …]}."""
    return {"shadow": [one._asdict() for one in await services.views.read(shadow_report)]}

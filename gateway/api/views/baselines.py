"""Where the counters began, and who has signed that."""

from typing import Any

from gateway.api.services import FromServices
from gateway.counting.counter import Baseline
from gateway.domain.clock import rfc3339
from gateway.domain.event import SignalId


async def list_baselines(services: FromServices) -> dict[str, list[dict[str, Any]]]:
    """Return each counter's first reading, by name; `signed_by` is null until somebody has confirmed it."""
    return {"baselines": [_shown(*one) for one in await services.views.baselines()]}


def _shown(signal: SignalId, one: Baseline) -> dict[str, Any]:
    return {
        "device": signal.device,
        "signal": signal.signal,
        "value": one.value,
        "epoch": one.epoch,
        "at": rfc3339(one.at),
        "signed_by": one.signed_by or None,
        "signed_at": rfc3339(one.signed_at) if one.signed_at else None,
    }

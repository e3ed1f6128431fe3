"""How the gateway stands: devices, sinks, totals per signal, buffers, and what may not be posted yet."""

from collections.abc import Mapping
from typing import Any

from fastapi import Response
from prometheus_client import CONTENT_TYPE_LATEST

from gateway.api.services import FromServices
from gateway.domain.clock import rfc3339
from gateway.domain.health import Health
from gateway.domain.quantity import text
from gateway.store.views import Buffer, SignalTally


async def status(services: FromServices) -> dict[str, Any]:
    """Return the whole picture on one page; counted = posted + scrapped + held + reversed for each signal."""
    report, views = services.health(), services.views
    return {
        "gateway": services.log.gateway,
        "store": services.log.store,
        "store_state": report.store,
        "ready": report.ready,
        "paused": report.paused,
        "troubles": dict(report.troubles),
        "unsafe": list(report.unsafe),
        "started_at": rfc3339(report.started_at),
        "devices": _healths(report.devices),
        "sinks": _healths(report.sinks),
        "signals": [_tally(one) for one in await views.tallies()],
        "last_seq": await services.log.last(),
        "consumers": [_buffer(one) for one in await views.buffers()],
        "exceptions_open": await views.exceptions_open(),
        "baselines_unsigned": sum(not one.signed_by for _, one in await views.baselines()),
        "dead_letters": await views.dead_letters(),
        "wal_bytes": views.wal_size(),
    }


async def metrics(services: FromServices) -> Response:
    """Return Prometheus text."""
    return Response(await services.metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _healths(healths: Mapping[str, Health]) -> dict[str, Any]:
    return {name: {"link": str(one.link), "detail": one.detail} for name, one in sorted(healths.items())}


def _tally(one: SignalTally) -> dict[str, str]:
    tally = one.tally
    quantities = {name: text(getattr(tally, name)) for name in ("counted", "posted", "scrapped", "held", "reversed")}
    return {"device": one.signal.device, "signal": one.signal.signal, "uom": tally.uom, **quantities}


def _buffer(one: Buffer) -> dict[str, Any]:
    return {
        "consumer": one.name,
        "kind": str(one.kind),
        "required": one.required,
        "through": one.through,
        "waiting": one.waiting,
        "rejected": one.rejected,
    }

"""How the gateway stands: devices, sinks, totals per signal, buffers, and what may not be posted yet."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Response
from prometheus_client import CONTENT_TYPE_LATEST

from gateway.api.services import FromServices
from gateway.domain.clock import rfc3339
from gateway.domain.exception import ExceptionRecord
from gateway.domain.quantity import text
from gateway.ports import Health
from gateway.store.views import Buffer, SignalTally


async def status(services: FromServices) -> dict[str, Any]:
    """Return the whole picture on one page; counted = posted + scrapped + held for each signal."""
    report, views = services.health(), services.views
    return {
        "gateway": services.log.gateway,
        "store": services.log.store,
        "store_state": report.store,
        "ready": report.ready,
        "started_at": rfc3339(report.started_at),
        "devices": _healths(report.devices),
        "sinks": _healths(report.sinks),
        "signals": [_tally(one) for one in await views.tallies()],
        "last_seq": await services.log.last(),
        "consumers": [_buffer(one) for one in await views.buffers()],
        "exceptions_open": await views.exceptions_open(),
        "dead_letters": await views.dead_letters(),
        "wal_bytes": views.wal_size(),
    }


async def exceptions(
    services: FromServices, limit: Annotated[int, Query(ge=1, le=1000)] = 1000
) -> dict[str, list[dict[str, Any]]]:
    """Return the open work list, oldest first, each entry with the exact reason."""
    return {"exceptions": [_exception(one) for one in await services.views.exceptions(limit)]}


async def metrics(services: FromServices) -> Response:
    """Return Prometheus text."""
    return Response(services.metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _healths(healths: Mapping[str, Health]) -> dict[str, Any]:
    return {name: {"link": str(one.link), "detail": one.detail} for name, one in sorted(healths.items())}


def _tally(one: SignalTally) -> dict[str, str]:
    tally = one.tally
    quantities = {name: text(getattr(tally, name)) for name in ("counted", "posted", "scrapped", "held")}
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


def _exception(one: ExceptionRecord) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": str(one.kind),
        "code": one.code,
        "reason": one.reason,
        "scope": list(one.scope),
        "quantity": text(one.quantity),
        "uom": one.uom,
        "count": one.count,
        "first_event": rfc3339(one.first_event),
        "last_event": rfc3339(one.last_event),
        "opened_at": rfc3339(one.opened_at),
        "detail": json.loads(one.detail) if one.detail else None,
    }

"""Liveness and readiness, for systemd, a load balancer or a person without a token: counts, no names."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

from gateway.api.services import FromServices
from gateway.domain.clock import rfc3339
from gateway.domain.health import Health
from gateway.ports import HealthReport


def summary(report: HealthReport) -> dict[str, Any]:
    """Return how many devices and sinks are in which state."""
    return {
        "ready": report.ready,
        "store": report.store,
        "paused": report.paused,
        "troubles": len(report.troubles),
        "started_at": rfc3339(report.started_at),
        "devices": _count(report.devices),
        "sinks": _count(report.sinks),
    }


def _count(healths: Mapping[str, Health]) -> dict[str, int]:
    return dict(sorted(Counter(str(one.link) for one in healths.values()).items()))


async def healthz(services: FromServices) -> Response:
    """Return 200 while it works; 503 with the reason when the store stopped it.

    A dead device is no fault of ours, and of a full disk nobody is cured by a restart.
    """
    report = services.health()
    return JSONResponse(summary(report), status_code=200 if report.store == "ok" or report.paused else 503)


async def readyz(services: FromServices) -> Response:
    """Return 200 once the intake runs and the store takes what comes."""
    report = services.health()
    return JSONResponse(summary(report), status_code=200 if report.ready and report.store == "ok" else 503)

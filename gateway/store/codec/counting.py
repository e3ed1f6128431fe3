"""How far each counter and each message source has come."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import orjson

from gateway.counting.counter import Checkpoint, Suspect
from gateway.counting.messages import Watermark
from gateway.domain.clock import Instant
from gateway.store.codec.scalars import number, optional_moment, optional_text, when


def suspect_text(suspect: Suspect | None) -> str | None:
    """Return the suspect as JSON, None for None. The value is a string: it may exceed 64 bits."""
    return None if suspect is None else _json({**asdict(suspect), "value": str(suspect.value)})


def checkpoint(row: tuple[Any, ...]) -> Checkpoint:
    """Return the checkpoint of a row (value, epoch, wall, boot, boottime, source time, order, counted, …)."""
    value, epoch, wall, boot, boottime, source_time, order, counted, suspect, slack = row
    return Checkpoint(
        value=int(value),
        epoch=epoch,
        seen=Instant(datetime.fromisoformat(wall), boottime, boot),
        source_time=when(source_time),
        order=order,
        counted=int(counted),
        suspect=_suspect(suspect),
        slack=slack,
    )


def _suspect(stored: str | None) -> Suspect | None:
    if stored is None:
        return None
    body = orjson.loads(stored)
    return Suspect(**{**body, "value": int(body["value"])})


def watermark_text(watermark: Watermark) -> str:
    """Return how far a source's numbering was seen, as JSON."""
    return _json(
        {
            "sequence": watermark.sequence,
            "total": optional_text(watermark.total),
            "missing": watermark.missing,
            "source_time": optional_moment(watermark.source_time),
        }
    )


def watermark(stored: str) -> Watermark:
    """Return the watermark of its JSON."""
    body = orjson.loads(stored)
    return Watermark(
        sequence=body["sequence"],
        total=number(body["total"]),
        missing=tuple((first, last) for first, last in body["missing"]),
        source_time=when(body["source_time"]),
    )


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()

"""How far each counter and each message source has come."""

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from gateway.counting.counter import Checkpoint, Suspect
from gateway.counting.messages import Settled, Watermark
from gateway.domain.clock import Instant
from gateway.domain.quantity import text
from gateway.store.codec.scalars import moment, number, optional_moment, optional_text, when


def suspect_text(suspect: Suspect | None) -> str | None:
    """Return the suspect as JSON, None for None. Its values are strings: they may exceed 64 bits."""
    if suspect is None:
        return None
    return _json({**asdict(suspect), "value": str(suspect.value), "first": str(suspect.first)})


def checkpoint(row: tuple[Any, ...]) -> Checkpoint:
    """Return the checkpoint of a row (value, epoch, wall, boot, boottime, source time, order, counted, …)."""
    value, epoch, wall, boot, boottime, source_time, order, counted, suspect, slack, doubt = row
    return Checkpoint(
        value=int(value),
        epoch=epoch,
        seen=Instant(datetime.fromisoformat(wall), boottime, boot),
        source_time=when(source_time),
        order=order,
        counted=int(counted),
        suspect=_suspect(suspect),
        slack=slack,
        doubt=doubt,
    )


def _suspect(stored: str | None) -> Suspect | None:
    if stored is None:
        return None
    body = orjson.loads(stored)
    return Suspect(**{**body, "value": int(body["value"]), "first": int(body.get("first", body["value"]))})


def watermark_text(watermark: Watermark) -> str:
    """Return how far a source's numbering was seen, as JSON."""
    return _json(
        {
            "sequence": watermark.sequence,
            "total": optional_text(watermark.total),
            "missing": watermark.missing,
            "source_time": optional_moment(watermark.source_time),
            "settled": [(*one[:4], moment(one.until)) for one in watermark.settled],
            "doubt": watermark.doubt,
            "unreported": [(text(first), text(last)) for first, last in watermark.unreported],
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
        settled=tuple(map(_settled, body.get("settled", ()))),
        doubt=body.get("doubt", ""),
        unreported=tuple((Decimal(first), Decimal(last)) for first, last in body.get("unreported", ())),
    )


def _settled(stored: list[Any]) -> Settled:
    first, last, exception, person, until = stored
    return Settled(first, last, exception, person, datetime.fromisoformat(until))


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()

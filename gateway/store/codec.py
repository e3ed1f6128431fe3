"""How values stand in the store: explicit conversions to text and back, none left to sqlite3's adapters."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any

import orjson

from gateway.counting.counter import Checkpoint, Suspect
from gateway.counting.messages import Watermark
from gateway.domain.clock import Instant, rfc3339
from gateway.domain.lot import Staging
from gateway.domain.quantity import text


def moment(value: datetime) -> str:
    """Return a UTC moment in full precision: what is computed with has to come back as it was."""
    return value.isoformat().replace("+00:00", "Z")


def optional_moment(value: datetime | None) -> str | None:
    """Return `moment`, None for None."""
    return None if value is None else moment(value)


@lru_cache(maxsize=1024)  # the postings of a batch share one moment, the samples of a scan another
def stamp(value: datetime) -> str:
    """Return the moment as documents carry it: UTC with milliseconds."""
    return rfc3339(value)


def optional_stamp(value: datetime | None) -> str | None:
    """Return `stamp`, None for None."""
    return None if value is None else stamp(value)


def optional_text(value: Decimal | None) -> str | None:
    """Return the decimal string, None for None."""
    return None if value is None else text(value)


def when(stored: str | None) -> datetime | None:
    """Return the moment that was stored, None for None."""
    return None if stored is None else datetime.fromisoformat(stored)


def number(stored: str | None) -> Decimal | None:
    """Return the quantity that was stored, None for None."""
    return None if stored is None else Decimal(stored)


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


def staging_hash(staging: Staging) -> str:
    """Return the hash of what a transfer says; the same id with another hash is a contradiction.

    Numbers are compared by value: `1.0` and `1.00` pieces are the same transfer.
    """
    content = (
        *staging.key.owner,
        *staging.key[1:],
        text(staging.quantity.normalize()),
        staging.uom,
        optional_moment(staging.expires_at),
        staging.status,
    )
    return content_hash(content)


def content_hash(content: Iterable[str | None]) -> str:
    """Return the SHA-256, in hex, of the values in their order."""
    return sha256(orjson.dumps(list(content))).hexdigest()


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()

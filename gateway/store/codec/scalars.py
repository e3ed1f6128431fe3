"""Moments, quantities and hashes as text."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256

import orjson

from gateway.domain.clock import rfc3339
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


def content_hash(content: Iterable[str | None]) -> str:
    """Return the SHA-256, in hex, of the values in their order."""
    return sha256(orjson.dumps(list(content))).hexdigest()

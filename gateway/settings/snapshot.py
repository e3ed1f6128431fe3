"""Master data as JSON: what its hash is made of, kept with the postings so that each can be recomputed.

{"items": […], "units": [{"item", "source", "target", "factor"}], "boms": […], "orders": […], "lines": […],
 "rejects_counted": [[line, operation], …], "reasons": {code: text}}

The keys are those of gateway/domain. Quantities and shares are texts: decimals, or `1/3` where none ends;
durations are ISO 8601 (PT600S). What isn't written otherwise is the same bytes: 1000 and 1000.0, any file, any order.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter

from gateway.domain.bom import BillOfMaterial
from gateway.domain.clock import rfc3339
from gateway.domain.line import Line
from gateway.domain.lot import Staging
from gateway.domain.masterdata import MasterData
from gateway.domain.material import Item, Units
from gateway.domain.order import Order
from gateway.domain.quantity import exact, text
from gateway.errors import DataError


@dataclass(frozen=True, slots=True)
class Conversion:
    """One `source` is `factor` × `target`; without `item` for every item."""

    item: str | None
    source: str
    target: str
    factor: Fraction


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that the hash of master data covers. Stagings are transfers, not master data."""

    items: tuple[Item, ...]
    units: tuple[Conversion, ...]
    boms: tuple[BillOfMaterial, ...]
    orders: tuple[Order, ...]
    lines: tuple[Line, ...]
    rejects_counted: tuple[tuple[str, str], ...]
    reasons: Mapping[str, str]

    def encoded(self) -> bytes:
        """Return the JSON."""
        kinds = {one.name: plain(getattr(self, one.name)) for one in fields(self)}
        return encoded(
            {name: sorted(kind, key=encoded) if isinstance(kind, list) else kind for name, kind in kinds.items()}
        )

    def master(self, stagings: tuple[Staging, ...] = ()) -> MasterData:
        """Return the master data, named by the hash of the JSON."""
        return MasterData(
            hash=digest(self.encoded()),
            items={one.item: one for one in self.items},
            units=Units({(one.item, one.source, one.target): one.factor for one in self.units}),
            boms={(one.bom, one.version): one for one in self.boms},
            orders={one.order: one for one in self.orders},
            stagings=stagings,
            lines={one.line: one for one in self.lines},
            rejects_counted=frozenset(self.rejects_counted),
            reasons=self.reasons,
        )


def read_snapshot(body: bytes) -> MasterData:
    """Return the master data that a snapshot was made of, without stagings; DataError where it is none."""
    try:
        return _reader().validate_json(body).master()
    except ValueError as error:
        raise DataError(f"no snapshot of master data: {error}") from error


def digest(body: bytes) -> str:
    """Return the SHA-256 as postings and signatures name it."""
    return f"sha256:{sha256(body).hexdigest()}"


def is_changed(name: str, body: bytes) -> bool:
    """Tell whether a snapshot isn't the one that its name, a whole digest, was made of."""
    found = digest(body)
    return len(name) == len(found) and name != found


@cache
def _reader() -> TypeAdapter[Content]:
    return TypeAdapter(Content)


def encoded(value: Any) -> bytes:
    """Return `value` as JSON: the same bytes for the same content."""
    return json.dumps(plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def plain(value: Any) -> Any:
    """Return `value` as JSON that doesn't tell 1000 from 1000.0."""
    if hasattr(value, "__dataclass_fields__"):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    return next((written(value) for kinds, written in _WRITTEN if isinstance(value, kinds)), value)


def _number(value: Fraction) -> str:
    try:
        return text(exact(value).normalize())
    except DataError:
        return str(value)


_WRITTEN: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    ((Decimal, Fraction), lambda value: _number(Fraction(value))),
    (datetime, rfc3339),
    (timedelta, lambda value: f"PT{_number(Fraction(value // timedelta(microseconds=1), 1_000_000))}S"),
    (time, lambda value: value.isoformat("minutes")),
    ((tuple, list), lambda value: [plain(one) for one in value]),
    (Mapping, lambda value: {key: plain(one) for key, one in value.items()}),
)

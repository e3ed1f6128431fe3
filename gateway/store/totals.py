"""What a posting, a trigger and an event add to the totals that `verify` recomputes and retention keeps.

A total is (kind, up to four keys): `counted`, `posted`, `scrapped` by device and signal, `consumed` by item,
lot and location, `committed` by order, operation, BOM line and the unit it was issued in.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from gateway.domain.bom import Method
from gateway.domain.event import EventKind
from gateway.domain.posting import Use
from gateway.domain.quantity import EXACT, ZERO

RETAINED = "SELECT kind, key_1, key_2, key_3, key_4, quantity FROM retained"


class TotalKey(NamedTuple):
    """What is summed."""

    kind: str
    key_1: str
    key_2: str
    key_3: str = ""
    key_4: str = ""


class Totals:
    """Exact sums by key; what was never added is zero."""

    def __init__(self) -> None:
        self._sums: defaultdict[TotalKey, Decimal] = defaultdict(lambda: ZERO)

    def add(self, parts: Iterable[tuple[TotalKey, Decimal]]) -> None:
        """Add each quantity to its total."""
        for key, quantity in parts:
            self._sums[key] = EXACT.add(self._sums[key], quantity)

    def of(self, kind: str, *keys: str) -> Decimal:
        """Return one total."""
        return self._sums.get(TotalKey(kind, *keys), ZERO)

    def items(self) -> Iterable[tuple[TotalKey, Decimal]]:
        """Return every total."""
        return self._sums.items()

    def keys(self, kind: str) -> set[tuple[str, str, str, str]]:
        """Return the keys of one kind that have a total."""
        return {key[1:] for key in self._sums if key.kind == kind}


def retained(connection: sqlite3.Connection) -> Totals:
    """Return the totals of what retention deleted: where every recomputation begins."""
    totals = Totals()
    totals.add((TotalKey(*keys), Decimal(quantity)) for *keys, quantity in connection.execute(RETAINED))
    return totals


def of_event(device: str, signal: str, quantity: str) -> tuple[TotalKey, Decimal]:
    """Return what an event (or a gap) counted."""
    return TotalKey("counted", device, signal), Decimal(quantity)


def of_trigger(device: str, signal: str, kind: str, quantity: str) -> tuple[TotalKey, Decimal]:
    """Return where a posted trigger's units went."""
    place = "scrapped" if kind == EventKind.SCRAP_UNITS else "posted"
    return TotalKey(place, device, signal), Decimal(quantity)


def of_posting(body: dict[str, Any]) -> Iterator[tuple[TotalKey, Decimal]]:
    """Yield what a posting took from lots, and what it committed by calculation (not by measuring)."""
    for line in body["lines"]:
        if line["use"] == Use.CONSUMED:
            quantity = Decimal(line["quantity"])
            yield TotalKey("consumed", line["item"], line["lot"], line["location"]), quantity
            if line.get("method") == Method.BACKFLUSH:
                yield TotalKey("committed", body["order"], body["operation"], line["bom_line"], line["uom"]), quantity

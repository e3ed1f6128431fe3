"""What a posting, a trigger and an event add to the totals that `verify` recomputes and retention keeps.

A total is (kind, up to four keys): `counted`, `posted`, `scrapped`, `reversed`, `tried`, `settled` by device and
signal; `consumed`, `returned`, `transferred` by item, lot, location and owner (`order 100045`, empty where an old
posting doesn't say whose stock it took); `committed` by order, operation, BOM line and the component's unit; `spanned`
by order and operation.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from gateway.domain.document import Document, Draw
from gateway.domain.event import NO_UNITS, EventKind
from gateway.domain.posting import PostingType
from gateway.domain.quantity import EXACT, ZERO, text
from gateway.domain.use import Use
from gateway.store.statements import RETAINED_TOTAL

COUNTED_NOT = frozenset({*NO_UNITS, EventKind.LOT_ISSUED, EventKind.TRIED})  # kinds of event that count no units

_MOVED = {Use.CONSUMED: "consumed", Use.RETURNED: "returned"}
_TRANSFERS = (PostingType.RETURN, PostingType.COUNT)
RETAINED = "SELECT kind, key_1, key_2, key_3, key_4, quantity FROM retained"
_RETAINED_OF = "SELECT quantity FROM retained WHERE (kind, key_1, key_2, key_3, key_4) = (?, ?, ?, ?, ?)"


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
        self._pending: defaultdict[TotalKey, Decimal] = defaultdict(lambda: ZERO)

    def add(self, parts: Iterable[tuple[TotalKey, Decimal]], *, pending: bool = False) -> None:
        """Add each quantity to its total; `pending`: it may still change, so it isn't final."""
        for key, quantity in parts:
            self._sums[key] = EXACT.add(self._sums[key], quantity)
            if pending:
                self._pending[key] = EXACT.add(self._pending[key], quantity)

    def of(self, kind: str, *keys: str) -> Decimal:
        """Return one total."""
        return self._sums.get(TotalKey(kind, *keys), ZERO)

    def items(self) -> Iterable[tuple[TotalKey, Decimal]]:
        """Return every total."""
        return self._sums.items()

    def final(self) -> Iterator[tuple[TotalKey, Decimal]]:
        """Yield every total without what may still change."""
        for key, quantity in self._sums.items():
            yield key, EXACT.subtract(quantity, self._pending[key]) if key in self._pending else quantity

    def keys(self, kind: str) -> set[tuple[str, str, str, str]]:
        """Return the keys of one kind that have a total."""
        return {key[1:] for key in self._sums if key.kind == kind}


def retained(connection: sqlite3.Connection) -> Totals:
    """Return the totals of what retention deleted: where every recomputation begins."""
    totals = Totals()
    totals.add((TotalKey(*keys), Decimal(quantity)) for *keys, quantity in connection.execute(RETAINED))
    return totals


def retain(connection: sqlite3.Connection, totals: Totals) -> None:
    """Add to the totals of what retention has deleted."""
    rows = []
    for key, quantity in totals.items():
        before = connection.execute(_RETAINED_OF, key).fetchone()
        rows.append((*key, text(EXACT.add(quantity, Decimal(before[0])) if before else quantity)))
    RETAINED_TOTAL.run(connection, rows)


def of_event(device: str, signal: str, quantity: str) -> tuple[TotalKey, Decimal]:
    """Return what an event (or a gap) counted."""
    return TotalKey("counted", device, signal), Decimal(quantity)


def of_tried(device: str, signal: str, quantity: str) -> tuple[TotalKey, Decimal]:
    """Return what an event gave the rules on trial: its counter has counted that too."""
    return TotalKey("tried", device, signal), Decimal(quantity)


def of_settled(device: str, signal: str, quantity: str) -> tuple[TotalKey, Decimal]:
    """Return what a settlement's event added to what the counter shows, or took back of it."""
    return TotalKey("settled", device, signal), Decimal(quantity)


def of_trigger(device: str, signal: str, kind: str, quantity: str) -> Iterator[tuple[TotalKey, Decimal]]:
    """Yield where a posted trigger's units went; a scanned lot's quantity is no unit that was counted."""
    if kind in COUNTED_NOT:
        return
    place = "scrapped" if kind == EventKind.SCRAP_UNITS else "posted"
    yield TotalKey(place, device, signal), Decimal(quantity)


def of_reversal(device: str, signal: str, kind: str, quantity: Decimal) -> Iterator[tuple[TotalKey, Decimal]]:
    """Yield where a reversed part of a trigger's units went, and from where."""
    for key, posted in of_trigger(device, signal, kind, str(quantity)):
        yield key, -posted
        yield of_closed(device, signal, quantity)


def of_closed(device: str, signal: str, quantity: Decimal) -> tuple[TotalKey, Decimal]:
    """Return what was closed without posting."""
    return TotalKey("reversed", device, signal), quantity


def of_posting(body: dict[str, Any]) -> Iterator[tuple[TotalKey, Decimal]]:
    """Yield what a posting took from lots and what it returned of them; what a transfer of its own stands for too."""
    transfer = body["posting_type"] in _TRANSFERS and body["reverses"] is None
    for line in body["lines"]:
        if kind := _MOVED.get(line["use"]):
            owner = line.get("owner") or {"kind": "", "name": ""}
            lot = (line["item"], line["lot"], line["location"], owner_text(owner["kind"], owner["name"]))
            quantity = Decimal(line["quantity"])
            yield TotalKey(kind, *lot), quantity
            if transfer:
                yield TotalKey("transferred", *lot), quantity


def of_document(document: Document) -> Iterator[tuple[TotalKey, Decimal]]:
    """Yield what an open document has taken from lots."""
    for line in document.lines:
        if kind := _MOVED.get(line.use):
            yield (
                TotalKey(kind, line.item, line.lot, line.location, owner_text(*(line.owner or ("", "")))),
                line.quantity,
            )


def of_transfer(row: tuple[str, ...]) -> tuple[TotalKey, Decimal]:
    """Return what a (kind, owner kind, owner, item, lot, location, book, quantity) took off its lot."""
    kind, *owner, item, lot, location, book, quantity = row
    moved = EXACT.subtract(Decimal(book), Decimal(quantity)) if kind == PostingType.COUNT else Decimal(quantity)
    return TotalKey("transferred", item, lot, location, owner_text(*owner)), moved


def of_draws(draws: Iterable[Draw]) -> Iterator[tuple[TotalKey, Decimal]]:
    """Yield what the draws committed and issued; a rest that is still owed is a backlog of its own."""
    for draw in draws:
        if draw.calculated:
            yield TotalKey("committed", *draw.key), EXACT.subtract(draw.due, draw.backlog)


def owner_text(kind: str, name: str) -> str:
    """Return an owner as a key, empty for nobody."""
    return f"{kind} {name}".strip()

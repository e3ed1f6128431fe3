"""A finished lot: everything that was consumed for it, and its cases."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from gateway.domain.document import Document
from gateway.domain.quantity import EXACT, ZERO
from gateway.domain.use import Use
from gateway.store.genealogy.sealed import every_case
from gateway.store.genealogy.taken import open_documents, suppliers
from gateway.store.genealogy.tree import FinishedLotTrace, UsedLot

_CONSUMED = """
SELECT p.order_no, p.item, p.operation, coalesce(l.bom_line, ''), l.item, l.lot, l.uom, exact_sum(l.quantity),
    sum(p.reverses IS NULL), min(l.seq), max(l.seq)
FROM posting AS p CROSS JOIN posting_line AS l ON l.seq = p.seq
WHERE p.finished_lot = ? AND l.use = 'consumed' AND p.posting_type IN ('assembly', 'component')
GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 3, 4, min(l.seq)
"""
_RECEIVED = """
SELECT p.order_no, p.item, exact_sum(l.quantity), l.uom
FROM posting_line AS l CROSS JOIN posting AS p ON p.seq = l.seq
WHERE l.lot = :lot AND l.use = 'produced' AND p.finished_lot = :lot GROUP BY 1, 2, 4
"""


@dataclass(slots=True)
class _Made:
    """What is known of an order's finished lot."""

    received: Decimal = ZERO
    uom: str = ""
    used: dict[tuple[str, ...], UsedLot] = field(default_factory=dict)

    def add(self, one: UsedLot) -> None:
        """Add what one more document consumed."""
        key = (one.operation, one.bom_line, one.item, one.lot, one.uom)
        known = self.used.get(key)
        self.used[key] = one if known is None else _together(known, one)


def trace_finished_lot(connection: sqlite3.Connection, finished_lot: str) -> tuple[FinishedLotTrace, ...]:
    """Return what is in the finished lot, one answer an order that makes it."""
    found: defaultdict[tuple[str, str], _Made] = defaultdict(_Made)
    for order, item, *used, quantity, postings, first, last in connection.execute(_CONSUMED, (finished_lot,)):
        operation, bom_line, component, lot, uom = used
        one = UsedLot(operation, bom_line, component, lot, "", Decimal(quantity), uom, postings, 0, first, last)
        found[order, item].add(one)
    for order, item, quantity, uom in connection.execute(_RECEIVED, {"lot": finished_lot}):
        made = found[order, item]
        made.received, made.uom = EXACT.add(made.received, Decimal(quantity)), uom
    _open(open_documents(connection), finished_lot, found)
    return tuple(
        FinishedLotTrace(
            finished_lot,
            order,
            item,
            made.received,
            made.uom,
            _supplied(connection, made.used.values()),
            tuple(every_case(connection, order, finished_lot)),
        )
        for (order, item), made in found.items()
    )


def _open(still_open: Iterable[Document], finished_lot: str, found: defaultdict[tuple[str, str], _Made]) -> None:
    for document in still_open:
        key = document.key
        for one in document.lines if key.finished_lot == finished_lot else ():
            made = found[key.order, key.item]
            if one.use is Use.CONSUMED:
                where = (key.operation, one.bom_line or "", one.item, one.lot, "")
                made.add(UsedLot(*where, one.quantity, one.uom, 0, 1, None, None))
            elif one.use is Use.PRODUCED:
                made.received, made.uom = EXACT.add(made.received, one.quantity), one.uom


def _together(one: UsedLot, other: UsedLot) -> UsedLot:
    return replace(
        one,
        quantity=EXACT.add(one.quantity, other.quantity),
        postings=one.postings + other.postings,
        open=one.open + other.open,
    )


def _supplied(connection: sqlite3.Connection, used: Iterable[UsedLot]) -> tuple[UsedLot, ...]:
    lots = list(used)
    supplier = suppliers(connection, {(one.item, one.lot) for one in lots})
    return tuple(replace(one, supplier=supplier.get((one.item, one.lot), "")) for one in lots)

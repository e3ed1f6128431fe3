"""What shadow BOMs and rules would have consumed beside what the live ones did, component by component."""

import sqlite3
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from gateway.domain.material import Units
from gateway.domain.quantity import EXACT, ZERO, nearest, text
from gateway.errors import DataError
from gateway.settings.snapshot import read_snapshot
from gateway.store.functions import ratio
from gateway.store.genealogy.taken import open_documents, open_lines

_SHADOWS = """
SELECT source, order_no, item, uom, exact_sum(would_be) FROM shadow GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3
"""
_LIVE = """
SELECT l.item, l.uom, exact_sum(l.quantity) FROM posting AS p CROSS JOIN posting_line AS l ON l.seq = p.seq
WHERE p.order_no = ? AND l.use = 'consumed' AND p.posting_type IN ('assembly', 'component') GROUP BY 1, 2
"""
_NEWEST = "SELECT body FROM snapshot ORDER BY first_used_at DESC LIMIT 1"


class Comparison(NamedTuple):
    """A component of an order in its own unit; `difference` = would be − live, `percent` of live (None of nothing)."""

    source: str
    order: str
    item: str
    uom: str
    would_be: str
    live: str
    difference: str
    percent: str | None


def shadow_report(connection: sqlite3.Connection) -> list[Comparison]:
    """Return the comparison of every shadow with what its order consumed live, open windows included."""
    units = _units(connection)
    live: dict[str, dict[tuple[str, str], Decimal]] = {}
    found = []
    for source, order, item, uom, would_be in connection.execute(_SHADOWS).fetchall():
        if order not in live:
            live[order] = _live(connection, order)
        consumed = _total(live[order], units, item, uom)
        difference = text(EXACT.subtract(Decimal(would_be), consumed))
        percent = ratio(difference, text(consumed), 100)
        found.append(Comparison(source, order, item, uom, would_be, text(consumed), difference, percent))
    return found


def _live(connection: sqlite3.Connection, order: str) -> dict[tuple[str, str], Decimal]:
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    rows: list[tuple[Any, ...]] = connection.execute(_LIVE, (order,)).fetchall()
    for document, line, _ in open_lines(open_documents(connection)):
        if document.key.order == order:
            rows.append((line.item, line.uom, text(line.quantity)))
    for item, uom, quantity in rows:
        sums[item, uom] = EXACT.add(sums[item, uom], Decimal(quantity))
    return sums


def _total(sums: dict[tuple[str, str], Decimal], units: Units, item: str, uom: str) -> Decimal:
    total = ZERO
    for (name, stock), quantity in sums.items():
        if name == item:
            total = EXACT.add(total, _converted(quantity, units, item, stock, uom))
    return total


def _converted(quantity: Decimal, units: Units, item: str, source: str, target: str) -> Decimal:
    try:
        return nearest(Fraction(quantity) * units.factor(item, source, target))
    except DataError:  # a lot of its own density: only each lot knows its factor
        return ZERO


def _units(connection: sqlite3.Connection) -> Units:
    newest = connection.execute(_NEWEST).fetchone()
    return read_snapshot(bytes(newest[0])).units if newest else Units({})

"""What shadow BOMs and rules would have consumed beside what the live ones did, component by component."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from gateway.domain.document import Link
from gateway.domain.material import Units
from gateway.domain.quantity import EXACT, ZERO, nearest, text
from gateway.errors import DataError
from gateway.settings.snapshot import read_snapshot
from gateway.store import codec
from gateway.store.functions import ratio
from gateway.store.genealogy.taken import open_documents, open_lines

_SHADOWS = """
SELECT source, order_no, item, uom, exact_sum(would_be) FROM shadow GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3
"""
_LIVE = """
SELECT l.item, l.uom, exact_sum(l.quantity) FROM posting AS p CROSS JOIN posting_line AS l ON l.seq = p.seq
WHERE p.order_no = ? AND l.use = 'consumed' AND p.posting_type IN ('assembly', 'component') GROUP BY 1, 2
"""
_LINKS = """
SELECT k.trigger_id, k.document_id, k.units, k.body
FROM posting AS p CROSS JOIN link AS k ON k.document_id = p.document_id
WHERE p.order_no = ? AND p.posting_type IN ('assembly', 'component')
"""
_OPEN_LINKS = "SELECT trigger_id, document_id, units, body FROM link WHERE document_id = ?"
_NEWEST = "SELECT body FROM snapshot ORDER BY first_used_at DESC LIMIT 1"


class Comparison(NamedTuple):
    """A component of an order in its own unit; `difference` = would be − live, `percent` of live (None of nothing).

    `live` and `difference` are None where they can't be compared: nothing says how much of its unit was consumed.
    """

    source: str
    order: str
    item: str
    uom: str
    would_be: str
    live: str | None
    difference: str | None
    percent: str | None


def shadow_report(connection: sqlite3.Connection) -> list[Comparison]:
    """Return the comparison of every shadow with what its order consumed live, open windows included."""
    units = _units(connection)
    live: dict[str, dict[tuple[str, str], Decimal]] = {}
    found = []
    for source, order, item, uom, would_be in connection.execute(_SHADOWS).fetchall():
        if order not in live:
            live[order] = _live(connection, order)
        try:
            consumed: Decimal | None = _total(live[order], units, item, uom)
        except DataError:  # each lot has its own density: its links say what it was in the component's unit
            consumed = _linked(connection, order, item, uom)
        found.append(Comparison(source, order, item, uom, would_be, *_compared(would_be, consumed)))
    return found


def _compared(would_be: str, live: Decimal | None) -> tuple[str | None, str | None, str | None]:
    """Return what was consumed, the difference, and how many percent that is."""
    if live is None:
        return None, None, None
    difference = text(EXACT.subtract(Decimal(would_be), live))
    return text(live), difference, ratio(difference, text(live), 100)


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
            total = EXACT.add(total, nearest(Fraction(quantity) * units.factor(item, stock, uom)))
    return total


def _linked(connection: sqlite3.Connection, order: str, item: str, uom: str) -> Decimal | None:
    """Return what the order's triggers drew of the item, None where one drew it in another unit."""
    total = ZERO
    for link in _links(connection, order):
        for draw in link.draws:
            if draw.item != item:
                continue
            if draw.key.uom != uom:
                return None
            for pick in draw.picks:
                total = EXACT.add(total, pick.component)
    return total


def _links(connection: sqlite3.Connection, order: str) -> Iterator[Link]:
    windows = [one.id for one in open_documents(connection) if one.key.order == order]
    for row in connection.execute(_LINKS, (order,)):
        yield codec.link(*row)
    for window in windows:
        for row in connection.execute(_OPEN_LINKS, (window,)):
            yield codec.link(*row)


def _units(connection: sqlite3.Connection) -> Units:
    newest = connection.execute(_NEWEST).fetchone()
    return read_snapshot(bytes(newest[0])).units if newest else Units({})

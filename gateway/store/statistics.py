"""Full documents: an order's individual documents of a day rolled up, with what is still open of the order."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from gateway.domain.order import Order
from gateway.domain.quantity import EXACT, ZERO, nearest, text
from gateway.store.genealogy.taken import open_documents
from gateway.store.recipe import Recipe, recipe

Json = dict[str, Any]

_DAYS = """
SELECT substr(posted_at, 1, 10), count(*), sum(reverses IS NOT NULL),
    sum(iif(reverses IS NULL AND follows IS NULL, json_array_length(body, '$.triggers'), 0)), min(seq), max(seq)
FROM posting WHERE order_no = :order AND (:day IS NULL OR substr(posted_at, 1, 10) = :day) GROUP BY 1 ORDER BY 1
"""
_OUTPUTS = """
SELECT substr(posted_at, 1, 10), operation, body ->> '$.output.uom', exact_sum(body ->> '$.output.good'),
    exact_sum(body ->> '$.output.scrap'), exact_sum(body ->> '$.output.rework')
FROM posting WHERE order_no = :order AND (:day IS NULL OR substr(posted_at, 1, 10) = :day)
    AND posting_type IN ('assembly', 'component', 'activity')
GROUP BY 1, 2, 3 ORDER BY 1, 2
"""
_LINES = """
SELECT substr(p.posted_at, 1, 10), p.operation, l.use, l.item, l.lot, l.uom, exact_sum(l.quantity)
FROM posting AS p CROSS JOIN posting_line AS l ON l.seq = p.seq
WHERE p.order_no = :order AND (:day IS NULL OR substr(p.posted_at, 1, 10) = :day)
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3 DESC, 4, min(l.seq)
"""
_BILL = """
SELECT body ->> '$.master_data', body ->> '$.bom.id', body ->> '$.bom.version' FROM posting
WHERE order_no = ? AND posting_type IN ('assembly', 'component') ORDER BY seq DESC LIMIT 1
"""
_GOOD = "SELECT good FROM order_progress WHERE order_no = ? AND operation = ?"


def full_documents(connection: sqlite3.Connection, order: str, day: str | None = None) -> Json:
    """Return an order's full documents, one a day (UTC date of posting, `2026-11-21`); all days without `day`.

    Quantities are net of reversals, decimal strings. `windows` are the documents that are still open.
    """
    wanted = {"order": order, "day": day}
    outputs = _by_day(connection.execute(_OUTPUTS, wanted), ("operation", "uom", "good", "scrap", "rework"))
    lines = _by_day(connection.execute(_LINES, wanted), ("operation", "use", "item", "lot", "uom", "quantity"))
    days = connection.execute(_DAYS, wanted).fetchall()
    return {
        "order": order,
        **_quantities(connection, order),
        "documents": [
            {
                "day": date,
                "postings": postings,
                "reversals": reversals,
                "triggers": triggers,
                "first_seq": first,
                "last_seq": last,
                "outputs": outputs.get(date, []),
                "lines": lines.get(date, []),
            }
            for date, postings, reversals, triggers, first, last in days
        ],
        "windows": _windows(connection, order),
    }


def is_unknown(found: Json) -> bool:
    """Tell whether full documents are of an order that the store knows nothing of."""
    return found["item"] is None and not found["documents"] and not found["windows"]


def _by_day(rows: Iterable[Sequence[Any]], names: Sequence[str]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for day, *row in rows:
        found.setdefault(day, []).append(dict(zip(names, row, strict=True)))
    return found


def _quantities(connection: sqlite3.Connection, order: str) -> Mapping[str, Any]:
    """Return what was planned, received and is open, in the order's unit; None where no snapshot says it."""
    names = ("item", "uom", "planned", "received", "open")
    row = connection.execute(_BILL, (order,)).fetchone() or _of_window(connection, order)
    bill = recipe(connection, *row) if row else None
    planned = bill.master.orders.get(order) if bill else None
    if bill is None or planned is None:
        return dict.fromkeys(names)
    received = _received(connection, bill, planned)
    still_open = max(ZERO, EXACT.subtract(planned.quantity, received))
    shown = (planned.item, planned.uom, text(planned.quantity), text(received), text(still_open))
    return dict(zip(names, shown, strict=True))


def _received(connection: sqlite3.Connection, bill: Recipe, order: Order) -> Decimal:
    receipt = next((one for one in bill.bill.operations if one.receipt), None)
    row = receipt and connection.execute(_GOOD, (order.order, receipt.operation)).fetchone()
    return nearest(Fraction(row[0]) / receipt.per_order_unit) if receipt and row else ZERO


def _of_window(connection: sqlite3.Connection, order: str) -> tuple[str, str, str] | None:
    """Return the bill of an order that has only open windows yet."""
    keys = (one.key for one in open_documents(connection) if one.key.order == order)
    return next(((key.master_data, key.bom, key.bom_version) for key in keys), None)


def _windows(connection: sqlite3.Connection, order: str) -> list[Json]:
    return [
        {
            "document": one.id,
            "operation": one.key.operation,
            "part": one.key.part.value,
            "good": text(one.output.good),
            "scrap": text(one.output.scrap),
            "rework": text(one.output.rework),
            "uom": one.output.uom,
            "triggers": len(one.triggers),
        }
        for one in open_documents(connection)
        if one.key.order == order
    ]

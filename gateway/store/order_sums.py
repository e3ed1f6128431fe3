"""What was booked for an order, summed where it is stored: a long order has a million postings."""

import sqlite3
from decimal import Decimal
from typing import Any, NamedTuple

from gateway.domain.lot import Owner
from gateway.domain.posting import Output, PostingLine
from gateway.domain.use import Use

# Each body is parsed once, and not sorted with its row.
OUTPUTS = """
WITH made AS MATERIALIZED (
    SELECT operation, json_extract(
        CAST(body AS TEXT), '$.bom.version', '$.output.uom', '$.output.good', '$.output.scrap', '$.output.rework'
    ) AS said FROM posting WHERE order_no = ? AND operation <> ''
)
SELECT operation, said ->> 0, said ->> 1, exact_sum(said ->> 2), exact_sum(said ->> 3), exact_sum(said ->> 4)
FROM made GROUP BY 1, 2, 3
"""
LINES = """
SELECT l.use, l.item, exact_sum(l.quantity), l.uom, l.lot, l.location, l.bom_line, l.method, l.owner_kind, l.owner,
    iif(l.standard IS NULL, NULL, exact_sum(l.standard))
FROM posting AS p CROSS JOIN posting_line AS l ON l.seq = p.seq WHERE p.order_no = ?
GROUP BY l.use, l.item, l.uom, l.lot, l.location, l.bom_line, l.method, l.owner_kind, l.owner, l.standard IS NULL
"""
# A draw is [key, item, before, required, once, …], its `once` [numerator, denominator].
ONCE_HOLDERS = """
SELECT DISTINCT l.trigger_id FROM posting AS p CROSS JOIN link AS l ON l.document_id = p.document_id
CROSS JOIN json_each(l.body, '$[1]') AS draw
WHERE p.order_no = ? AND p.operation = ? AND p.reverses IS NULL AND draw.value ->> '$[4][0]' <> 0
"""


class OutputSum(NamedTuple):
    """What an operation counted under one BOM version, without what was reversed."""

    operation: str
    bom_version: str
    output: Output


class OrderSums(NamedTuple):
    """Output by operation and BOM version; movements by all that tells a line from another, their suppliers unknown."""

    outputs: tuple[OutputSum, ...]
    lines: tuple[PostingLine, ...]


def order_sums(connection: sqlite3.Connection, order: str) -> OrderSums:
    """Return what the order's postings sum to, reversals negative."""
    outputs = tuple(map(_output, connection.execute(OUTPUTS, (order,))))
    return OrderSums(outputs, tuple(map(_line, connection.execute(LINES, (order,)))))


def once_holders(connection: sqlite3.Connection, order: str, operation: str) -> set[int]:
    """Return the operation's triggers that drew what is drawn once for the order, reversed ones too."""
    return {trigger for (trigger,) in connection.execute(ONCE_HOLDERS, (order, operation))}


def _output(row: tuple[Any, ...]) -> OutputSum:
    operation, version, uom, *counted = row
    good, scrap, rework = map(Decimal, counted)
    return OutputSum(operation, version or "", Output(good, scrap, rework, uom))


def _line(row: tuple[Any, ...]) -> PostingLine:
    use, item, quantity, uom, lot, location, bom_line, method, owner_kind, owner, standard = row
    return PostingLine(
        use=Use(use),
        item=item,
        quantity=Decimal(quantity),
        uom=uom,
        lot=lot,
        location=location,
        bom_line=bom_line,
        method=method,
        owner=Owner(owner_kind, owner) if owner_kind else None,
        standard=None if standard is None else Decimal(standard),
    )

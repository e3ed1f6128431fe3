"""Was more taken back than was posted? Each line of a document against what its mirrors give back of it."""

import sqlite3
from decimal import Decimal

from gateway.domain.quantity import EXACT, ZERO, text
from gateway.store.findings import Check, Findings

_PLACE = "use, item, lot, location, uom, bom_line, method, owner_kind, owner, standard IS NULL"
# Those whose original retention has deleted have nothing left to be compared with.
_MIRRORED = f"""
WITH originals AS MATERIALIZED (
    SELECT DISTINCT p.seq FROM posting AS m CROSS JOIN main.posting AS p ON p.seq = m.reverses
    WHERE m.reverses IS NOT NULL
)
SELECT original, item, lot, exact_sum(iif(mirrors, NULL, quantity)), exact_sum(iif(mirrors, quantity, NULL)) FROM (
    SELECT o.seq AS original, 1 AS mirrors, l.* FROM originals AS o CROSS JOIN main.posting AS m ON m.reverses = o.seq
    CROSS JOIN main.posting_line AS l ON l.seq = m.seq
    UNION ALL
    SELECT o.seq, 0, l.* FROM originals AS o CROSS JOIN main.posting_line AS l ON l.seq = o.seq
) GROUP BY original, {_PLACE} ORDER BY original
"""  # noqa: S608  # a constant list of columns


def reversals(connection: sqlite3.Connection) -> Check:
    """Check that what the mirrors of a document take back of a line is negative, and no more than was posted."""
    findings, count = Findings("reversals"), 0
    for seq, item, lot, *quantities in connection.execute(_MIRRORED):
        posted, mirrored = map(Decimal, quantities)
        count += 1
        if not ZERO <= -mirrored <= posted:
            name = f"{text(EXACT.minus(mirrored))} of {text(posted)}"
            findings.add(f"seq {seq}: {name} were taken back of {item}{f' lot {lot}' if lot else ''}")
    return findings.check(f"{count} lines of reversed documents")

"""Was more taken back than was posted? Each line of a document against what its mirrors give back of it."""

import sqlite3
from decimal import Decimal

from gateway.domain.quantity import EXACT, ZERO, text
from gateway.store.findings import Check, Findings

_PLACE = "use, item, lot, location, uom, bom_line, method, owner_kind, owner, standard IS NULL"
# Those whose original retention has deleted have nothing left to be compared with.
_MIRRORED = f"""
SELECT original, item, lot, exact_sum(iif(mirrors, NULL, quantity)), exact_sum(iif(mirrors, quantity, NULL)) FROM (
    SELECT m.reverses AS original, 1 AS mirrors, l.* FROM posting AS m CROSS JOIN posting_line AS l ON l.seq = m.seq
    WHERE m.reverses IS NOT NULL AND EXISTS (SELECT 1 FROM posting AS p WHERE p.seq = m.reverses)
    UNION ALL
    SELECT p.seq, 0, l.* FROM posting AS p CROSS JOIN posting_line AS l ON l.seq = p.seq
    WHERE EXISTS (SELECT 1 FROM posting AS m WHERE m.reverses = p.seq)
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

"""Is every unit somewhere? What was counted against what was posted, scrapped, held and reversed."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from gateway.domain.event import SETTLED, EventKind
from gateway.domain.quantity import EXACT, ZERO, text
from gateway.store.batch import Tally
from gateway.store.findings import Check, Findings
from gateway.store.load import TALLIES, tally
from gateway.store.reversed import closed, reversals
from gateway.store.totals import (
    COUNTED_NOT,
    Totals,
    of_closed,
    of_event,
    of_reversal,
    of_settled,
    of_tried,
    of_trigger,
)

_EVENTS = """
SELECT device, signal, quantity, kind, flag, 0 FROM event
UNION ALL SELECT scope_1, scope_2, quantity, 'gap', '', closed_at IS NULL FROM exception WHERE kind = 'gap'
"""
_TRIGGERS = """
SELECT t.id, t.document_id, t.document_id IN (SELECT id FROM open_document), t.quantity,
    e.device, e.signal, e.kind, e.quantity
FROM trigger_log AS t LEFT JOIN main.event AS e ON e.id = t.event_id
"""
_COUNTERS = """
SELECT c.device, c.signal, c.counted, t.counted FROM checkpoint AS c JOIN tally AS t
ON t.device = c.device AND t.signal = c.signal
"""


def conservation(connection: sqlite3.Connection, totals: Totals) -> Check:
    """Check counted = posted + scrapped + held + reversed per signal, each of them against events and triggers."""
    findings = Findings("conservation")
    for *row, kind, flag, pending in connection.execute(_EVENTS):
        if kind == EventKind.TRIED:
            totals.add([of_tried(*row)])
        elif kind not in COUNTED_NOT:
            totals.add([of_event(*row)], pending=pending)
        if flag == SETTLED:
            totals.add([of_settled(*row)])
    for pending, *row in _posted(connection, findings):
        totals.add(of_trigger(*row), pending=pending)
    _take_back(connection, findings, totals)
    signals = {key[:2] for key in totals.keys("counted")}
    for device, signal, *rest in connection.execute(TALLIES):
        signals.discard((device, signal))
        _compare(findings, f"{device}.{signal}", tally(tuple(rest)), totals, (device, signal))
    for device, signal in sorted(signals):
        findings.add(f"{device}.{signal} has events and no tally")
    for device, signal, counted, total in connection.execute(_COUNTERS):
        shown = EXACT.subtract(Decimal(total), totals.of("settled", device, signal))
        seen = EXACT.add(shown, totals.of("tried", device, signal))
        if Decimal(counted) < seen:  # more, where it was a total for a time: compared with others, and in no event
            findings.add(f"{device}.{signal}: its checkpoint has counted {counted} units, its events {text(seen)}")
    return findings.check("counted = posted + scrapped + held + reversed for every signal")


def _posted(connection: sqlite3.Connection, findings: Findings) -> Iterator[tuple[Any, ...]]:
    """Yield of each trigger in a document: whether that is still open, device, signal, kind, quantity."""
    for number, document, pending, quantity, device, signal, kind, counted in connection.execute(_TRIGGERS):
        if counted is None:
            findings.add(f"trigger {number} has no event")
            continue
        findings.expect(counted, quantity, f"trigger {number}: its event's quantity")
        if document is not None:
            yield pending, device, signal, kind, quantity


def _take_back(connection: sqlite3.Connection, findings: Findings, totals: Totals) -> None:
    units: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)
    for one in reversals(connection):
        if one.fresh:
            totals.add(of_reversal(one.device, one.signal, one.kind, one.quantity))
        units[one.trigger] = EXACT.add(units[one.trigger], one.units)
        if units[one.trigger] > one.of:
            findings.add(f"trigger {one.trigger}: {text(units[one.trigger])} of {text(one.of)} units were reversed")
    totals.add(of_closed(*row) for row in closed(connection))


def _compare(findings: Findings, name: str, kept: Tally, totals: Totals, signal: tuple[str, str]) -> None:
    counted, posted, scrapped, taken_back = (
        totals.of(kind, *signal) for kind in ("counted", "posted", "scrapped", "reversed")
    )
    gone = EXACT.add(EXACT.add(posted, scrapped), taken_back)
    held = EXACT.subtract(counted, gone)
    for what, expected, actual in zip(
        Tally._fields[1:], (counted, posted, scrapped, held, taken_back), kept[1:], strict=True
    ):
        findings.expect(expected, actual, f"{name} {what}")
    if held < ZERO:
        findings.add(f"{name}: more was posted than counted, by {text(-held)} {kept.uom}")

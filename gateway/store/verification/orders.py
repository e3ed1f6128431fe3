"""Is what was committed what was issued? And has every counted unit its place in the order: one, and its own."""

import heapq
import sqlite3
from collections.abc import Iterator
from operator import itemgetter

from gateway.domain.document import Backlog
from gateway.domain.quantity import ZERO
from gateway.store import codec
from gateway.store.findings import Check, Findings
from gateway.store.load import BACKLOG_COLUMNS, HEADS, REQUIREMENTS, backlog, requirement
from gateway.store.totals import TotalKey, Totals

_SPANS = """
SELECT s.order_no, s.operation, s.span_start, s.span_end, t.id,
    s.sscc IS e.sscc AND s.sealed_at IS iif(e.sscc IS NULL, NULL, e.source_time)
FROM span AS s LEFT JOIN main.trigger_log AS t ON t.id = s.trigger_id LEFT JOIN main.event AS e ON e.id = t.event_id
WHERE NOT s.reversed ORDER BY s.order_no, s.operation, s.span_start
"""
_OWED = f"""
SELECT {BACKLOG_COLUMNS}, l.trigger_id FROM backlog AS b
LEFT JOIN main.link AS l ON l.document_id = b.document_id AND l.trigger_id = b.trigger_id
"""  # noqa: S608  # a constant list of columns


def requirements(connection: sqlite3.Connection, totals: Totals) -> Check:
    """Check that what was committed by calculation is what the triggers drew and what is still owed."""
    findings = Findings("requirements")
    for *row, linked in connection.execute(_OWED):
        _owed(findings, totals, backlog(tuple(row)), linked)
    drawn = totals.keys("committed")
    for *key, top, bottom, committed, once in connection.execute(REQUIREMENTS):
        name = (key[0], key[1], key[2], key[3])
        drawn.discard(name)
        kept = requirement((top, bottom, committed, once)).committed
        findings.expect(kept, totals.of("committed", *name), f"{_component(name)}: issued")
    for name in sorted(drawn):
        findings.add(f"{_component(name)} was issued without a requirement")
    return findings.check("committed = issued + owed for every component")


def _owed(findings: Findings, totals: Totals, owed: Backlog, linked: int | None) -> None:
    """Add what is still owed of a calculated quantity; an edited or measured one was never committed."""
    if owed.quantity <= ZERO:
        findings.add(f"backlog {owed.id} owes nothing")
    if linked is None:
        findings.add(f"backlog {owed.id} belongs to no trigger's document")
    elif owed.calculated:
        totals.add([(TotalKey("committed", *owed.key), owed.quantity)], pending=True)


def _component(key: tuple[str, str, str, str]) -> str:
    order, operation, bom_line, uom = key
    return f"order {order} operation {operation} BOM line {bom_line} in {uom}"


def spans(connection: sqlite3.Connection, totals: Totals) -> Check:
    """Check that every unit of an order belongs to one trigger of an operation, or waits to be filled again."""
    findings = Findings("units")
    heads = {(order, operation): (end, codec.ranges(free)) for order, operation, end, free in connection.execute(HEADS)}
    covered = {key: int(totals.of("spanned", *key)) for key in heads}
    last: tuple[str, str, int] = ("", "", 0)
    for order, operation, start, end, trigger, same in _placed(connection, heads):
        name = f"order {order} operation {operation} units [{start}, {end})"
        if trigger is None:
            findings.add(f"{name} belong to a trigger that is missing")
        elif not same:
            findings.add(f"{name} name another case than their event")
        if last[:2] == (order, operation) and start < last[2]:
            findings.add(f"{name} are there twice")
        covered[order, operation] = covered.get((order, operation), 0) + end - start
        last = (order, operation, end)
    for key, length in covered.items():
        findings.expect(heads.get(key, (0,))[0], length, f"order {key[0]} operation {key[1]}: length of its units")
    return findings.check(f"{len(heads)} operations")


def _placed(
    connection: sqlite3.Connection, heads: dict[tuple[str, str], tuple[int, tuple[tuple[int, int], ...]]]
) -> Iterator[tuple[str, str, int, int, int | None, int]]:
    """Yield the triggers' units and the free ones (of nobody, 0), operation by operation, first to last.

    The last member says whether they name the case that their event does.
    """
    free = sorted((*key, start, end, 0, 1) for key, (_, ranges) in heads.items() for start, end in ranges)
    return heapq.merge(connection.execute(_SPANS), free, key=itemgetter(0, 1, 2))

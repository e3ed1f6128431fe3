"""Which cases hold given units of an order."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gateway.store.functions import merge
from gateway.store.genealogy.spans import operations, overlapping
from gateway.store.genealogy.tree import CaseRef, Scope

Range = Sequence[int]  # [start, end)

EVERYTHING = ((0, 2**62),)  # all units that an order can have
_CASES = """
SELECT e.sscc, p.seq, t.document_id, e.source_time, s.reversed, coalesce(q.finished_lot, ''), s.span_start, s.span_end
FROM span AS s CROSS JOIN trigger_log AS t ON t.id = s.trigger_id CROSS JOIN event AS e ON e.id = t.event_id
LEFT JOIN posting AS p ON p.document_id = t.document_id
LEFT JOIN posting AS q INDEXED BY posting_place ON q.seq = p.seq
WHERE s.order_no = ? AND s.operation = ? AND s.span_start >= ? AND s.span_start < ? AND e.sscc IS NOT NULL
"""
_UNITS, _MIXING = Scope.UNITS, Scope.MIXING


class Sealed(NamedTuple):
    """A case, and the finished lot that its posting names (empty while that is open)."""

    case: CaseRef
    finished_lot: str


def sealed(
    connection: sqlite3.Connection, order: str, ranges: Iterable[Range], *, nearby: int = 0, scope: Scope = _UNITS
) -> list[Sealed]:
    """Return the cases with a unit in the ranges, each with `scope`; those up to `nearby` units beside, as mixing.

    A case comes once; twice where it was reversed and sealed again.
    """
    exact = merge([list(one) for one in ranges])
    found: dict[tuple[int | None, str, int], Sealed] = {}
    for operation in operations(connection, order):
        for start, end in merge([[max(0, start - nearby), end + nearby] for start, end in exact]):
            # From where the first of them begins, which may be before `start`.
            first = min(
                (one.start for one in overlapping(connection, order, operation, start, start + 1)), default=start
            )
            for row in connection.execute(_CASES, (order, operation, first, end)):
                sscc, seq, document, time, gone, finished_lot, begin, stop = row
                if stop > start:
                    near = nearby and not _inside(begin, stop, exact)
                    key = (document, sscc, gone)
                    if not near or key not in found:
                        case = CaseRef(sscc, seq, document, time, bool(gone), _MIXING if near else scope)
                        found[key] = Sealed(case, finished_lot)
    return sorted(found.values(), key=lambda one: one.case.time)


def _inside(begin: int, stop: int, ranges: Iterable[Range]) -> bool:
    return any(begin < end and start < stop for start, end in ranges)

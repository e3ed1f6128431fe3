"""Which cases hold given units of an order."""

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import product
from operator import itemgetter

from gateway.store.functions import merge
from gateway.store.genealogy.spans import operations, overlapping
from gateway.store.genealogy.tree import CaseRef, Scope

Range = Sequence[int]  # [start, end)

_EVERYTHING = ((0, 2**62),)  # all units that an order can have
_CASES = """
SELECT s.sscc, p.seq, t.document_id, s.sealed_at, s.reversed
FROM span AS s CROSS JOIN trigger_log AS t ON t.id = s.trigger_id
LEFT JOIN posting AS p ON p.document_id = t.document_id
WHERE s.order_no = ? AND s.operation = ? AND s.span_start >= ? AND s.span_start < ? AND s.span_end > ?
    AND s.sscc IS NOT NULL
"""
_SEQS = "SELECT seq FROM posting WHERE finished_lot = ? AND order_no = ?"


def sealed(
    connection: sqlite3.Connection, order: str, ranges: Iterable[Range], *, nearby: int = 0, scope: Scope = Scope.UNITS
) -> list[CaseRef]:
    """Return the cases with a unit in the ranges, each with `scope`; those up to `nearby` units beside, as mixing.

    A case comes once; twice where it was reversed and sealed again. They come in the order they were made.
    """
    exact = merge([list(one) for one in ranges])
    found: dict[tuple[int | None, str, int], CaseRef] = {}
    _add(found, connection, order, exact, scope)
    if nearby:
        margins = [one for start, end in exact for one in ([max(0, start - nearby), start], [end, end + nearby])]
        _add(found, connection, order, merge(margins), Scope.MIXING)
    return sorted(found.values(), key=itemgetter("time"))


def every_case(
    connection: sqlite3.Connection, order: str, finished_lot: str, scope: Scope = Scope.UNITS
) -> list[CaseRef]:
    """Return all cases of the finished lot, and those still open; an order may get another lot's number on its way."""
    seqs = {None, *(seq for (seq,) in connection.execute(_SEQS, (finished_lot, order)))}
    return [one for one in sealed(connection, order, _EVERYTHING, scope=scope) if one["seq"] in seqs]


def _add(
    found: dict[tuple[int | None, str, int], CaseRef],
    connection: sqlite3.Connection,
    order: str,
    ranges: Iterable[Range],
    scope: Scope,
) -> None:
    """Add the cases with a unit in the ranges that aren't among those found."""
    belongs = scope.value  # a plain string: the garbage collector passes over thousands of such cases
    for operation, (start, end) in product(operations(connection, order), ranges):
        # From where the first of them begins, which may be before `start`.
        first = min((one.start for one in overlapping(connection, order, operation, start, start + 1)), default=start)
        for sscc, seq, document, time, gone in connection.execute(_CASES, (order, operation, first, end, start)):
            key = (document, sscc, gone)
            if key not in found:
                found[key] = {
                    "sscc": sscc,
                    "seq": seq,
                    "document": document,
                    "time": time,
                    "reversed": bool(gone),
                    "scope": belongs,
                }

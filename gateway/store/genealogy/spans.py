"""Which triggers counted which units of an order: spans of two operations that overlap are the same units."""

import sqlite3
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import orjson

# Live spans of an operation never overlap, so at most one reaches in from before `start`; reversed ones may.
_OVERLAPPING = """
SELECT trigger_id, span_start, span_end, reversed FROM span
WHERE order_no = :order AND operation = :operation AND span_start >= :start AND span_start < :end
UNION ALL SELECT * FROM (
    SELECT trigger_id, span_start, span_end, reversed FROM span
    WHERE order_no = :order AND operation = :operation AND span_start < :start AND NOT reversed
    ORDER BY span_start DESC LIMIT 1
) WHERE span_end > :start
UNION ALL SELECT trigger_id, span_start, span_end, reversed FROM span
WHERE order_no = :order AND operation = :operation AND span_start < :start AND span_end > :start AND reversed
ORDER BY span_start
"""
_OF_TRIGGERS = """
SELECT s.operation, s.trigger_id, s.span_start, s.span_end, s.reversed FROM json_each(?) AS wanted
CROSS JOIN span AS s ON s.trigger_id = wanted.value ORDER BY s.span_start
"""
_OPERATIONS = "SELECT operation FROM span_head WHERE order_no = ? ORDER BY operation"


class Stretch(NamedTuple):
    """Units [start, end) that a trigger counted."""

    trigger: int
    start: int
    end: int
    reversed: bool


class Share(NamedTuple):
    """Which part of a trigger's live, and of its reversed, units lies in a case."""

    live: Fraction
    reversed: Fraction


def operations(connection: sqlite3.Connection, order: str) -> list[str]:
    """Return the order's operations that have counted good units."""
    return [operation for (operation,) in connection.execute(_OPERATIONS, (order,))]


def overlapping(connection: sqlite3.Connection, order: str, operation: str, start: int, end: int) -> list[Stretch]:
    """Return the operation's stretches that share a unit with [start, end), reversed ones included."""
    place = {"order": order, "operation": operation, "start": start, "end": end}
    rows = connection.execute(_OVERLAPPING, place)
    return [Stretch(trigger, begin, stop, bool(gone)) for trigger, begin, stop, gone in rows]


def of_triggers(connection: sqlite3.Connection, triggers: Iterable[int]) -> list[tuple[str, Stretch]]:
    """Return (operation, stretch) of these triggers, in the order of their units."""
    rows = connection.execute(_OF_TRIGGERS, (orjson.dumps(list(triggers)).decode(),))
    return [(operation, Stretch(trigger, start, end, bool(gone))) for operation, trigger, start, end, gone in rows]


def shares(
    connection: sqlite3.Connection, found: Iterable[Stretch], inside: Sequence[tuple[int, int]]
) -> dict[int, Share]:
    """Return for each trigger which part of its units lies `inside` (disjoint ranges)."""
    triggers = {one.trigger for one in found}
    covered: dict[tuple[int, bool], int] = {}
    lengths: dict[tuple[int, bool], int] = {}
    for _, one in of_triggers(connection, triggers):
        key = (one.trigger, one.reversed)
        lengths[key] = lengths.get(key, 0) + one.end - one.start
        covered[key] = covered.get(key, 0) + common(one, inside)
    return {
        one: Share(*(Fraction(covered.get((one, past), 0), lengths.get((one, past), 0) or 1) for past in (False, True)))
        for one in triggers
    }


def common(one: Stretch, ranges: Iterable[tuple[int, int]]) -> int:
    """Return how many units of the stretch lie in the ranges."""
    return sum(max(0, min(one.end, end) - max(one.start, start)) for start, end in ranges)

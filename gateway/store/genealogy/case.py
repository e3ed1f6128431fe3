"""From a case back to its component lots."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from gateway.domain.document import Document
from gateway.store.genealogy import spans
from gateway.store.genealogy.spans import Share, Stretch
from gateway.store.genealogy.taken import open_documents
from gateway.store.genealogy.tree import Case
from gateway.store.genealogy.uses import Part, operation_uses
from gateway.store.recipe import Recipe, recipe

# A code may have been stored as it was scanned, with its application identifier.
_EVENTS = """
SELECT e.device, e.key, e.quantity, e.units, e.source_time, t.id, t.order_no, t.operation, t.document_id,
    iif(t.closed, NULL, t.exception_id), coalesce(t.closed, 0), p.seq, p.item, p.finished_lot,
    p.body ->> '$.bom.id', p.body ->> '$.bom.version', p.body ->> '$.master_data'
FROM event AS e LEFT JOIN trigger_log AS t ON t.event_id = e.id LEFT JOIN posting AS p ON p.document_id = t.document_id
WHERE e.sscc IN (:sscc, '00' || :sscc, '(00)' || :sscc) ORDER BY e.id
"""


def trace_case(connection: sqlite3.Connection, sscc: str) -> tuple[Case, ...]:
    """Return the cases of that number (18 digits): more than one where it was used again."""
    still_open = open_documents(connection)
    rows = connection.execute(_EVENTS, {"sscc": sscc}).fetchall()
    return tuple(_case(connection, sscc, row, still_open) for row in rows)


def _case(connection: sqlite3.Connection, sscc: str, row: tuple[Any, ...], still_open: Sequence[Document]) -> Case:
    device, key, quantity, units, time, trigger, order, operation, document, exception, closed, seq, *made = row
    item, finished_lot, bom, version, master_data = made
    for one in still_open:
        if one.id == document:
            item, finished_lot, bom, version = one.key.item, one.key.finished_lot, one.key.bom, one.key.bom_version
            master_data = one.key.master_data
    case = Case(
        sscc=sscc,
        order=order or "",
        operation=operation or "",
        item=item or "",
        finished_lot=finished_lot or "",
        quantity=quantity,
        units=units,
        device=device,
        key=key,
        time=time,
        trigger=trigger,
        seq=seq,
        document=document,
        reversed=bool(closed),
        held=exception,
        incomplete=(),
        operations=(),
    )
    own = [one for _, one in spans.of_triggers(connection, [trigger])] if trigger else []
    if not own:
        return case
    bill = recipe(connection, master_data, bom, version) if master_data else None
    return _filled(connection, case, own, bill, still_open)


def _filled(
    connection: sqlite3.Connection, case: Case, own: list[Stretch], bill: Recipe | None, still_open: Sequence[Document]
) -> Case:
    """Return the case with everything that went into its units."""
    at = datetime.fromisoformat(case.time)
    inside = [(one.start, one.end) for one in own]
    found = {
        operation: _stretches(connection, case.order, operation, inside)
        for operation in spans.operations(connection, case.order)
        if operation != case.operation
    }
    parts = _parts(connection, found, inside)
    gone = all(one.reversed for one in own)
    parts[own[0].trigger] = Part(case.operation, Share(Fraction(not gone), Fraction(gone)))
    if bill is not None:
        parts |= _mixed(connection, case, bill.mixing(at), inside, parts)
    covered = {operation: _covered(found.get(operation, ()), inside) for operation in found}
    consuming = bill.consuming(at) if bill else ()
    return replace(
        case,
        reversed=gone,
        incomplete=tuple(one for one in consuming if one != case.operation and covered.get(one, 0) != 1),
        operations=operation_uses(connection, case.order, parts, covered, still_open),
    )


def _stretches(
    connection: sqlite3.Connection, order: str, operation: str, ranges: Iterable[tuple[int, int]]
) -> list[Stretch]:
    found = (spans.overlapping(connection, order, operation, start, end) for start, end in ranges)
    return sorted({one for some in found for one in some}, key=lambda one: (one.start, one.trigger))


def _parts(
    connection: sqlite3.Connection, found: Mapping[str, list[Stretch]], inside: Sequence[tuple[int, int]]
) -> dict[int, Part]:
    share_of = spans.shares(connection, (one for some in found.values() for one in some), inside)
    return {one.trigger: Part(operation, share_of[one.trigger]) for operation, some in found.items() for one in some}


def _mixed(
    connection: sqlite3.Connection,
    case: Case,
    mixing: Mapping[tuple[str, str], int],
    inside: Sequence[tuple[int, int]],
    parts: Mapping[int, Part],
) -> dict[int, Part]:
    """Return the triggers near the case whose lots may have mixed into it."""
    nearby: dict[int, Part] = {}
    for (operation, item), reach in mixing.items():
        ranges = [(max(0, start - reach), end + reach) for start, end in inside]
        for one in _stretches(connection, case.order, operation, ranges):
            if one.trigger not in parts and not one.reversed:
                before = nearby.get(one.trigger)
                items = frozenset({item}) | (before.items or frozenset() if before else frozenset())
                nearby[one.trigger] = Part(operation, Share(Fraction(0), Fraction(0)), items)
    return nearby


def _covered(found: Iterable[Stretch], inside: Sequence[tuple[int, int]]) -> Fraction:
    length = sum(end - start for start, end in inside)
    return Fraction(sum(spans.common(one, inside) for one in found if not one.reversed), length)

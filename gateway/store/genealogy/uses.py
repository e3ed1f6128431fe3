"""What the units of a case took: the lots, operation by operation."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import orjson

from gateway.domain.document import Document
from gateway.domain.quantity import EXACT, ZERO, nearest
from gateway.store.genealogy.spans import Share
from gateway.store.genealogy.taken import Component, Taken, suppliers, taken
from gateway.store.genealogy.tree import ComponentUse, LotUse, OperationUse, Scope

_COUNTED_BY = """
SELECT t.id, e.device, e.source_time FROM json_each(?) AS wanted
CROSS JOIN trigger_log AS t ON t.id = wanted.value CROSS JOIN event AS e ON e.id = t.event_id
"""
_SCANNED = """
SELECT p.operation, min(p.document_id), coalesce(p.reverses, p.seq), l.item, l.lot, l.location, l.bom_line, l.uom,
    exact_sum(l.quantity), min(p.posted_at), max(p.posted_at), max(p.seq)
FROM posting_line AS l INDEXED BY posting_line_scanned CROSS JOIN posting AS p ON p.seq = l.seq
WHERE l.method = 'scan' AND l.span_start IS NULL AND l.use = 'consumed' AND p.order_no = :order
    AND l.seq >= (SELECT min(seq) FROM posting WHERE order_no = :order)
    AND l.seq <= (SELECT max(seq) FROM posting WHERE order_no = :order)
GROUP BY 1, 3, 4, 5, 6, 7, 8 ORDER BY 3
"""

Counter = tuple[str, str]  # device and time of the event that counted a trigger's units


class Part(NamedTuple):
    """A trigger's part of the case; `items` are those that only a change of lot nearby brings in, None for all."""

    operation: str
    share: Share
    items: frozenset[str] | None = None


def operation_uses(
    connection: sqlite3.Connection,
    order: str,
    parts: Mapping[int, Part],
    covered: Mapping[str, Fraction],
    still_open: Sequence[Document],
) -> tuple[OperationUse, ...]:
    """Return what went into a case of the order by its `parts` (by trigger), with what is `covered`."""
    ids = orjson.dumps(list(parts)).decode()
    counters = {trigger: (device, time) for trigger, device, time in connection.execute(_COUNTED_BY, (ids,))}
    tree: defaultdict[str, defaultdict[Component, list[LotUse]]] = defaultdict(lambda: defaultdict(list))
    for operation, component, use in _merged(_uses(connection, parts, counters, still_open)):
        tree[operation][component].append(use)
    for operation, component, use in _scanned(connection, order):
        tree[operation][component].append(use)
    supplier = suppliers(
        connection, {(one.item, use.lot) for part in tree.values() for one, uses in part.items() for use in uses}
    )
    return tuple(
        OperationUse(
            operation,
            str(covered.get(operation, Fraction(1))),
            tuple(
                ComponentUse(*one, tuple(replace(use, supplier=supplier.get((one.item, use.lot), "")) for use in uses))
                for one, uses in sorted(tree[operation].items())
            ),
        )
        for operation in sorted({*covered, *tree})
    )


def _uses(
    connection: sqlite3.Connection,
    parts: Mapping[int, Part],
    counters: Mapping[int, Counter],
    still_open: Sequence[Document],
) -> Iterator[tuple[str, Component, LotUse]]:
    """Yield (operation, component, what one trigger took of a lot for the case)."""
    movements: defaultdict[tuple[int, Component, str, str, int | None], list[Taken]] = defaultdict(list)
    for one in taken(connection, parts, still_open):
        movements[one.trigger, one.component, one.lot, one.location, one.origin].append(one)
    direct = {
        (parts[trigger].operation, component.item, lot)
        for trigger, component, lot, *_ in movements
        if parts[trigger].items is None
    }
    for (trigger, component, lot, _, _), some in movements.items():
        part = parts[trigger]
        if part.items is None:
            yield from ((part.operation, component, use) for use in _lot_uses(some, part.share, counters[trigger]))
        elif component.item in part.items and (part.operation, component.item, lot) not in direct:
            yield part.operation, component, _lot_use(some, ZERO, counters[trigger], Scope.MIXING)


def _lot_uses(some: list[Taken], share: Share, counter: Counter) -> Iterator[LotUse]:
    """Yield what is left of the trigger's units in the case, and what was reversed of them."""
    back = _total(one.quantity for one in some if one.quantity < 0)
    left = EXACT.add(_total(one.quantity for one in some if one.quantity > 0), back)
    if share.live and left:
        yield _lot_use(some, nearest(Fraction(left) * share.live), counter, Scope.UNITS)
    if share.reversed and back:
        use = _lot_use(some, nearest(Fraction(-back) * share.reversed), counter, Scope.UNITS)
        mirrors = tuple(sorted({one.seq for one in some if one.quantity < 0 and one.seq is not None}))
        yield replace(use, reversed=True, reversed_by=mirrors)


def _lot_use(some: list[Taken], quantity: Decimal, counter: Counter, scope: Scope) -> LotUse:
    first = some[0]
    device, time = counter
    document = next((one.document for one in some if one.seq == one.origin), first.document)
    return LotUse(
        first.lot, first.location, "", quantity, first.origin, document, (device,), time, time, False, (), scope
    )


def _merged(uses: Iterable[tuple[str, Component, LotUse]]) -> Iterator[tuple[str, Component, LotUse]]:
    """Yield the uses of one lot by one document as one: a case has many triggers."""
    sums: dict[tuple[Any, ...], LotUse] = {}
    for operation, component, one in uses:
        key = (operation, component, one.lot, one.location, one.document, one.reversed, one.scope)
        known = sums.get(key)
        sums[key] = one if known is None else _together(known, one)
    for (operation, component, *_), one in sorted(sums.items(), key=lambda pair: (pair[1].first, pair[1].document)):
        yield operation, component, one


def _together(one: LotUse, other: LotUse) -> LotUse:
    return replace(
        one,
        quantity=EXACT.add(one.quantity, other.quantity),
        devices=tuple(sorted({*one.devices, *other.devices})),
        first=min(one.first, other.first),
        last=max(one.last, other.last),
        reversed_by=tuple(sorted({*one.reversed_by, *other.reversed_by})),
    )


def _scanned(connection: sqlite3.Connection, order: str) -> Iterator[tuple[str, Component, LotUse]]:
    for row in connection.execute(_SCANNED, {"order": order}):
        operation, document, seq, item, lot, location, bom_line, uom, quantity, first, last, newest = row
        net = Decimal(quantity)
        mirrors = (newest,) if newest != seq else ()
        use = LotUse(lot, location, "", net, seq, document, (), first, last, not net, mirrors, Scope.ORDER)
        yield operation, Component(bom_line or "", item, uom), use


def _total(quantities: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for one in quantities:
        total = EXACT.add(total, one)
    return total

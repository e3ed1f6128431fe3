"""From a component lot to every order, finished lot and case that it went into."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from gateway.domain.document import Document
from gateway.domain.quantity import EXACT, ZERO
from gateway.store import codec
from gateway.store.genealogy.sealed import Range, every_case, sealed
from gateway.store.genealogy.spans import of_triggers
from gateway.store.genealogy.taken import open_documents, open_lines
from gateway.store.genealogy.tree import Balance, CaseRef, FinishedLot, Issue, LotTrace, OrderUse, Scope
from gateway.store.recipe import recipe

# `length` equals the distance from first to last where the units are one range, which is the rule and costs least.
_ISSUED = """
SELECT l.item, p.order_no, p.finished_lot, p.item, p.operation, coalesce(l.bom_line, ''), l.uom,
    max(l.method = 'scan' AND l.span_start IS NULL), group_concat(l.quantity, ' '), sum(p.reverses IS NULL), min(l.seq),
    max(l.seq), min(l.span_start), max(l.span_end), sum(l.span_end - l.span_start), count(p.reverses)
FROM posting_line AS l CROSS JOIN posting AS p INDEXED BY posting_place ON p.seq = l.seq
WHERE l.lot = :lot AND (:item IS NULL OR l.item = :item) AND l.use = 'consumed'
    AND p.posting_type IN ('assembly', 'component')
GROUP BY p.order_no, p.operation, p.finished_lot, l.item, l.bom_line ORDER BY min(l.seq)
"""
# Postings that were reversed, even in part, are looked at trigger by trigger (_REVERSED): their reach says too much.
_RANGES = """
SELECT merged(l.span_start, l.span_end)
FROM posting_line AS l CROSS JOIN posting AS p INDEXED BY posting_place ON p.seq = l.seq
WHERE l.lot = :lot AND l.item = :item AND l.use = 'consumed' AND p.order_no = :order AND p.finished_lot = :finished_lot
    AND p.operation = :operation AND p.posting_type IN ('assembly', 'component') AND p.reverses IS NULL
    AND NOT EXISTS (SELECT 1 FROM posting AS r WHERE r.reverses = p.seq)
"""
_REVERSED = """
SELECT DISTINCT l.item, p.order_no, p.finished_lot, p.operation, k.trigger_id
FROM posting_line AS m CROSS JOIN posting AS r ON r.seq = m.seq CROSS JOIN posting AS p ON p.seq = r.reverses
CROSS JOIN posting_line AS l ON l.seq = p.seq AND l.lot = m.lot AND l.item = m.item
CROSS JOIN link AS k ON k.document_id = p.document_id CROSS JOIN json_each(k.body, '$[0]') AS part
WHERE m.lot = :lot AND (:item IS NULL OR m.item = :item) AND m.use = 'consumed' AND r.reverses IS NOT NULL
    AND l.span_start IS NOT NULL AND l.line = (part.value ->> 0) + 1
"""
_BALANCES = """
SELECT item, owner_kind, owner, location, status, staged, consumed, returned,
    exact_difference(exact_difference(staged, consumed), returned), uom, facts
FROM lot_balance WHERE lot = :lot AND (:item IS NULL OR item = :item) ORDER BY item, owner_kind, owner, location
"""
_BILL = "SELECT body ->> '$.bom.id', body ->> '$.bom.version', body ->> '$.master_data', posted_at FROM posting"


class _Place(NamedTuple):
    """Where a lot was issued."""

    item: str
    order: str
    finished_lot: str
    product: str


@dataclass(slots=True)
class _Use:
    """What is known of a lot in an order's finished lot: its issues, and the units that it went into."""

    issues: list[Issue] = field(default_factory=list)
    ranges: list[Range] = field(default_factory=list)
    reversed: list[Range] = field(default_factory=list)
    scanned: bool = False
    reversals: bool = False
    operations: set[str] = field(default_factory=set)
    last_seq: int | None = None


def trace_lot(connection: sqlite3.Connection, lot: str, item: str | None) -> tuple[LotTrace, ...]:
    """Return where the lot went, one answer an item that has a lot of that name."""
    wanted = {"lot": lot, "item": item}
    found: defaultdict[_Place, _Use] = defaultdict(_Use)
    for row in connection.execute(_ISSUED, wanted):
        place = _Place(*row[:4])
        _issued(connection, lot, place, found[place], row[4:])
    if any(use.reversals for use in found.values()):
        _reversed(connection, wanted, found)
    _open(open_documents(connection), lot, item, found)
    balances = _balances(connection, wanted)
    items = dict.fromkeys([*balances, *(place.item for place in found)])
    return tuple(
        LotTrace(
            one,
            lot,
            next((supplier for _, supplier in balances.get(one, ()) if supplier), ""),
            tuple(balance for balance, _ in balances.get(one, ())),
            _orders(connection, {place: use for place, use in found.items() if place.item == one}),
        )
        for one in items
    )


def _issued(connection: sqlite3.Connection, lot: str, place: _Place, use: _Use, row: Sequence[Any]) -> None:
    operation, bom_line, uom, scanned, quantities, postings, first, last, start, end, length, reversals = row
    quantity = _total(quantities)
    use.issues.append(Issue(operation, bom_line, quantity, uom, postings, 0, first, last))
    if length is not None and length == end - start and not reversals:
        use.ranges.append((start, end))
    elif length is not None:
        where = {**place._asdict(), "lot": lot, "operation": operation}
        use.ranges += orjson.loads(connection.execute(_RANGES, where).fetchone()[0] or "[]")
    use.reversals = use.reversals or bool(reversals)
    use.operations.add(operation)
    use.scanned = use.scanned or bool(scanned and quantity)
    use.last_seq = max(last, use.last_seq or 0)


def _total(quantities: str) -> Decimal:
    """Return their sum: thousands, but few that differ."""
    total = ZERO
    for quantity, times in Counter(quantities.split()).items():
        total = EXACT.add(total, EXACT.multiply(Decimal(quantity), times))
    return total


def _reversed(connection: sqlite3.Connection, wanted: dict[str, Any], found: defaultdict[_Place, _Use]) -> None:
    """Add the units of postings that were reversed in part: those that are left, and those that aren't."""
    places: dict[tuple[str, str, str], _Use] = {
        (place.item, place.order, place.finished_lot): use for place, use in found.items()
    }
    triggers: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for item, order, finished_lot, _, trigger in connection.execute(_REVERSED, wanted):
        triggers[item, order, finished_lot].append(trigger)
    for place, ids in triggers.items():
        for _, one in of_triggers(connection, ids):
            ranges = places[place].reversed if one.reversed else places[place].ranges
            ranges.append((one.start, one.end))


def _open(still_open: Iterable[Document], lot: str, item: str | None, found: defaultdict[_Place, _Use]) -> None:
    for document, line, reach in open_lines(still_open):
        if line.lot != lot or item not in (None, line.item):
            continue
        key = document.key
        use = found[_Place(line.item, key.order, key.finished_lot, key.item)]
        use.issues.append(Issue(key.operation, line.bom_line or "", line.quantity, line.uom, 0, 1, None, None))
        use.operations.add(key.operation)
        use.ranges += [reach] if reach else []


def _balances(connection: sqlite3.Connection, wanted: dict[str, Any]) -> dict[str, list[tuple[Balance, str]]]:
    found: defaultdict[str, list[tuple[Balance, str]]] = defaultdict(list)
    for item, *columns, facts in connection.execute(_BALANCES, wanted):
        found[item].append((Balance(*columns), codec.facts(facts).supplier))
    return found


def _orders(connection: sqlite3.Connection, found: dict[_Place, _Use]) -> tuple[OrderUse, ...]:
    orders: defaultdict[str, list[FinishedLot]] = defaultdict(list)
    for place, use in found.items():
        cases = tuple(_cases(connection, place, use))
        orders[place.order].append(FinishedLot(place.finished_lot, place.product, tuple(_summed(use.issues)), cases))
    return tuple(OrderUse(order, tuple(lots)) for order, lots in orders.items())


def _summed(issues: Iterable[Issue]) -> Iterator[Issue]:
    """Yield one issue for each operation and BOM line, whatever of it is closed or open."""
    sums: dict[tuple[str, str, str], list[Issue]] = {}
    for one in issues:
        sums.setdefault((one.operation, one.bom_line, one.uom), []).append(one)
    for (operation, bom_line, uom), some in sums.items():
        quantity = ZERO
        for one in some:
            quantity = EXACT.add(quantity, one.quantity)
        seqs = [seq for one in some for seq in (one.first_seq, one.last_seq) if seq is not None]
        counts = sum(one.postings for one in some), sum(one.open for one in some)
        yield Issue(operation, bom_line, quantity, uom, *counts, min(seqs, default=None), max(seqs, default=None))


def _cases(connection: sqlite3.Connection, place: _Place, use: _Use) -> list[CaseRef]:
    found = sealed(connection, place.order, use.ranges, nearby=_mixing(connection, place, use))
    if use.scanned:
        found = _with_others(found, every_case(connection, place.order, place.finished_lot, Scope.ORDER))
    gone = sealed(connection, place.order, use.reversed) if use.reversed else []
    return _with_others(found, [{**one, "reversed": True} for one in gone])


def _with_others(found: list[CaseRef], more: list[CaseRef]) -> list[CaseRef]:
    if not more:
        return found
    known = {one["document"] for one in found}
    return [*found, *(one for one in more if one["document"] not in known)]


def _mixing(connection: sqlite3.Connection, place: _Place, use: _Use) -> int:
    """Return how far beside its units (spans) the lot may have mixed in."""
    row = use.last_seq and connection.execute(f"{_BILL} WHERE seq = ?", (use.last_seq,)).fetchone()
    if not row or row[2] is None:
        return 0
    bom, version, master_data, posted_at = row
    bill = recipe(connection, master_data, bom, version)
    mixing = bill.mixing(datetime.fromisoformat(posted_at)) if bill else {}
    return max((mixing.get((one, place.item), 0) for one in use.operations), default=0)

"""Balances and totals computed again from what they were made of."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from gateway.domain.quantity import EXACT, ZERO, text
from gateway.store.batch import Tally
from gateway.store.findings import Check, Findings
from gateway.store.load import LOT_COLUMNS, TALLIES, lot, tally
from gateway.store.totals import TotalKey, Totals, of_event, of_trigger

LotColumns = tuple[str, str, str, str, str]

_EVENTS = """
SELECT device, signal, quantity FROM event
UNION ALL SELECT scope_1, scope_2, quantity FROM exception WHERE kind = 'gap'
"""
_TRIGGERS = """
SELECT t.id, t.posting_seq, t.quantity, e.device, e.signal, e.kind, e.quantity
FROM trigger_log AS t LEFT JOIN event AS e ON e.id = t.event_id
"""
_LOTS = f"SELECT {LOT_COLUMNS}, has_left FROM lot_balance"  # noqa: S608  # a constant list of columns
_STAGINGS = "SELECT owner_kind, owner, item, lot, location, uom, quantity FROM staging"
_REQUIREMENTS = "SELECT order_no, operation, bom_line, uom, committed FROM requirement"
_WORK_LIST = """
SELECT x.id, x.count, (SELECT count(*) FROM trigger_log AS t WHERE t.exception_id = x.id)
FROM exception AS x WHERE x.kind = 'trigger' AND x.closed_at IS NULL
"""
_FORGOTTEN = """
SELECT t.exception_id, count(*) FROM trigger_log AS t
LEFT JOIN exception AS x ON x.id = t.exception_id AND x.kind = 'trigger' AND x.closed_at IS NULL
WHERE t.exception_id IS NOT NULL AND x.id IS NULL GROUP BY t.exception_id
"""
_COUNTERS = """
SELECT c.device, c.signal, c.counted, t.counted FROM checkpoint AS c JOIN tally AS t
ON t.device = c.device AND t.signal = c.signal WHERE c.counted != t.counted
"""
_CONSUMERS = "SELECT c.kind, c.name, c.through FROM consumer AS c WHERE c.through > ?"


def conservation(connection: sqlite3.Connection, totals: Totals) -> Check:
    """Check counted = posted + scrapped + held per signal, and each of them against events and triggers."""
    findings = Findings("conservation")
    totals.add(of_event(*row) for row in connection.execute(_EVENTS))
    totals.add(of_trigger(*row) for row in _posted(connection, findings))
    signals = {key[:2] for key in totals.keys("counted")}
    for device, signal, *rest in connection.execute(TALLIES):
        signals.discard((device, signal))
        _compare(findings, f"{device}.{signal}", tally(tuple(rest)), totals, (device, signal))
    for device, signal in sorted(signals):
        findings.add(f"{device}.{signal} has events and no tally")
    for device, signal, counted, total in connection.execute(_COUNTERS):
        findings.expect(total, counted, f"{device}.{signal}: units its checkpoint has counted")
    return findings.check("counted = posted + scrapped + held for every signal")


def _posted(connection: sqlite3.Connection, findings: Findings) -> Iterator[tuple[str, str, str, str]]:
    for number, seq, quantity, device, signal, kind, counted in connection.execute(_TRIGGERS):
        if counted is None:
            findings.add(f"trigger {number} has no event")
            continue
        findings.expect(counted, quantity, f"trigger {number}: its event's quantity")
        if seq is not None:
            yield device, signal, kind, quantity


def _compare(findings: Findings, name: str, kept: Tally, totals: Totals, signal: tuple[str, str]) -> None:
    counted, posted, scrapped = (totals.of(kind, *signal) for kind in ("counted", "posted", "scrapped"))
    held = EXACT.subtract(counted, EXACT.add(posted, scrapped))
    recounted = (counted, posted, scrapped, held)
    for what, expected, actual in zip(Tally._fields[1:], recounted, kept[1:], strict=True):
        findings.expect(expected, actual, f"{name} {what}")
    if held < ZERO:
        findings.add(f"{name}: more was posted than counted, by {text(-held)} {kept.uom}")


def lots(connection: sqlite3.Connection, totals: Totals) -> Check:
    """Check each balance: staged by its transfers, consumed by posting lines, never negative.

    A posting line doesn't say whose stock it took, so consumption is compared over a lot's owners.
    """
    findings = Findings("lots")
    transfers = _transfers(connection)
    consumed = Totals()
    count = 0
    for *row, has_left in connection.execute(_LOTS):
        count += 1
        one = lot(tuple(row))
        key = one.key
        name = f"lot {key.lot} of {key.item} in {key.location} for {key.owner.kind} {key.owner.name}"
        staged = transfers.pop((*key.owner, *key[1:]), {one.uom: ZERO})
        if staged.keys() == {one.uom}:  # a converted transfer can't be compared without the units of its day
            findings.expect(staged[one.uom], one.staged, f"{name}: staged")
        if one.left < ZERO:
            findings.add(f"{name} is negative: {text(one.left)} {one.uom}")
        findings.expect(int(one.left != ZERO), has_left, f"{name}: the mark of what is left")
        consumed.add([(TotalKey("consumed", *key[1:]), one.consumed)])
    for _, _, item, number, _ in transfers:
        findings.add(f"the transfer of lot {number} of {item} has no balance")
    for place in totals.keys("consumed") | consumed.keys("consumed"):
        expected, actual = totals.of("consumed", *place), consumed.of("consumed", *place)
        findings.expect(expected, actual, f"lot {place[1]} of {place[0]} in {place[2]}: consumed")
    return findings.check(f"{count} balances")


def _transfers(connection: sqlite3.Connection) -> dict[LotColumns, dict[str, Decimal]]:
    found: defaultdict[LotColumns, dict[str, Decimal]] = defaultdict(dict)
    for kind, owner, item, number, location, uom, quantity in connection.execute(_STAGINGS):
        by_unit = found[kind, owner, item, number, location]
        by_unit[uom] = EXACT.add(by_unit.get(uom, ZERO), Decimal(quantity))
    return dict(found)


def requirements(connection: sqlite3.Connection, totals: Totals) -> Check:
    """Check that what was committed by calculation is what the lines issued.

    Committed is in the component's unit, lines are in the stock's. Where these differ only whether both are zero
    can be compared: the conversion is master data, which the store doesn't have.
    """
    findings = Findings("requirements")
    issued = {key: totals.of("committed", *key) for key in totals.keys("committed")}
    lines = {key[:3] for key in issued}
    known = set()
    for *component, uom, committed in connection.execute(_REQUIREMENTS):
        key = (component[0], component[1], component[2])
        known.add(key)
        posted = issued.get((*key, uom))
        converted = posted is None and key in lines and Decimal(committed) > ZERO
        if not converted and Decimal(committed) != (posted or ZERO):
            findings.expect(committed, text(posted or ZERO), f"{_component(key)}: issued")
    for key in sorted(lines - known):
        findings.add(f"{_component(key)} was issued without a requirement")
    return findings.check("committed = issued for every component")


def _component(key: tuple[str, str, str]) -> str:
    order, operation, bom_line = key
    return f"order {order} operation {operation} BOM line {bom_line}"


def work_list(connection: sqlite3.Connection) -> Check:
    """Check that every open exception holds as many triggers as it says, and that no others wait."""
    findings = Findings("work list")
    count = 0
    for number, said, held in connection.execute(_WORK_LIST):
        count += 1
        findings.expect(held, said, f"exception {number}: triggers held")
    for number, held in connection.execute(_FORGOTTEN):
        findings.add(f"{held} triggers wait in exception {number}, which is closed or missing")
    return findings.check(f"{count} open exceptions with triggers")


def consumers(connection: sqlite3.Connection, last_seq: int) -> Check:
    """Check that nobody acknowledged what doesn't exist."""
    findings = Findings("consumers")
    rows: list[tuple[Any, ...]] = connection.execute(_CONSUMERS, (last_seq,)).fetchall()
    for kind, name, through in rows:
        findings.add(f"{kind} {name} acknowledged through {through}, the last posting is {last_seq}")
    return findings.check("no watermark is beyond the last posting")

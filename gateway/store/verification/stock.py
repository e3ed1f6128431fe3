"""Is each lot what was staged of it, less what was consumed and returned? Compared with the documents' lines."""

import sqlite3
from collections import defaultdict
from decimal import Decimal

from gateway.domain.quantity import EXACT, ZERO, text
from gateway.store.findings import Check, Findings
from gateway.store.load import LOT_COLUMNS, lot
from gateway.store.totals import TotalKey, Totals, of_transfer, owner_text

LotColumns = tuple[str, str, str, str, str]
Place = tuple[str, str, str, str]  # item, lot, location, owner

_LOTS = f"SELECT {LOT_COLUMNS}, has_left FROM lot_balance"  # noqa: S608  # a constant list of columns
_STAGINGS = "SELECT owner_kind, owner, item, lot, location, uom, quantity FROM staging"
_TRANSFERS = "SELECT kind, owner_kind, owner, item, lot, location, book, quantity FROM transfer"


def lots(connection: sqlite3.Connection, totals: Totals) -> Check:
    """Check each balance: staged by its transfers, consumed and returned by the documents' lines, never negative."""
    findings = Findings("lots")
    transfers = _stagings(connection)
    kept = Totals()
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
        place = (*key[1:], owner_text(*key.owner))
        kept.add([(TotalKey("consumed", *place), one.consumed), (TotalKey("returned", *place), one.returned)])
    for _, _, item, number, _ in transfers:
        findings.add(f"the transfer of lot {number} of {item} has no balance")
    for kind in ("consumed", "returned"):
        _moved(findings, kind, totals, kept)
    _transferred(connection, findings, totals)
    return findings.check(f"{count} balances")


def _stagings(connection: sqlite3.Connection) -> dict[LotColumns, dict[str, Decimal]]:
    found: defaultdict[LotColumns, dict[str, Decimal]] = defaultdict(dict)
    for kind, owner, item, number, location, uom, quantity in connection.execute(_STAGINGS):
        by_unit = found[kind, owner, item, number, location]
        by_unit[uom] = EXACT.add(by_unit.get(uom, ZERO), Decimal(quantity))
    return dict(found)


def _moved(findings: Findings, kind: str, totals: Totals, kept: Totals) -> None:
    """Compare owner by owner; a lot of which an old posting took without saying whose, over all of them."""
    by_lot: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for place in totals.keys(kind) | kept.keys(kind):
        by_lot[place[:3]].add(place[3])
    for where, owners in by_lot.items():
        groups = [owners] if totals.of(kind, *where, "") else [{owner} for owner in owners]
        for group in groups:
            expected, actual = (_sum(source, kind, where, group) for source in (totals, kept))
            whose = f" for {', '.join(sorted(group))}" if len(group) == 1 else ""
            findings.expect(expected, actual, f"lot {where[1]} of {where[0]} in {where[2]}{whose}: {kind}")


def _sum(source: Totals, kind: str, where: tuple[str, str, str], owners: set[str]) -> Decimal:
    total = ZERO
    for owner in owners:
        total = EXACT.add(total, source.of(kind, *where, owner))
    return total


def _transferred(connection: sqlite3.Connection, findings: Findings, totals: Totals) -> None:
    """Compare returns and cycle counts with the lines of the postings they made."""
    applied = Totals()
    applied.add(of_transfer(row) for row in connection.execute(_TRANSFERS))
    for place in totals.keys("transferred") | applied.keys("transferred"):
        expected, actual = (source.of("transferred", *place) for source in (applied, totals))
        findings.expect(
            expected, actual, f"lot {place[1]} of {place[0]} in {place[2]} for {place[3]}: posted transfers"
        )

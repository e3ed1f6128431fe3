"""Stock at the line: transfers staged once by their id, lots scanned in and set free, never a balance overwritten."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from gateway.domain.clock import rfc3339
from gateway.domain.lot import LotBalance, LotFacts, LotKey, LotStatus, Owner, Staging, impossible
from gateway.domain.masterdata import MasterData
from gateway.domain.order import Order
from gateway.domain.quantity import ZERO, exact, text
from gateway.errors import CommandRefused, DataError
from gateway.pipeline.model import LineModel
from gateway.pipeline.working_copy import WorkingCopy
from gateway.pipeline.writer import Writer
from gateway.store.batch import StagingRow
from gateway.store.codec import staging_hash

Balances = Mapping[LotKey, LotBalance]

_SAME_FOR_A_LOT = ("supplier", "density", "temperature_coefficient", "reference_temperature", "potency")


async def stage_all(writer: Writer, work: WorkingCopy, stagings: Sequence[Staging], person: str) -> int:
    """Apply those transfers that were not applied before; return how many. CommandRefused on a contradiction."""
    new = await not_applied(writer, stagings)
    known = await writer.store.balances_of_lots(lots_of(new))
    for one in new:
        row = StagingRow(check(work.model, one), work.now, staging_hash(one))
        apply(work, row, balances_by_now(work, one, known), person)
    return len(new)


async def not_applied(writer: Writer, stagings: Sequence[Staging]) -> list[Staging]:
    """Return those of the transfers that were not applied before; CommandRefused where one says something else now."""
    known = await writer.store.staged([one.staging for one in stagings])
    for one in stagings:
        if one.staging in known:
            same_content("staging", one.staging, known[one.staging], staging_hash(one))
    return [one for one in stagings if one.staging not in known]


def lots_of(stagings: Iterable[Staging]) -> list[tuple[str, str]]:
    """Return the items and lots of the transfers, each once."""
    return list(dict.fromkeys((one.key.item, one.key.lot) for one in stagings))


def balances_by_now(work: WorkingCopy, staging: Staging, stored: Mapping[LotKey, LotBalance]) -> Balances:
    """Return every balance of the staged lot, used-up ones (as `stored`) too, as the batch sees them."""
    item, lot = staging.key.item, staging.key.lot
    before = {key: one for key, one in stored.items() if (key.item, key.lot) == (item, lot)}
    found = work.lot_balances.of(work.state.by_lot, (item, lot))
    return before | {one.key: one for one in found}


def strictest(balances: Balances) -> LotStatus:
    """Return the status that all of the lot has: another bin or owner makes nothing of it better."""
    return max((one.status for one in balances.values()), key=tuple(LotStatus).index)


def check(model: LineModel, staging: Staging) -> Staging:
    """Return the staging in the item's stock unit; CommandRefused where it names what doesn't exist."""
    master, owner = model.master, staging.key.owner
    item = master.items.get(staging.key.item)
    if item is None:
        raise CommandRefused(f"staging {staging.staging}: item {staging.key.item} is not in the master data")
    if owner.name not in (master.orders if owner.kind == "order" else model.active_orders):
        raise CommandRefused(f"staging {staging.staging}: there is no {owner.kind} {owner.name}")
    if staging.quantity <= 0:
        raise CommandRefused(f"staging {staging.staging}: quantity {text(staging.quantity)} is not above zero")
    if why := impossible(staging.facts):
        raise CommandRefused(f"staging {staging.staging}: {why}")
    quantity = in_stock_unit(master, f"staging {staging.staging}", item.item, staging.quantity, staging.uom)
    return Staging(
        staging=staging.staging,
        key=staging.key,
        quantity=quantity,
        uom=item.uom,
        received_at=staging.received_at,
        expires_at=staging.expires_at,
        status=staging.status,
        facts=staging.facts,
        scanned=staging.scanned,
    )


def in_stock_unit(master: MasterData, what: str, item: str, quantity: Decimal, uom: str) -> Decimal:
    """Return the quantity in the item's stock unit; CommandRefused, about `what`, where no conversion leads there."""
    try:
        return exact(Fraction(quantity) * master.units.factor(item, uom, master.items[item].uom))
    except DataError as error:
        raise CommandRefused(f"{what}: {error.message}", error.hint) from error


def apply(work: WorkingCopy, row: StagingRow, balances: Balances, person: str) -> None:
    """Add a checked staging to its lot's balance; CommandRefused where lot attributes contradict each other.

    `balances` is what there is and was of the lot, whosever it is.
    """
    staging = row.staging
    lot = balances.get(staging.key)
    if balances:
        _agree(staging, "status", strictest(balances).value, staging.status.value)
    if lot is None:
        lot = LotBalance(staging.key, staging.uom, staging.received_at, staging.expires_at, staging.status)
    else:
        _agree_on_all(staging, lot)
    kept = lot.stage(staging.quantity)._replace(status=staging.status, facts=_facts(staging, lot, work.now))
    work.put_lot(kept)
    work.rows.stagings.append(row)
    work.add_journal("staging", _entry(staging, person))


def _agree_on_all(staging: Staging, lot: LotBalance) -> None:
    _agree(staging, "expires_at", lot.expires_at, staging.expires_at)
    for name in _SAME_FOR_A_LOT:  # what one of the two doesn't say contradicts nothing
        known, told = getattr(lot.facts, name), getattr(staging.facts, name)
        if known not in (None, "") and told not in (None, ""):
            _agree(staging, name, known, told)


def _agree(staging: Staging, what: str, known: object, told: object) -> None:
    if known != told:
        raise CommandRefused(
            f"staging {staging.staging}: lot {staging.key.lot} has {what} {known} in the store, {told} here",
            "one of the two is wrong: correct the lot where it comes from",
        )


def _facts(staging: Staging, lot: LotBalance, now: datetime) -> LotFacts:
    """Return what the lot carries from now on: a new arrival needs a scan of its own, more of the same doesn't."""
    before, told = lot.facts, staging.facts
    arrives = lot.left == ZERO
    said = {name: value for name in _SAME_FOR_A_LOT if (value := getattr(told, name)) not in (None, "")}
    scanned_at = None if arrives else before.scanned_at
    return before._replace(
        **said,
        priority=told.priority or before.priority,
        staged_at=(told.staged_at or now) if arrives else before.staged_at,
        scanned_at=scanned_at or ((told.staged_at or now) if staging.scanned else None),
    )


def scan_in(work: WorkingCopy, line: str, item: str, lot: str, at: datetime, *, person: str) -> int:
    """Note that a lot was scanned in at the line; return how many balances became eligible by it.

    CommandRefused where nothing of the lot is staged there. The first scan counts: a second one changes nothing.
    """
    orders = work.model.master.orders
    here = [
        one
        for one in work.balances_of(item, lot)
        if (one.key.owner.name if one.key.owner.kind == "line" else _line_of(orders, one.key.owner.name)) == line
    ]
    if not here:
        raise CommandRefused(
            f"lot {lot} of {item} is not staged at line {line} nor to one of its orders",
            "stage it, or correct what was scanned",
        )
    new = [one for one in here if one.facts.scanned_at is None]
    for one in new:
        work.put_lot(one._replace(facts=one.facts._replace(scanned_at=at)))
    if new:
        work.add_journal("scan-in", {"line": line, "item": item, "lot": lot, "at": rfc3339(at), "person": person})
    return len(new)


def _line_of(orders: Mapping[str, Order], order: str) -> str | None:
    found = orders.get(order)
    return found.line if found else None


def owned(work: WorkingCopy, owner: Owner) -> list[LotBalance]:
    """Return the balances of an owner that have something left, in the order of their keys."""
    shelves = {one for one in (*work.stock.base, *work.stock.changed) if one[0] == owner}
    listed = sorted(key for one in shelves for key in work.stock.get(one) or ())
    return list(work.balances(listed))


def set_status(work: WorkingCopy, balances: Iterable[LotBalance], status: LotStatus) -> list[LotKey]:
    """Give the balances that status; return those that had another one."""
    changed = [one for one in balances if one.status is not status]
    for one in changed:
        work.put_lot(one._replace(status=status))
    return [one.key for one in changed]


def _entry(staging: Staging, person: str) -> dict[str, str]:
    return {
        "staging": staging.staging,
        "owner": f"{staging.key.owner.kind} {staging.key.owner.name}",
        "item": staging.key.item,
        "lot": staging.key.lot,
        "location": staging.key.location,
        "quantity": text(staging.quantity),
        "uom": staging.uom,
        "received_at": rfc3339(staging.received_at),
        "person": person,
    }


def same_content(what: str, number: str, before: str, now: str) -> None:
    """Refuse an id (of a staging, return or count) that comes again with other content."""
    if before != now:
        raise CommandRefused(
            f"{what} {number} was applied before with other content",
            f"a {what} is applied once by its id: give the correction an id of its own",
        )

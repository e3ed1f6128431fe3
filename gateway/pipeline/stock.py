"""Stock at the line: transfers staged once by their id, lots scanned in and set free, never a balance overwritten."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from gateway.backflush.outcome import Changes
from gateway.domain.clock import rfc3339
from gateway.domain.lot import LotBalance, LotFacts, LotKey, LotStatus, Owner, Staging
from gateway.domain.masterdata import MasterData
from gateway.domain.order import Order
from gateway.domain.quantity import ZERO, exact, text
from gateway.errors import CommandRefused, DataError
from gateway.pipeline.model import LineModel
from gateway.pipeline.working_copy import WorkingCopy
from gateway.pipeline.writer import Writer
from gateway.store.batch import StagingRow
from gateway.store.codec import staging_hash

_SAME_FOR_A_LOT = ("supplier", "density", "temperature_coefficient", "reference_temperature", "potency")


async def stage_all(writer: Writer, work: WorkingCopy, stagings: Sequence[Staging], person: str) -> int:
    """Apply those transfers that were not applied before; return how many. CommandRefused on a contradiction."""
    new = await not_applied(writer, stagings)
    used_up = await writer.store.balances([one.key for one in new if one.key not in writer.state.lots])
    for one in new:
        row = StagingRow(check(work.model, one), work.now, staging_hash(one))
        apply(work, row, used_up.get(one.key), person)
    return len(new)


async def not_applied(writer: Writer, stagings: Sequence[Staging]) -> list[Staging]:
    """Return those of the transfers that were not applied before; CommandRefused where one says something else now."""
    known = await writer.store.staged([one.staging for one in stagings])
    for one in stagings:
        if one.staging in known:
            same_content("staging", one.staging, known[one.staging], staging_hash(one))
    return [one for one in stagings if one.staging not in known]


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


def apply(work: WorkingCopy, row: StagingRow, before: LotBalance | None, person: str) -> None:
    """Add a checked staging to its lot's balance; CommandRefused where lot attributes contradict each other.

    `before` is the balance of a used-up lot as the store has it.
    """
    staging = row.staging
    lot = work.lot_balances.get(staging.key) or before
    if lot is None:
        lot = LotBalance(staging.key, staging.uom, staging.received_at, staging.expires_at, staging.status)
    else:
        _agree(staging, lot)
    work.put_lot(lot.stage(staging.quantity)._replace(facts=_facts(staging, lot, work.now)))
    work.rows.stagings.append(row)
    work.add_journal("staging", _entry(staging, person))


def _agree(staging: Staging, lot: LotBalance) -> None:
    said: list[tuple[str, object, object]] = [
        ("expires_at", lot.expires_at, staging.expires_at),
        ("status", lot.status.value, staging.status.value),
    ]
    for name in _SAME_FOR_A_LOT:  # what one of the two doesn't say contradicts nothing
        known, told = getattr(lot.facts, name), getattr(staging.facts, name)
        if known not in (None, "") and told not in (None, ""):
            said.append((name, known, told))
    for what, known, told in said:
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
        for one in balances_of(work, item, lot)
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


def balances_of(work: WorkingCopy, item: str, lot: str) -> list[LotBalance]:
    """Return the balances of a lot that have something left, whoever owns them, in the order of their keys."""
    return _left(work, lambda key: key.item == item and key.lot == lot)


def owned(work: WorkingCopy, owner: Owner) -> list[LotBalance]:
    """Return the balances of an owner that have something left, in the order of their keys."""
    return _left(work, lambda key: key.owner == owner)


def _left(work: WorkingCopy, wanted: Callable[[LotKey], bool]) -> list[LotBalance]:
    keys = {*work.lot_balances.base, *work.lot_balances.changed}
    found = (work.lot_balances.get(key) for key in sorted(filter(wanted, keys)))
    return [one for one in found if one is not None and one.left > ZERO]


def set_status(work: WorkingCopy, balances: Iterable[LotBalance], status: LotStatus) -> list[LotKey]:
    """Give the balances that status; return those that had another one."""
    changed = [one for one in balances if one.status is not status]
    for one in changed:
        keep(work, one._replace(status=status))
    return [one.key for one in changed]


def keep(work: WorkingCopy, lot: LotBalance) -> None:
    """Take over a changed balance, listed as stock only while something is left."""
    if lot.left > ZERO:
        work.put_lot(lot)
    else:
        work.take_over(Changes(lots={lot.key: lot}, used_up=[lot.key]))


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

"""Stagings: transfers to the line, each applied once by its id, never setting a balance."""

from fractions import Fraction

from gateway.domain.clock import rfc3339
from gateway.domain.lot import LotBalance, Staging
from gateway.domain.quantity import exact, text
from gateway.errors import CommandRefused, DataError
from gateway.pipeline.model import LineModel
from gateway.pipeline.working_copy import WorkingCopy
from gateway.store.batch import StagingRow


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
    try:
        factor = master.units.factor(item.item, staging.uom, item.uom)
        quantity = exact(Fraction(staging.quantity) * factor)
    except DataError as error:
        raise CommandRefused(f"staging {staging.staging}: {error.message}", error.hint) from error
    return Staging(
        staging.staging, staging.key, quantity, item.uom, staging.received_at, staging.expires_at, staging.status
    )


def apply(work: WorkingCopy, row: StagingRow, before: LotBalance | None, person: str) -> None:
    """Add a checked staging to its lot's balance; CommandRefused where lot attributes contradict each other."""
    staging = row.staging
    lot = work.lot_balances.get(staging.key) or before
    if lot is None:
        lot = LotBalance(staging.key, staging.uom, staging.received_at, staging.expires_at, staging.status)
    for what, known, said in (
        ("expires_at", lot.expires_at, staging.expires_at),
        ("status", lot.status.value, staging.status.value),
    ):
        if known != said:
            raise CommandRefused(
                f"staging {staging.staging}: lot {staging.key.lot} has {what} {known} in the store, {said} here",
                "one of the two is wrong: correct the lot where it comes from",
            )
    work.put_lot(lot.stage(staging.quantity))
    work.rows.stagings.append(row)
    work.add_journal("staging", _entry(staging, person))


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


def same_content(staging: str, before: str, now: str) -> None:
    """Refuse a staging id that comes again with other content."""
    if before != now:
        raise CommandRefused(
            f"staging {staging} was applied before with other content",
            "a staging is a transfer: give the correction an id of its own",
        )

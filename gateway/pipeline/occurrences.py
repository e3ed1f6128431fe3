"""Events without units: lots staged and scanned in, orders started and finished, labels approved, told by machines.

Each does in the batch what the command of the same meaning does; after the batch what waits is tried again.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from gateway.domain.event import Event, EventKind, LotMention
from gateway.domain.lot import LotFacts, LotKey, Owner, Staging
from gateway.errors import CommandRefused
from gateway.pipeline import line_orders, stock
from gateway.pipeline.working_copy import WorkingCopy
from gateway.store.batch import StagingRow
from gateway.store.codec import staging_hash
from gateway.store.store import Store


@dataclass(frozen=True, slots=True)
class Transfers:
    """What the store knows of the lots that a batch stages: applied transfers by id, and used-up balances."""

    applied: Mapping[str, str] = field(default_factory=dict)
    balances: stock.Balances = field(default_factory=dict)


async def look_up(store: Store, events: Iterable[tuple[Event, str]]) -> Transfers:
    """Ask the store, before the batch, for what these events (each with its line) will need."""
    stagings = [
        _staging(event, event.lot, line) for event, line in events if event.kind is EventKind.LOT_STAGED and event.lot
    ]
    if not stagings:
        return Transfers()
    applied = await store.staged([one.staging for one in stagings])
    return Transfers(applied, await store.balances_of_lots(stock.lots_of(stagings)))


def occur(work: WorkingCopy, event: Event, line: str, known: Transfers) -> None:
    """Do what the event says; CommandRefused, with everything as it was, where that can't be."""
    _DO[event.kind](work, event, line, known)
    work.retry = True


def _stage(work: WorkingCopy, event: Event, line: str, known: Transfers) -> None:
    staging = _staging(event, _lot(event), line)
    content = staging_hash(staging)
    applied = {**known.applied, **{one.staging.staging: one.content_hash for one in work.rows.stagings}}
    if staging.staging in applied:
        stock.same_content("staging", staging.staging, applied[staging.staging], content)
        return
    balances = stock.balances_by_now(work, staging, known.balances)
    if balances:  # a scanner doesn't know what the lot is like: what is known of it holds, in whatever bin it is
        alike = balances.get(staging.key) or next(iter(balances.values()))
        expires_at = staging.expires_at or alike.expires_at
        staging = replace(staging, status=stock.strictest(balances), expires_at=expires_at)
    stock.apply(work, StagingRow(stock.check(work.model, staging), work.now, content), balances, str(event.signal))


def _staging(event: Event, lot: LotMention, line: str) -> Staging:
    owner = Owner("order", event.order) if event.order else Owner("line", lot.line or line)
    return Staging(
        staging=event.key,
        key=LotKey(owner, lot.item, lot.lot, lot.location),
        quantity=event.quantity,
        uom=event.uom,
        received_at=event.source_time,
        expires_at=lot.expires_at,
        facts=LotFacts(supplier=lot.supplier, staged_at=event.source_time),
        scanned=True,
    )


def _scan_in(work: WorkingCopy, event: Event, line: str, known: Transfers) -> None:
    del known
    lot = _lot(event)
    stock.scan_in(work, lot.line or line, lot.item, lot.lot, event.source_time, person=str(event.signal))


def _start(work: WorkingCopy, event: Event, line: str, known: Transfers) -> None:
    del known
    if not event.order:
        raise CommandRefused(f"{event.signal} started an order without naming it")
    line_orders.start(work, line, event.order, event.source_time, str(event.signal))


def _finish(work: WorkingCopy, event: Event, line: str, known: Transfers) -> None:
    del known
    line_orders.finish(work, line, _order(work, event, line), event.source_time, str(event.signal))


def _approve_label(work: WorkingCopy, event: Event, line: str, known: Transfers) -> None:
    del known
    line_orders.approve_label(work, _order(work, event, line), str(event.signal))


def _order(work: WorkingCopy, event: Event, line: str) -> str:
    order = event.order or work.active_order(line, event.source_time)
    if not order:
        raise CommandRefused(f"{event.signal} names no order, and line {line} has none")
    return order


def _lot(event: Event) -> LotMention:
    if event.lot is None:
        raise CommandRefused(f"{event.signal} names no item and lot")
    return event.lot


_DO: Mapping[EventKind, Callable[[WorkingCopy, Event, str, Transfers], None]] = {
    EventKind.LOT_STAGED: _stage,
    EventKind.LOT_SCANNED: _scan_in,
    EventKind.ORDER_STARTED: _start,
    EventKind.ORDER_FINISHED: _finish,
    EventKind.LABEL_APPROVED: _approve_label,
}

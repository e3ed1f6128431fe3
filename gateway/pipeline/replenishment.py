"""Replenishment: a staged balance that falls to its item's reorder point asks for more, once until it rose again."""

from decimal import Decimal

from gateway.domain.lot import LotBalance, LotKey, Owner
from gateway.domain.material import Item
from gateway.domain.posting import NO_OUTPUT, Posting, PostingType, Shortfall
from gateway.domain.quantity import EXACT, ZERO
from gateway.pipeline import documents
from gateway.pipeline.overlay import Overlay
from gateway.pipeline.working_copy import WorkingCopy


def signal(work: WorkingCopy) -> None:
    """Post what the batch's falling balances ask for; called once, when everything else of the batch is planned.

    The committed balance is what tells a fall from a low: above the reorder point before the batch, and not after.
    """
    items = work.model.master.items
    balances = dict.fromkeys((key.owner, key.item) for key in work.lot_balances.changed)
    for owner, name in balances:
        item = items.get(name)
        if item is not None and item.reorder_point is not None:
            left = _left(work.stock, work.lot_balances, owner, name)
            before = _left_before(work, owner, name)
            if left <= item.reorder_point < before:
                documents.post(work, _posting(work, owner, item, item.reorder_point, left))


def _left(
    stock: Overlay[tuple[Owner, str], tuple[LotKey, ...]], lots: Overlay[LotKey, LotBalance], owner: Owner, item: str
) -> Decimal:
    total = ZERO
    for key in stock.get((owner, item)) or ():
        lot = lots.get(key)
        total = EXACT.add(total, lot.left if lot else ZERO)
    return total


def _left_before(work: WorkingCopy, owner: Owner, item: str) -> Decimal:
    keys = work.state.stock.get((owner, item), ())
    total = ZERO
    for key in keys:
        total = EXACT.add(total, work.state.lots[key].left)
    return total


def _posting(work: WorkingCopy, owner: Owner, item: Item, reorder_point: Decimal, left: Decimal) -> Posting:
    return Posting(
        type=PostingType.REPLENISHMENT,
        order=owner.name if owner.kind == "order" else "",
        operation="",
        item=item.item,
        finished_lot="",
        output=NO_OUTPUT,
        lines=(),
        triggers=(),
        bom="",
        bom_version="",
        master_data=work.model.master.hash,
        shortfall=Shortfall(owner, item.item, item.uom, left, reorder_point, item.reorder_quantity),
    )

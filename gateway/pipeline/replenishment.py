"""Replenishment: a staged balance at or below its item's reorder point asks for more, once until it rose above."""

from decimal import Decimal

from gateway.domain.clock import UNTRUSTED
from gateway.domain.lot import Owner
from gateway.domain.material import Item
from gateway.domain.posting import NO_OUTPUT, Posting, PostingType, Shortfall
from gateway.pipeline import documents
from gateway.pipeline.working_copy import WorkingCopy


def signal(work: WorkingCopy) -> None:
    """Post what the batch's low balances ask for; called once, when everything else of the batch is planned.

    What was asked for stands with the order or line, so a balance that was low from the start asks too. Without a
    trusted clock nothing is posted: the next movement asks.
    """
    items = work.model.master.items
    for (owner, name), left in work.staged().items():
        item = items.get(name)
        if item is None or item.reorder_point is None:
            continue
        asked, low = _asked(work, owner), left <= item.reorder_point
        if low and name not in asked and work.place.clock.trust != UNTRUSTED:
            documents.post(work, _posting(work, owner, item, item.reorder_point, left))
            _note(work, owner, (*asked, name))
        elif not low and name in asked:
            _note(work, owner, tuple(one for one in asked if one != name))


def _asked(work: WorkingCopy, owner: Owner) -> tuple[str, ...]:
    return (work.order_state(owner.name) if owner.kind == "order" else work.line_state(owner.name)).asked


def _note(work: WorkingCopy, owner: Owner, asked: tuple[str, ...]) -> None:
    if owner.kind == "order":
        work.order_states[owner.name] = work.order_state(owner.name)._replace(asked=asked)
    else:
        work.line_states[owner.name] = work.line_state(owner.name)._replace(asked=asked)


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

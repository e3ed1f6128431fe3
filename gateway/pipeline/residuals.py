"""An order's rests at its close: returned to the warehouse, consumed, or left where they are."""

from decimal import Decimal

from gateway.backflush import eligibility
from gateway.domain.bom import BillOfMaterial
from gateway.domain.command import Residual
from gateway.domain.lot import LotBalance, Owner
from gateway.domain.posting import PostingLine
from gateway.domain.quantity import EXACT
from gateway.domain.use import Use
from gateway.errors import CommandRefused
from gateway.pipeline import stock
from gateway.pipeline.working_copy import WorkingCopy

RESIDUAL = "residual"  # the method of a line that issues a rest


def clear(work: WorkingCopy, order: str, bom: BillOfMaterial, how: Residual) -> tuple[PostingLine, ...]:
    """Clear what the order owns and return the lines. Restricted or expired stock is not consumed: CommandRefused."""
    if how is Residual.LEAVE:
        return ()
    rests = stock.owned(work, Owner("order", order))
    refused = [eligibility.named(one, why) for one in rests if (why := eligibility.restricted(one, work.now))]
    if how is Residual.CONSUME and refused:
        raise CommandRefused(f"what no component may take isn't consumed: {', '.join(refused)}", "return it")
    return tuple(_cleared(work, one, bom, how) for one in rests)


def _cleared(work: WorkingCopy, lot: LotBalance, bom: BillOfMaterial, how: Residual) -> PostingLine:
    left = lot.left
    if how is Residual.RETURN:
        work.put_lot(lot.give_back(left))
        return _line(Use.RETURNED, lot, left)
    work.put_lot(lot._replace(consumed=EXACT.add(lot.consumed, left)))
    line = next((one.line for one in bom.components if one.item == lot.key.item), None)
    return _line(Use.CONSUMED, lot, left)._replace(bom_line=line, method=RESIDUAL)


def _line(use: Use, lot: LotBalance, quantity: Decimal) -> PostingLine:
    key = lot.key
    return PostingLine(
        use, key.item, quantity, lot.uom, key.lot, key.location, owner=key.owner, supplier=lot.facts.supplier
    )

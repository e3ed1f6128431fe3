"""A lot was scanned and its quantity given: exactly that lot is issued, whatever the BOM says is due."""

from gateway.backflush.allocate import Allocation, Need, allocate
from gateway.backflush.draft import Draft
from gateway.backflush.due import Due, physical
from gateway.backflush.explode import PlannedComponent
from gateway.backflush.issue import check_limits, write
from gateway.backflush.outcome import Waits
from gateway.domain.event import LotMention
from gateway.domain.quantity import ZERO, text


def issue_scanned(draft: Draft) -> None:
    """Issue the lot that the event names to its component; Waits where it isn't one, may not be used, or is short."""
    mention = draft.event.lot
    if mention is None:
        raise Waits("no-lot", f"event {draft.event.key} of {draft.event.signal} names no lot")
    draft.issues = draft.main  # what was scanned is known now, whatever the operation defers
    planned = _component(draft, mention)
    quantity, uom = physical(draft.master.units, planned, draft.event.quantity, draft.event.uom)
    if not quantity:
        return
    need = Need(quantity, uom, mention)
    allocation = allocate(draft, planned, need)
    if allocation.missing:
        raise _refused(draft, need, mention, allocation)
    given = Due(quantity, uom, draft.state.requirement(planned.key))
    check_limits(draft, planned, write(draft, planned, given, allocation, ZERO))


def _component(draft: Draft, mention: LotMention) -> PlannedComponent:
    for planned in draft.plan.scanned:
        named = mention.bom_line in ("", planned.key.bom_line, planned.component.line)
        if named and any(item.item == mention.item for item in planned.supplies):
            return planned
    line = f" in BOM line {mention.bom_line}" if mention.bom_line else ""
    raise Waits("no-component", f"operation {draft.trigger.operation} issues no {mention.item} by scan{line}")


def _refused(draft: Draft, need: Need, mention: LotMention, allocation: Allocation) -> Waits:
    if allocation.refused:
        return Waits("not-eligible", "; ".join(allocation.refused))
    trigger, left = draft.trigger, text(need.quantity - allocation.missing)
    asked = f"{text(need.quantity)} {need.uom} of lot {mention.lot} of {mention.item} were scanned"
    return Waits("shortage", f"{asked}, {left} available for order {trigger.order} on line {trigger.line}")

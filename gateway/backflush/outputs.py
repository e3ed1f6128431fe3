"""What enters stock at a trigger, the product and what comes beside it, and machine and labour quantities."""

from decimal import Decimal
from fractions import Fraction

from gateway.backflush.draft import Draft
from gateway.backflush.due import Standard, due
from gateway.backflush.explode import PlannedActivity, PlannedComponent
from gateway.domain.document import Draw, Pick
from gateway.domain.posting import ActivityLine, PostingLine
from gateway.domain.quantity import ZERO, exact, nearest
from gateway.domain.requirement import NOTHING, Ratio
from gateway.domain.use import Use


def receive_product(draft: Draft) -> None:
    """Receive what was counted, in the order's unit."""
    order, unit = draft.plan.order, draft.plan.order_unit
    quantity = draft.counted if unit == 1 else exact(Fraction(draft.counted) * unit)
    line = PostingLine(Use.PRODUCED, order.item, quantity, order.uom, order.finished_lot, order.receipt_location)
    draft.main.lines.append(line)


def receive(draft: Draft, planned: PlannedComponent) -> None:
    """Receive a by-product or co-product into the finished lot."""
    needed, component, sheet = due(draft, planned), planned.component, draft.main
    quantity = _stocked(draft, planned, needed.quantity, needed.uom)
    picks: tuple[Pick, ...] = ()
    if quantity:
        picks = (Pick(len(sheet.lines), quantity, needed.quantity),)
        sheet.lines.append(_line(draft, planned, quantity, needed.standard))
    draw = Draw(
        planned.key,
        component.item,
        needed.before,
        needed.required,
        needed.once,
        needed.quantity,
        ZERO,
        picks,
        (),
        needed.calculated,
    )
    sheet.draws.append(draw)


def _line(draft: Draft, planned: PlannedComponent, quantity: Decimal, standard: Standard | None) -> PostingLine:
    order, component = draft.plan.order, planned.component
    return PostingLine(
        use=component.use,
        item=component.item,
        quantity=quantity,
        uom=planned.supplies[0].uom,
        lot=order.finished_lot,
        location=component.location or order.receipt_location,
        bom_line=component.line,
        method=component.method,
        standard=standard and _stocked(draft, planned, standard.quantity, standard.uom),
    )


def _stocked(draft: Draft, planned: PlannedComponent, quantity: Decimal, uom: str) -> Decimal:
    return nearest(Fraction(quantity) * draft.master.units.factor(planned.item, uom, planned.supplies[0].uom))


def book_activity(draft: Draft, planned: PlannedActivity) -> None:
    """Book machine or labour time, rounded cumulatively like a component; its draw takes from no lot."""
    before = draft.state.requirement(planned.key)
    required = Ratio(draft.top * planned.numerator, draft.bottom * planned.denominator)
    quantity, draft.changes.requirements[planned.key] = before.draw(*required, planned.activity.rounding)
    name, sheet = planned.activity.activity, draft.issues
    if quantity:
        sheet.activities.append(ActivityLine(name, quantity, planned.activity.uom))
    sheet.draws.append(Draw(planned.key, name, before, required, NOTHING, quantity, ZERO, (), ()))

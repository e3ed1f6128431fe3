"""From a finished draft to the bookings that documents take."""

from gateway.backflush.draft import Draft, Sheet
from gateway.backflush.outcome import Booked
from gateway.domain.document import Booking, DocumentKey, Part
from gateway.domain.posting import Output, PostingType
from gateway.domain.quantity import ZERO

_new = tuple.__new__  # what a NamedTuple's own constructor comes to, without its call


def bookings(draft: Draft, output: Output, *, receipt: bool) -> Booked:
    """Return the trigger's bookings; deferred issues get one of their own that counts no units."""
    main = booking(draft, draft.main, Part.MAIN, _type(draft, receipt=receipt), output)
    if draft.issues is draft.main or not draft.issues.draws:
        return booked(draft, (main,))
    nothing = Output(ZERO, ZERO, ZERO, output.uom)
    return booked(draft, (main, booking(draft, draft.issues, Part.DEFERRED, _type(draft, receipt=False), nothing)))


def booked(draft: Draft, parts: tuple[Booking, ...]) -> Booked:
    """Return what the draft comes to."""
    return Booked(parts, tuple(draft.backlogs), tuple(draft.alerts), draft.changes)


def booking(draft: Draft, sheet: Sheet, part: Part, kind: PostingType, output: Output) -> Booking:
    """Return a sheet as the booking that joins the document of its key."""
    trigger, plan = draft.trigger, draft.plan
    key = (
        kind,
        part,
        trigger.order,
        trigger.operation,
        trigger.event.signal.device,
        trigger.rule,
        trigger.rule_version,
        plan.bom.bom,
        plan.bom.version,
        draft.master.hash,
        plan.order.item,
        plan.order.finished_lot,
        output.uom,
    )
    return Booking(
        _new(DocumentKey, key),
        trigger,
        output.units,
        output,
        tuple(sheet.lines),
        tuple(sheet.activities),
        tuple(sheet.draws),
        tuple(sheet.deviations),
    )


def _type(draft: Draft, *, receipt: bool) -> PostingType:
    if receipt:
        return PostingType.ASSEMBLY
    goods = draft.plan.components or not draft.plan.activities
    return PostingType.COMPONENT if goods else PostingType.ACTIVITY

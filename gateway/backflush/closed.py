"""What a document posts: at once where nothing gathers, or when its window closes."""

from datetime import datetime

from gateway.domain.document import Booking, Document
from gateway.domain.event import Trigger
from gateway.domain.posting import Posting


def at_once(booking: Booking) -> Posting:
    """Return the posting of a trigger that is a document of its own."""
    key, trigger = booking.key, booking.trigger
    return Posting(
        key.type,
        key.order,
        key.operation,
        key.item,
        key.finished_lot,
        booking.output,
        booking.lines,
        (trigger,),
        key.bom,
        key.bom_version,
        key.master_data,
        booking.activities,
        booking.deviations,
        person=trigger.event.person,
    )


def after_window(
    document: Document, triggers: tuple[Trigger, ...], closed_at: datetime, why: str, follows: int | None
) -> Posting:
    """Return the posting of a document that was open until then; `follows` is the seq of what it belongs to."""
    key = document.key
    return Posting(
        type=key.type,
        order=key.order,
        operation=key.operation,
        item=key.item,
        finished_lot=key.finished_lot,
        output=document.output,
        lines=document.lines,
        triggers=triggers,
        bom=key.bom,
        bom_version=key.bom_version,
        master_data=key.master_data,
        activities=document.activities,
        deviations=document.deviations,
        window=(document.opened_at, closed_at, why),
        follows=follows,
    )

"""Good units take their places in the order: what overlaps between two operations are the same units."""

from gateway.backflush import span
from gateway.backflush.span import Stretch
from gateway.domain.document import Booking, Span
from gateway.pipeline.working_copy import WorkingCopy
from gateway.store.batch import SpanHead

_EMPTY = SpanHead()


def assign(work: WorkingCopy, booking: Booking) -> Stretch | None:
    """Give the booking's good units their places; return them, first to last, None where there are none."""
    key, trigger = booking.key, booking.trigger
    scale = span.scale(work.model.master, (key.bom, key.bom_version), key.operation)
    wanted = span.length(scale, trigger, booking.output.good) if scale else 0
    if not wanted:
        return None
    head = work.span_heads.get((key.order, key.operation)) or _EMPTY
    taken, following, free = span.fill(head.next, head.free, wanted)
    work.span_heads[key.order, key.operation] = SpanHead(following, free)
    sscc = trigger.event.sscc
    sealed_at = trigger.event.source_time if sscc else None
    for start, end in taken:
        work.rows.spans.append(Span(key.order, key.operation, start, end, trigger.id, sscc, sealed_at))
    return min(taken)[0], max(taken)[1]

"""One scan of a batch: context first, then what it counts or reports."""

from datetime import datetime

from gateway.counting.counter import Reading
from gateway.domain.event import SignalId
from gateway.pipeline.image import Context, ProcessImage
from gateway.pipeline.messages import Known, receive
from gateway.pipeline.model import Point
from gateway.pipeline.readings import count
from gateway.pipeline.working_copy import WorkingCopy
from gateway.signals.sample import Scan
from gateway.store.batch import DeadLetter


def take(work: WorkingCopy, scan: Scan, image: ProcessImage, known: Known) -> None:
    """Turn a scan into events, triggers and postings in the working copy; what of it can't be read, into a letter."""
    if scan.unreadable is not None:
        letter = scan.unreadable
        work.rows.dead_letters.append(
            DeadLetter(scan.device, letter.source, letter.payload, letter.reason, scan.received.wall, scan.replay)
        )
        work.must_commit = True
    find, device = work.model.points.get, scan.device
    points = [(find(SignalId(device, one.signal)), one) for one in scan.samples]
    if context_samples := [one for point, one in points if point is not None and point.is_context]:
        image.update(scan, context_samples)
    for point, sample in points:
        if point is None or point.is_context:
            continue
        context = image.context(point)
        if point.counter is not None:
            value = sample.value if isinstance(sample.value, int) else None
            at = sample.source_time or scan.received.wall
            reading = Reading(value, scan.received, context.epoch, sample.source_time, _order(work, point, context, at))
            count(work, point, point.counter, reading)
        elif not scan.replay:  # a retained message shows state: no event
            receive(work, point, scan, sample, context=context, known=known)


def _order(work: WorkingCopy, point: Point, context: Context, at: datetime) -> str | None:
    """Return the order the counter runs under, so that a gap across a change of order is noticed."""
    fallback = point.rule is not None and point.rule.fallback_active
    return context.order or (work.active_order(point.line, at) if fallback else None)

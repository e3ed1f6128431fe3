"""Messages after a restore: those that the lost store may have booked already are held for a person.

A broker sends again what was committed and not acknowledged; the restored store doesn't have its key.
"""

from datetime import datetime, timedelta

import orjson

from gateway.domain.event import Event
from gateway.domain.quantity import text
from gateway.pipeline.posting import about
from gateway.pipeline.working_copy import Hold, WorkingCopy
from gateway.signals.sample import Sample, Scan
from gateway.store.lineage import DOUBTED

# What was committed but not acknowledged comes first, at once, and the device's clock may be wrong.
SETTLING = timedelta(seconds=10)


def doubt_of(work: WorkingCopy, scan: Scan, sample: Sample) -> str:
    """Return why the message may have been booked before the store was restored, empty where it can't have been."""
    restored = work.state.restored
    if restored is None or scan.receipt is None:
        return ""  # no broker waits for it: a person has a dead letter done again, and knows
    before = sample.source_time is not None and sample.source_time < restored.at
    return restored.why if before or scan.received.wall < _settled(work, scan) else ""


def hold_of(event: Event, doubt: str) -> Hold:
    """Return why the event is held, how the ERP's books tell whether it is new, and what it is if so: what it says.

    No time in the proposal: an entry's own is the message's.
    """
    reason = f"{doubt} Look for {event.signal} {event.key} among the triggers of the ERP's postings of that store."
    parts = [{"quantity": text(event.quantity), "order": event.order or "", "at": None}]
    return DOUBTED, reason, orjson.dumps({**about(event), "proposal": parts}).decode()


def _settled(work: WorkingCopy, scan: Scan) -> datetime:
    """Return until when the device's messages may be old ones: since its first one after the restore."""
    known = work.state.settled.get(scan.device) or work.rows.settled.get(scan.device)
    if known is None:
        known = work.rows.settled[scan.device] = scan.received.wall + SETTLING
        work.must_commit = True
    return known

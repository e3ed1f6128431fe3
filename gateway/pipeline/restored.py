"""Messages after a restore: those that the lost store may have booked already are held for a person.

A broker sends again what was committed and not acknowledged; the restored store doesn't have its key.
"""

from datetime import datetime, timedelta

from gateway.pipeline.working_copy import WorkingCopy
from gateway.signals.sample import Sample, Scan

# What was committed but not acknowledged comes first, at once, and the device's clock may be wrong.
SETTLING = timedelta(seconds=10)


def doubt_of(work: WorkingCopy, scan: Scan, sample: Sample) -> str:
    """Return why the message may have been booked before the store was restored, empty where it can't have been."""
    restored = work.state.restored
    if restored is None or scan.receipt is None:
        return ""  # no broker waits for it: a person has a dead letter done again, and knows
    before = sample.source_time is not None and sample.source_time < restored.at
    return restored.why if before or scan.received.wall < _settled(work, scan) else ""


def _settled(work: WorkingCopy, scan: Scan) -> datetime:
    """Return until when the device's messages may be old ones: since its first one after the restore."""
    known = work.state.settled.get(scan.device) or work.rows.settled.get(scan.device)
    if known is None:
        known = work.rows.settled[scan.device] = scan.received.wall + SETTLING
        work.must_commit = True
    return known

"""Where counters began: told with the first reading; a person signs it at commissioning."""

from gateway.counting.counter import Baseline, Checkpoint
from gateway.domain.clock import in_milliseconds
from gateway.domain.event import SignalId
from gateway.pipeline import recording
from gateway.pipeline.working_copy import WorkingCopy


def begin(work: WorkingCopy, signal: SignalId, first: Checkpoint) -> None:
    """Keep where the counter began; nobody has signed it yet."""
    tell(work, signal, Baseline(first.value, first.epoch, in_milliseconds(first.seen.wall)))


def tell(work: WorkingCopy, signal: SignalId, baseline: Baseline) -> None:
    """Keep it, and write it down as an input: a replay sees no readings."""
    work.record("baseline", recording.baseline(signal, baseline))
    work.baselines[signal] = baseline
    work.must_commit = True

"""What a source that reports changes has shown so far, and how its bursts of changes become scans.

A counter only means something beside the boot id and order it was counted under. Reading all nodes in one
request pairs them; a burst of notifications doesn't, so a change of context is answered with such a reading.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from gateway.signals.sample import Sample


@dataclass(frozen=True, slots=True)
class Burst:
    """What a burst of notifications amounts to: scans in order, and whether everything has to be read again."""

    scans: tuple[tuple[Sample, ...], ...]
    read_again: bool


class Image:
    """The last known sample of each signal of one connection. `contexts` are the signals that don't count."""

    def __init__(self, contexts: Collection[str]) -> None:
        self._contexts = frozenset(contexts)
        self._known: dict[str, Sample] = {}
        self._read_at: dict[str, datetime] = {}

    @property
    def bad(self) -> dict[str, str]:
        """The signals without a usable value, and why."""
        return {signal: sample.status for signal, sample in self._known.items() if sample.value is None}

    def read(self, samples: Sequence[Sample]) -> frozenset[str]:
        """Take in one reading of everything; return the signals that stand differently than was last known."""
        differing = {new.signal for new in samples if not _same(self._known.get(new.signal), new)}
        self._known = {sample.signal: sample for sample in samples}
        self._read_at = {sample.signal: sample.source_time for sample in samples if sample.source_time}
        return frozenset(differing)

    def notified(self, samples: Iterable[Sample]) -> Burst:
        """Take in what came as notifications, in the order it came.

        Several values of one counter stay apart, as successive scans: a reset may lie between them. Values
        from before a change of context belong to the old one; what comes after is in the reading asked for.
        """
        fresh = [sample for sample in samples if not self._superseded(sample)]
        changed = [new for new in fresh if new.signal in self._contexts and not _same(self._known.get(new.signal), new)]
        counts = [new for new in fresh if new.signal not in self._contexts]
        if changed:
            counts = [new for new in counts if _before(new, changed)]
        beside = tuple(known for signal, known in self._known.items() if signal in self._contexts)
        scans = tuple((*beside, *counters) for counters in _rounds(counts))
        self._known.update((new.signal, new) for new in counts)
        return Burst(scans, read_again=bool(changed))

    def _superseded(self, sample: Sample) -> bool:
        # A notification may still be on its way when a newer value was read already.
        read_at = self._read_at.get(sample.signal)
        if read_at is None or sample.source_time is None:
            return False
        if sample.source_time == read_at:  # devices that stamp by the second change within one
            return _same(self._known.get(sample.signal), sample)
        return sample.source_time < read_at


def _same(one: Sample | None, other: Sample) -> bool:
    return one is not None and (one.value, one.status) == (other.value, other.status)


def _before(sample: Sample, changed: Sequence[Sample]) -> bool:
    times = [context.source_time for context in changed]
    if sample.source_time is None or None in times:
        return False  # nothing says when; what is read next is right in any case
    return all(time is not None and sample.source_time < time for time in times)


def _rounds(samples: Iterable[Sample]) -> Iterable[tuple[Sample, ...]]:
    by_signal: dict[str, list[Sample]] = {}
    for sample in samples:
        by_signal.setdefault(sample.signal, []).append(sample)
    for row in zip_longest(*by_signal.values()):
        yield tuple(sample for sample in row if sample is not None)

"""Counters that are read but can't be used: told in work list and device health until a good reading comes.

The decision table keeps the checkpoint of such a counter, and the next good reading catches up: only that with a
modulus or data type that isn't the device's it may never come.
"""

from collections.abc import Container, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from gateway.counting.counter import SECOND, Counter
from gateway.domain.clock import rfc3339
from gateway.domain.command import ClearAlarm, RaiseAlarm
from gateway.domain.event import SignalId
from gateway.domain.exception import ExceptionKind
from gateway.pipeline.model import Point
from gateway.pipeline.state import Scope, joined_by
from gateway.signals.sample import Scan

UNUSABLE = "unusable"
_READINGS = 3  # in a row; a torn reading is followed by a good one
_OUTSIDE = 5 * SECOND  # ns for which a value may be outside the modulus; of bad quality, as long as is no gap


class _Fault(NamedTuple):
    """What keeps a counter from being used, since when, and in how many readings in a row.

    `begun` is that moment by boottime (ns). `outside`: the device finds nothing wrong with the value.
    """

    why: str
    since: datetime
    begun: int
    readings: int
    outside: bool
    persists: bool = False


class UnusableCounters:
    """In memory only: what was told before a start is in the work list, and the next readings say what holds."""

    def __init__(self) -> None:
        self._found: dict[SignalId, _Fault | None] = {}  # by the last reading; None: a good one
        self._over: set[SignalId] = set()  # good by now, and perhaps still told of

    def look(self, scan: Scan, points: Mapping[SignalId, Point]) -> None:
        """Take in the counters of a scan."""
        for sample in scan.samples:
            signal = SignalId(scan.device, sample.signal)
            point = points.get(signal)
            if point is None or point.counter is None:
                continue
            value = sample.value if isinstance(sample.value, int) else None
            if value is not None and 0 <= value < point.counter.modulus:
                self._take_good(signal)
            else:
                self._take_bad(
                    signal, point.counter, scan, _why(point.counter, value, sample.status), value is not None
                )

    def outside(self, device: str) -> list[str]:
        """Return what the device's counters show that stay outside their modulus: its driver finds them good."""
        return [
            f"{signal.signal}: {fault.why}"
            for signal, fault in self._found.items()
            if signal.device == device and fault and fault.outside and fault.persists
        ]

    def news(self, told: Container[Scope], points: Mapping[SignalId, Point]) -> Iterator[RaiseAlarm | ClearAlarm]:
        """Yield what isn't told yet and what is over; `told` has the open alarms. Each is done once it was yielded."""
        for signal in [one for one in self._found if (point := points.get(one)) is None or point.counter is None]:
            self._take_good(signal)
            del self._found[signal]
        while self._over:
            signal = next(iter(self._over))
            if _place(signal) in told:
                yield ClearAlarm(UNUSABLE, f"{signal} is read again", str(signal))
            self._over.discard(signal)  # not where it could not be carried out
        for signal, fault in self._found.items():
            if fault and fault.persists and _place(signal) not in told:
                yield RaiseAlarm(UNUSABLE, f"{signal}, since {rfc3339(fault.since)}: {fault.why}", str(signal))

    def _take_good(self, signal: SignalId) -> None:
        if signal not in self._found or self._found[signal] is not None:
            self._over.add(signal)
            self._found[signal] = None

    def _take_bad(self, signal: SignalId, counter: Counter, scan: Scan, why: str, outside: bool) -> None:
        before, at = self._found.get(signal), scan.received
        since, begun, readings = (before.since, before.begun, before.readings) if before else (at.wall, at.boottime, 0)
        lasted, tolerated = at.boottime - begun, _OUTSIDE if outside else counter.gap_after * SECOND
        persists = readings + 1 >= _READINGS and lasted >= tolerated
        self._found[signal] = _Fault(why, since, begun, readings + 1, outside, persists)
        self._over.discard(signal)


def _why(counter: Counter, value: int | None, status: str) -> str:
    if value is None:
        return f"no usable reading ({status}), nothing is counted until there is one"
    return (
        f"{value} is outside 0 … {counter.modulus - 1} (modulus {counter.modulus}), nothing is counted until it is "
        "inside: check modulus and data type"
    )


def _place(signal: SignalId) -> Scope:
    return joined_by(ExceptionKind.ALARM, (str(signal), UNUSABLE), UNUSABLE, "")

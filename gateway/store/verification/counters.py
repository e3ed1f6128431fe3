"""Does each counter go on where its last units ended? One that went back would count them again.

The key of a counter's event (counting.decide.key) says from which value to which it counted, and how many units there
were before: each begins where the one before ended, and the checkpoint stands where the last one did.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gateway.counting.counter import Verdict
from gateway.store.findings import Check, Findings

_KEY = re.compile(r"(.*):(\d+)-(\d+)@(\d+)(?:/.*)?", re.DOTALL)
_COUNTED = """
SELECT e.id, e.device, e.signal, e.key, e.quantity, e.verdict FROM {events} AS e
CROSS JOIN main.checkpoint AS c ON c.device = e.device AND c.signal = e.signal
WHERE e.flag <> 'SETTLED' AND e.verdict IN ({verdicts}) ORDER BY e.id
"""
_VERDICTS = ", ".join(f"'{one}'" for one in Verdict)  # a message's event, of a signal that is none now, has an arrival
_EVENTS = _COUNTED.format(events="event", verdicts=_VERDICTS)
_NEWEST = _COUNTED.format(events="(SELECT * FROM main.event ORDER BY id DESC LIMIT 1000)", verdicts=_VERDICTS)
# A total, which others are only compared with, makes no events; so it has no tally.
_CHECKPOINTS = """
SELECT c.device, c.signal, c.value, c.counted FROM main.checkpoint AS c
JOIN main.tally AS t ON t.device = c.device AND t.signal = c.signal
"""
_BASELINES = "SELECT device, signal, value, epoch FROM main.baseline"
# A restart before which nothing was missed makes no event. What is told of it (counting.outcomes.reset) names the
# reading before.
_RESTARTED = """
SELECT 1 FROM main.exception WHERE kind = 'notice' AND code = 'reset' AND scope_1 = ? AND scope_2 = ?
    AND instr(reason, ?) LIMIT 1
"""

Signal = tuple[str, str]


class End(NamedTuple):
    """What a counter showed, and how many units it had counted."""

    value: int
    counted: int
    epoch: str = ""


class _Range(NamedTuple):
    """What an event counted: from `first`, when `before` units were counted, to `end`."""

    event: int
    signal: Signal
    first: int
    before: int
    end: End
    verdict: str


def counters(connection: sqlite3.Connection, known: Mapping[Signal, End] | None) -> Check:
    """Check events and checkpoints; `known` is where those looked at go on, None: the first at its baseline."""
    findings = Findings("counters")
    counting = _Counting(connection, _baselines(connection) if known is None else known)
    for fault in (*counting.overlaps(_EVENTS), *counting.left_behind()):
        findings.add(fault)
    return findings.check(f"{counting.number} go on where their last event ended")


def gone_back(connection: sqlite3.Connection) -> str:
    """Return which checkpoint doesn't stand where the last of the newest events ended, empty where all do."""
    counting = _Counting(connection, {})
    for _ in counting.overlaps(_NEWEST):
        pass  # what was counted twice already is no reason not to start
    return next(counting.left_behind(), "")


class _Counting:
    """Follows each counter from event to event."""

    def __init__(self, connection: sqlite3.Connection, begin: Mapping[Signal, End]) -> None:
        self._connection = connection
        self._ends = dict(begin)
        self.number = 0

    def overlaps(self, events: str) -> Iterator[str]:
        """Yield each event that doesn't begin where the one before ended."""
        for one in _ranges(self._connection, events):
            before = self._ends.get(one.signal)
            self._ends[one.signal] = one.end
            if before is not None and not self._follows(one, before):
                name = f"{'.'.join(one.signal)}: event {one.event} counts from {one.first} after {one.before} units"
                yield f"{name}, but the one before ended at {before.value} after {before.counted}"

    def left_behind(self) -> Iterator[str]:
        """Yield each checkpoint that doesn't stand where the last event ended."""
        for device, signal, value, counted in self._connection.execute(_CHECKPOINTS):
            self.number += 1
            before = self._ends.get((device, signal))
            if before is not None and not self._goes_on((device, signal), before, int(value), int(counted)):
                stands = f"{device}.{signal}: its checkpoint stands at {value} after {counted} units"
                yield f"{stands}, its last event ended at {before.value} after {before.counted}"

    def _follows(self, one: _Range, before: End) -> bool:
        if one.verdict == Verdict.RESET and before.epoch and before.epoch == one.end.epoch:
            return self._began_again(one.signal, before.value)  # no restart otherwise: nobody has left its epoch
        return self._goes_on(one.signal, before, one.first, one.before)

    def _goes_on(self, signal: Signal, before: End, value: int, counted: int) -> bool:
        if counted != before.counted:  # what came between is deleted; in order, if counted = posted + … (conservation)
            return counted > before.counted
        return value == before.value or (value == 0 and self._began_again(signal, before.value))

    def _began_again(self, signal: Signal, last: int) -> bool:
        told = f"last reading of {last} at"
        return self._connection.execute(_RESTARTED, (*signal, told)).fetchone() is not None


def _baselines(connection: sqlite3.Connection) -> dict[Signal, End]:
    rows = connection.execute(_BASELINES)
    return {(device, signal): End(int(value), 0, epoch or "") for device, signal, value, epoch in rows}


def _ranges(connection: sqlite3.Connection, events: str) -> Iterator[_Range]:
    for number, device, signal, key, quantity, verdict in connection.execute(events):
        if found := _KEY.fullmatch(key):
            first, last, before = map(int, found.groups()[1:])
            end = End(last, before + int(quantity), found[1])
            yield _Range(number, (device, signal), first, before, end, verdict)

"""A fault at each single call that one posting, or one start, makes on the store's files.

A posting's points are counted from its message's arrival at the gateway until the gateway has stored that the ERP
acknowledged it, pushed and pulled: three transactions. A start's, from the process's first line until it is ready.
"""

import asyncio
import random
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from tests.harness.balance import assert_exact
from tests.harness.single import Single
from tests.harness.site import Site
from tests.harness.strace import KILL, Point, Trace, error, injection, traced
from tests.harness.until import until

FAULTS = (KILL, error("ENOSPC"), error("EIO"))
_TRACED = 3  # times without a fault: not every posting touches the same pages
_TRIES = 10  # at a point that a posting didn't reach: some write fewer pages, or two of the three at once
_WITHIN = 60.0  # s for one posting, with its fault and its recovery


class Result(NamedTuple):
    """What came of a fault; one that did not end clean raises instead. `reached`: the point was met."""

    call: str
    fault: str
    reached: bool


class Postings:
    """One posting after the other, each with at most one fault. The gateway runs on, unless it is killed."""

    def __init__(self, site: Site, way: str = "run") -> None:
        self._line = Single(site)
        self._site = site
        self._way = way
        self._log = site.root / "strace.log"
        self._line.gateway.start(way)
        self._line.ready()
        self._posted = 0
        self._post()

    def points(self) -> list[Point]:
        """Return every point of a posting."""
        return _most(self._one("").points(self._site.store.parent) for _ in range(_TRACED))

    def fault(self, point: Point, fault: str) -> bool:
        """Post with that fault, and end clean: exact, and without a restart but for a kill. Tell if it was met."""
        before = self._line.gateway.pid
        trace = self._one(injection(point, fault))

        assert fault == KILL or self._line.gateway.pid == before, f"it ended: {self._line.gateway.output[-3000:]}"
        assert_exact(self._site)
        return trace.injected

    def _one(self, fault: str) -> Trace:
        with self._traced(fault) as trace:
            self._seal()
            until(lambda: self._booked() or trace.injected, within=_WITHIN, what=self._state)
        self._again(trace)
        until(self._booked, within=_WITHIN, what=self._state)
        return trace

    def _post(self) -> None:
        self._seal()
        until(self._booked, within=_WITHIN, what=self._state)

    def _traced(self, fault: str) -> AbstractContextManager[Trace]:
        return traced(self._line.gateway.pid, self._log, fault)

    def _again(self, trace: Trace) -> None:
        if trace.killed:
            self._line.gateway.gone()
            self._line.gateway.start(self._way)
            self._line.ready()

    def _seal(self) -> None:
        self._posted += 1
        asyncio.run(self._line.packer.seal())

    def _booked(self) -> bool:
        return self._line.booked() == self._posted

    def _state(self) -> str:
        return f"{self._line.booked()} of {self._posted}: {self._site.status()}\n{self._line.gateway.output[-3000:]}"


class Starts(Postings):
    """One start after the other, each on what a kill left and with at most one fault, and a posting after it."""

    def _one(self, fault: str) -> Trace:
        self._line.gateway.kill()
        self._line.gateway.start("stopped")
        until(self._is_stopped)
        with self._traced(fault) as trace:
            self._line.gateway.signal(signal.SIGCONT)
            until(lambda: self._site.answers("/readyz") or trace.injected, what=self._state)
        until(lambda: self._site.answers("/readyz") or not self._line.gateway.running, what=self._state)
        if not self._line.gateway.running:  # it may refuse to start on a disk that fails
            self._line.gateway.start(self._way)
        self._line.ready()
        self._post()
        return trace

    def fault(self, point: Point, fault: str) -> bool:
        """Start with that fault, once more if it ended, and post: exact."""
        trace = self._one(injection(point, fault))

        assert_exact(self._site)
        return trace.injected

    def _is_stopped(self) -> bool:
        return "\nState:\tT" in Path(f"/proc/{self._line.gateway.pid}/status").read_text("utf-8")


def _most(runs: Iterable[set[Point]]) -> list[Point]:
    return sorted(set().union(*runs))


def sample(points: list[Point], chance: random.Random, most: int) -> list[Point]:
    """Return at most so many points of each call, chosen at random."""
    groups = (list(group) for _, group in groupby(points, key=itemgetter(0)))
    return [point for each in groups for point in sorted(chance.sample(each, min(most, len(each))))]


def inject(one: Postings, points: list[Point]) -> Iterator[Result]:
    """Make every fault at every point; yield each result; AssertionError where one doesn't end clean."""
    for point in points:
        for fault in FAULTS:
            with _named(point, fault):
                reached = any(one.fault(point, fault) for _ in range(_TRIES))
            yield Result(point.call, fault, reached)


@contextmanager
def _named(point: Point, fault: str) -> Iterator[None]:
    try:
        yield
    except AssertionError as error_:
        raise AssertionError(f"{fault} at {point.call} number {point.number}: {error_}") from error_


SUBJECTS: dict[str, Callable[[Site], Postings]] = {
    "a posting": Postings,
    "a posting with a checkpoint of the WAL": lambda site: Postings(site, "checkpoint-each"),
    "a start after a kill": Starts,
}

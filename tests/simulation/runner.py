"""Plays schedules from seeds until the time is up or one of them fails; that one becomes as short as it gets."""

import logging
import re
import tempfile
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.drain import drain
from tests.simulation.schedule import EACH_DRAIN, Step, draw, shrink
from tests.simulation.truth import Violation
from tests.simulation.world import World

_NUMBERS = re.compile(r"-?\d+(\.\d+)?")
_THOROUGH = 4  # every so many seeds the store verifies itself
_SAME = 60  # characters
_MEMORY = Path("/dev/shm")  # a store that nobody keeps needs no disk


@dataclass(frozen=True, slots=True)
class Failure:
    """A promise that was broken: the seed, the shortest schedule that still breaks it, and what was broken."""

    seed: int
    steps: tuple[Step, ...]
    what: str


def _silent(what: str) -> None:
    """Tell nobody."""


def play(steps: Sequence[Step], *, thorough: bool = True) -> str:
    """Play a schedule in a new world and drain it; return what was broken, empty where nothing was.

    `thorough`: at the end the store has to prove itself, too.
    """
    with _world() as world:
        try:
            for number, (name, *numbers) in enumerate(steps, 1):
                getattr(world, name)(*numbers)
                if number % EACH_DRAIN == 0 and number < len(steps):
                    drain(world, thorough=False)
            drain(world, thorough=thorough)
        except Violation as broken:
            return str(broken)
    return ""


def search(seed: int, steps: int, shrinking: Callable[[str], None] = _silent) -> Failure | None:
    """Play that seed's schedule; return its failure, shrunk. `shrinking` hears of a failure before that."""
    schedule = draw(seed, steps)
    thorough = seed % _THOROUGH == 0
    if not (what := play(schedule, thorough=thorough)):
        return None
    shrinking(what)
    short = shrink(schedule, lambda fewer: _alike(play(fewer, thorough=thorough), what))
    return Failure(seed, tuple(short), play(short, thorough=thorough))


def fingerprint(seed: int, steps: int) -> str:
    """Play that seed's schedule; return the hash at the end of the store's chain, which says all that was posted."""
    with _world() as world:
        for name, *numbers in draw(seed, steps):
            getattr(world, name)(*numbers)
        drain(world, thorough=True)
        return world.process.pipeline.writer.state.head.hash.hex()


def _alike(one: str, other: str) -> bool:
    """Tell whether two failures are of one kind: they begin alike but for their numbers."""
    return _NUMBERS.sub("#", one)[:_SAME] == _NUMBERS.sub("#", other)[:_SAME]


@contextmanager
def _world():
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # every fault is logged, and there are thousands
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        world = World(Path(folder))
        try:
            yield world
        finally:
            world.close()
            logging.disable(level)

"""A schedule is data: steps with small numbers, drawn from a seed, each of which fits in any situation."""

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

Step = tuple  # the name of one of World's methods, and its numbers

EACH_DRAIN = 1000  # steps


class Action(NamedTuple):
    """A step as it is drawn: how often, beside the others, and the ranges of its numbers."""

    often: int
    name: str
    ranges: tuple[tuple[int, int], ...] = ()


_MACHINE, _SOURCE = (0, 2), (0, 1)
ACTIONS = (
    Action(280, "make", (_MACHINE, (0, 2), (1, 6))),
    Action(170, "poll", (_MACHINE,)),
    Action(110, "publish", (_SOURCE, (1, 500))),
    Action(70, "deliver", (_SOURCE, (1, 8))),
    Action(50, "run"),
    Action(18, "answer", ((0, 0),)),
    Action(9, "answer", ((0, 7),)),
    Action(8, "pull", ((1, 20),)),
    Action(5, "pull_again", ((0, 50),)),
    Action(5, "acknowledge"),
    Action(6, "stage", ((0, 4), (1, 200), (0, 3))),
    Action(2, "ask_again"),
    Action(4, "start_order", ((0, 2),)),
    Action(5, "name_order", ((0, 3),)),
    Action(2, "reload"),
    Action(2, "wait", ((5, 40),)),
    # --- faults ---
    Action(2, "crash"),
    Action(1, "reboot", ((1, 300),)),
    Action(6, "break_commits", ((0, 5), (0, 3), (1, 3))),
    Action(1, "break_acknowledgement", ((0, 1),)),
    Action(3, "set_clock", ((0, 3),)),
    Action(6, "tear", (_MACHINE,)),
    Action(6, "poll_bad", (_MACHINE,)),
    Action(14, "delay"),
    Action(14, "arrive", ((0, 1),)),
    Action(4, "link", (_MACHINE,)),
    Action(2, "outage", ((1, 200),)),
    Action(2, "restart_machine", (_MACHINE,)),
    Action(1, "swap_machine", (_MACHINE, (0, 70_000))),
    Action(2, "stick", (_MACHINE,)),
    Action(4, "unstick", (_MACHINE,)),
    Action(4, "publish_garbage", (_SOURCE,)),
    Action(1, "flood", (_SOURCE, (10, 60))),
    Action(12, "deliver_again", (_SOURCE, (0, 20))),
    Action(10, "reorder", (_SOURCE,)),
    Action(5, "lose", (_SOURCE, (1, 4))),
    Action(5, "disconnect", (_SOURCE,)),
    Action(3, "prune", ((0, 20),)),
)


def draw(seed: int, steps: int) -> list[Step]:
    """Return that seed's schedule."""
    random = Random(seed)
    chosen = random.choices(ACTIONS, [one.often for one in ACTIONS], k=steps)
    return [(one.name, *(random.randint(*ends) for ends in one.ranges)) for one in chosen]


def shrink(steps: Sequence[Step], fails: Callable[[Sequence[Step]], bool]) -> list[Step]:
    """Return a schedule that still fails and of which no step can be left out (delta debugging)."""
    found, size = list(steps), max(1, len(steps) // 2)
    while True:
        before = len(found)
        at = 0
        while at < len(found):
            fewer = found[:at] + found[at + size :]
            if fails(fewer):
                found = fewer
            else:
                at += size
        if size == 1 and len(found) == before:
            return found
        size = max(1, size // 2)

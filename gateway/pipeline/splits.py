"""What a line worked on while nobody was looking, and how the units of that time divide between its orders."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from gateway.counting.counter import Checkpoint, Counter, Decision, GapPolicy
from gateway.counting.outcomes import hold_for_split
from gateway.pipeline.model import Point
from gateway.pipeline.working_copy import WorkingCopy

_MICROSECOND = timedelta(microseconds=1)


class Stretch(NamedTuple):
    """The line worked on `order` (empty: on none) from `begin` to `end`."""

    order: str
    begin: datetime
    end: datetime


class Share(NamedTuple):
    """Whole units of an order, made until `at`."""

    quantity: int
    order: str
    at: datetime


def judged(
    work: WorkingCopy, point: Point, counter: Counter, before: Checkpoint | None, decision: Decision
) -> Decision:
    """Hold a catch-up over a gap in which the line's order changed as far as anybody told.

    Where the device reports the order with the count, that one counts, unless the counter's policy is to split.
    """
    after = decision.checkpoint
    if decision.since is None or not decision.delta or before is None or after is None or point.rule is None:
        return decision
    if counter.gap is not GapPolicy.SPLIT and point.order_signal is not None:
        return decision
    ran = stretches(work, point.line, decision.since, after.seen.wall)
    if not changed(ran):
        return decision
    return hold_for_split(decision, decision.since, after.seen.wall, [one.order for one in ran if one.order])


def changed(ran: Sequence[Stretch]) -> bool:
    """Tell whether it was more than one order; a time without any divides no units."""
    return len({one.order for one in ran if one.order}) > 1


def stretches(work: WorkingCopy, line: str, begin: datetime, end: datetime) -> list[Stretch]:
    """Return what the line worked on from `begin` to `end`, as it was started there by command or by an event."""
    changes = [one for one in work.line_state(line).orders if begin < one.since < end]
    orders = [work.active_order(line, begin) or "", *(one.order for one in changes)]
    bounds = [begin, *(one.since for one in changes), end]
    return [Stretch(*one) for one in zip(orders, bounds, bounds[1:], strict=False) if one[1] < one[2]]


def proposal(units: int, ran: Sequence[Stretch], *, first: str | None, last: str | None) -> list[Share]:
    """Divide the units by time, in whole ones, by the largest remainder; nothing was made while there was no order.

    Empty where the time of the change isn't known: the stretches don't begin with the order `first` and end with
    `last`, as the device says they did.
    """
    made = [one for one in ran if one.order]
    if not changed(made) or first not in (None, made[0].order) or last not in (None, made[-1].order):
        return []
    lasted = [(one.end - one.begin) // _MICROSECOND for one in made]
    whole = sum(lasted)
    shares = [divmod(units * one, whole) for one in lasted]
    rest = units - sum(share for share, _ in shares)
    largest = sorted(range(len(made)), key=lambda index: -shares[index][1])[:rest]  # of equal ones the earliest
    divided = [share + (index in largest) for index, (share, _) in enumerate(shares)]
    return [Share(part, one.order, one.end) for part, one in zip(divided, made, strict=True) if part]

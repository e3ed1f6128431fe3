"""What a row of the decision table amounts to once it is believed: units booked or held, and the new checkpoint."""

from collections.abc import Sequence
from datetime import datetime

from gateway.counting.comparison import Comparison
from gateway.counting.counter import SECOND, Checkpoint, Decision, GapPolicy, Held, Verdict
from gateway.domain.clock import rfc3339

_MOST_CANDIDATES = 4
_SPLIT = "split the units between them."
_OTHER_MODULUS = (
    "The counter showed {c.p} and shows {c.n}: with a modulus of {c.counter.modulus} that is no unit, or whole rounds. "
    "The modulus was changed since."
)


def reset(c: Comparison) -> Decision:
    """Row 4: what the new epoch shows was made for sure, what was made before the restart nobody saw."""
    unknown = "an unknown number of" if c.elapsed is None else f"0 … {c.cap - c.n}"
    notice = (
        f"{_restarted(c)} and the counter began again. The {c.n} units it shows are counted; {unknown} units made "
        f"before the restart, after the last reading of {c.p} at {_last_seen(c)}, are not."
    )
    return _book(c, Verdict.RESET, c.n)._replace(notice=notice)


def swapped(c: Comparison) -> Decision:
    """Row 5."""
    likely = c.fwd if c.fwd <= c.cap else 0  # it fits if the counter kept its value after all
    reason = (
        f"{_restarted(c)} and the counter shows {c.n}, more than {_possible(c)}: "
        "the device was swapped, its counter preset, or it keeps its value through a restart (retentive)."
    )
    return _hold(c, Verdict.SWAPPED, reason, likely, 0, c.n)


def multiwrap(c: Comparison) -> Decision:
    """Row 6."""
    modulus = c.counter.modulus
    known_for = "an unknown time" if c.elapsed is None else f"up to {c.elapsed // SECOND} s"
    reason = (
        f"There was no believable reading for {known_for} after {_last_seen(c)}; the counter begins again every "
        f"{modulus} units and may have done so more than once. It showed {c.p}, now {c.n}."
    )
    most = _MOST_CANDIDATES * modulus if c.elapsed is None else c.cap
    laps = range(c.fwd, most + 1, modulus)
    return _hold(c, Verdict.MULTIWRAP, reason, *laps[:_MOST_CANDIDATES])


def idle(c: Comparison) -> Decision:
    """Row 7: the unchanged value is known to be true later than before. Time that passes pays off the slack."""
    if c.n != c.p:
        return _hold(c, Verdict.IMPLAUSIBLE, _OTHER_MODULUS.format(c=c), 0)
    slack = max(0, c.checkpoint.slack - (c.elapsed or 0))
    return Decision(Verdict.IDLE, 0, _moved(c, 0, slack))


def ambiguous(c: Comparison) -> Decision:
    """Row 8."""
    reason = (
        f"The counter went from {c.p} to {c.n}: it made a whole round of {c.fwd} units since {_last_seen(c)}, "
        "or it was set back, or it began again. Without a boot id beside the counter nobody can tell."
    )
    return _hold(c, Verdict.AMBIGUOUS, reason, c.fwd, 0, c.n)


def count(c: Comparison) -> Decision:
    """Row 9."""
    return _book(c, Verdict.COUNT, c.fwd)


def rollover(c: Comparison) -> Decision:
    """Row 10."""
    return _book(c, Verdict.ROLLOVER, c.fwd)


def rollover_inferred(c: Comparison) -> Decision:
    """Row 11."""
    if not c.counter.strict:
        return _book(c, Verdict.ROLLOVER_INFERRED, c.fwd)
    reason = (
        f"The counter went from {c.p} to {c.n}: it rolled over at {c.counter.modulus}, or it began again. "
        "This counter is strict, and there is no boot id that tells which."
    )
    return _hold(c, Verdict.ROLLOVER_INFERRED, reason, c.fwd, c.n)


def went_back(c: Comparison) -> Decision:
    """Row 12, persistent."""
    reason = f"The counter went back from {c.p} to {c.n} and stays there: it was corrected or preset at the machine."
    candidates = (0,) if c.same else (0, c.n)
    return _hold(c, Verdict.IMPLAUSIBLE, reason, *candidates)


def possible_reset(c: Comparison) -> Decision:
    """Row 13."""
    reason = (
        f"The counter went from {c.p} to {c.n}, which is no rollover: that would be {c.fwd} units, more than "
        f"{_possible(c)}. It probably began again at 0; there is no boot id that tells."
    )
    return _hold(c, Verdict.POSSIBLE_RESET, reason, c.n, 0)


def implausible(c: Comparison) -> Decision:
    """Row 14: a step too far forward was rather made, if it isn't more than half a lap; a fall rather not."""
    if c.n < c.p and c.fwd > c.back:
        return _fallen(c)
    too_many = f"are more than {_possible(c)}" if c.fwd > c.cap else "were more than possible when they were first seen"
    reason = (
        f"The counter went from {c.p} to {c.n}, two readings agree: {c.fwd} units {too_many}. "
        "The counter was preset, the device swapped, the value stood still while the machine ran, or max_rate is set "
        "too low."
    )
    return _hold(c, Verdict.IMPLAUSIBLE, reason, *((c.fwd, 0) if c.fwd <= c.back else (0, c.fwd)))


def _fallen(c: Comparison) -> Decision:
    reason = (
        f"The counter fell from {c.p} to {c.n}, two readings agree: it was preset at the machine, or the device "
        f"swapped. What it made since the last reading of {c.p} at {_last_seen(c)} it doesn't show."
    )
    return _hold(c, Verdict.IMPLAUSIBLE, reason, *((0, c.n) if 0 < c.n <= c.cap else (0,)))


def set_back(c: Comparison, first: int) -> Decision:
    """Row 13 or 14, overtaken: readings from `first` on agreed with one another until they passed the checkpoint."""
    reason = (
        f"The counter went back from {c.p} to {first} or below and counted on from there, past {c.p} to {c.n}: it was "
        f"set back at the machine while it ran. {c.n - first} units were counted since, for sure; what was made "
        f"between the last reading of {c.p} at {_last_seen(c)} and {first} nobody saw."
    )
    return _hold(c, Verdict.IMPLAUSIBLE, reason, c.n - first, c.fwd)


def hold_for_split(decision: Decision, begin: datetime, end: datetime, orders: Sequence[str]) -> Decision:
    """Return a catch-up over a gap held instead of booked: the line worked on these orders, one after the other."""
    ran = f"the line worked on orders {', '.join(orders)}"
    held = Held(decision.delta, (decision.delta,), f"{_nobody_looked(begin, end)}, and {ran} meanwhile: {_SPLIT}")
    return decision._replace(verdict=Verdict.GAP_HELD, delta=0, held=held)


def hold_restored(decision: Decision, doubt: str) -> Decision:
    """Return the first units after a restore held: some, all or none of them may have been booked before it."""
    held = decision.held or Held(decision.delta, (decision.delta,), "")
    candidates = tuple(dict.fromkeys((*held.candidates, 0)))
    reason = f"{doubt} {held.reason}".rstrip()
    return decision._replace(verdict=Verdict.RESTORED, delta=0, held=Held(held.quantity, candidates, reason))


def _book(c: Comparison, verdict: Verdict, delta: int) -> Decision:
    moved = _moved(c, delta, _spare(c, delta))
    if not delta or not _in_gap(c):
        return Decision(verdict, delta, moved)
    since = min(c.checkpoint.seen.wall, c.reading.at.wall)
    reason = _gap_reason(c)
    if not reason:
        return Decision(verdict, delta, moved, since=since)
    return Decision(Verdict.GAP_HELD, 0, moved, Held(delta, (delta,), reason), since=since)


def _hold(c: Comparison, verdict: Verdict, reason: str, *candidates: int) -> Decision:
    # Nothing is known of how late this reading came, so the next one may show units made before it.
    moved = _moved(c, candidates[0], c.counter.slack)
    since = min(c.checkpoint.seen.wall, c.reading.at.wall) if _in_gap(c) else None
    return Decision(verdict, 0, moved, Held(candidates[0], tuple(dict.fromkeys(candidates)), reason), since=since)


def _moved(c: Comparison, units: int, slack: int) -> Checkpoint:
    reading, before = c.reading, c.checkpoint
    order = reading.order or before.order
    slack = max(slack, reading.at.late)  # it may have waited while the gateway stood still
    return Checkpoint(c.n, c.epoch, reading.at, reading.source_time, order, before.counted + units, None, slack)


def _spare(c: Comparison, delta: int) -> int:
    """Return the ns that the delta didn't need: the reading may have come that late, but not later than `slack`."""
    counter = c.counter
    if c.elapsed is None:
        return counter.slack
    spare = c.elapsed + c.checkpoint.slack - delta * counter.period // counter.units
    return 0 if spare <= 0 else min(spare, counter.slack)


def _in_gap(c: Comparison) -> bool:
    """Whether so much time passed that nobody was looking."""
    return c.elapsed is None or c.elapsed > c.counter.gap_after * SECOND


def _gap_reason(c: Comparison) -> str:
    before, now = c.checkpoint.order, c.reading.order
    unwatched = _nobody_looked(c.checkpoint.seen.wall, c.reading.at.wall)
    if before and now and before != now:
        return f"{unwatched}, and the order went from {before} to {now} meanwhile: {_SPLIT}"
    if c.counter.gap is GapPolicy.HOLD:
        return f"{unwatched}; what this counter made in a gap is held (gap: hold)."
    return ""


def _nobody_looked(begin: datetime, end: datetime) -> str:
    return f"Nobody was looking from {rfc3339(begin)} to {rfc3339(end)}"


def _restarted(c: Comparison) -> str:
    return f"The boot id changed from {c.checkpoint.epoch} to {c.epoch}"


def _possible(c: Comparison) -> str:
    return f"the {c.cap} that are possible at max_rate {c.counter.max_rate}/s since {_last_seen(c)}"


def _last_seen(c: Comparison) -> str:
    return rfc3339(c.checkpoint.seen.wall)

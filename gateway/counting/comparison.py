"""A reading beside the last believed one, in the terms of the decision table: p, n, fwd, back, cap, epoch."""

from datetime import timedelta
from typing import NamedTuple

from gateway.counting.counter import SECOND, Checkpoint, Counter, Reading
from gateway.domain.clock import Instant

CLOCK_MARGIN = 60 * SECOND  # by how much the wall clock may have been set between two boots
_ZERO = timedelta(0)


class Comparison(NamedTuple):
    """Everything the rows look at.

    `cap` is the most that can have been made; `elapsed` (ns, an upper bound) is None where nobody can tell, and
    then `cap` is the whole modulus. `same` and `changed` speak of the epoch; both are False where it is unknown.
    `older` and `newer` compare the device's own timestamps; both are False where these say nothing.
    """

    counter: Counter
    checkpoint: Checkpoint
    reading: Reading
    p: int
    n: int
    fwd: int
    back: int
    elapsed: int | None
    cap: int
    epoch: str | None
    same: bool
    changed: bool
    older: bool
    newer: bool


def compare(counter: Counter, checkpoint: Checkpoint, reading: Reading, n: int) -> Comparison:
    """Return the reading's value `n` compared with the checkpoint's."""
    p, modulus = checkpoint.value, counter.modulus
    fwd = (n - p) % modulus
    elapsed = elapsed_upper_bound(checkpoint.seen, reading.at)
    cap = modulus if elapsed is None else most_units(counter, elapsed + checkpoint.slack)
    epoch = reading.epoch if counter.has_epoch else None
    known = epoch is not None and checkpoint.epoch is not None
    same = known and epoch == checkpoint.epoch
    changed = known and not same and not counter.retentive
    then, now = checkpoint.source_time, reading.source_time
    older, newer = (now < then, now > then) if now is not None and then is not None else (False, False)
    back = (p - n) % modulus
    return Comparison(
        counter, checkpoint, reading, p, n, fwd, back, elapsed, cap, epoch, same, changed, older, newer
    )  # fmt: skip


def most_units(counter: Counter, ns: int) -> int:
    """Return the most units that can show up within `ns`."""
    return ns * counter.units // counter.period + counter.burst


def elapsed_upper_bound(seen: Instant, at: Instant) -> int | None:
    """Return the most ns that lie between two moments.

    None where nobody can tell: another boot, and the wall clock went back meanwhile.
    """
    if seen.boot == at.boot:
        return max(0, at.boottime - seen.boottime)
    passed = at.wall - seen.wall
    return None if passed < _ZERO else passed // timedelta(microseconds=1) * 1000 + CLOCK_MARGIN

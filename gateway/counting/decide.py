"""The decision table of counters: counter, checkpoint and reading in, units and a new checkpoint out. Pure.

Units are booked at first sight only where a mistake is hardly possible (rows 7, 9, 10). Everything else wants a
second reading that agrees, since a torn reading agrees with nothing; and where the device's timestamps don't
prove that the reading is newer than the checkpoint, a little time between the two, since old readings come in
bursts. Until then the checkpoint keeps its value and its time, so waiting loses nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from gateway.counting import outcomes
from gateway.counting.comparison import Comparison, compare, most_units
from gateway.counting.counter import SECOND, Checkpoint, Counter, Decision, Reading, Suspect, Verdict
from gateway.domain.clock import rfc3339

PERSISTENT = 3  # consecutive readings
SETTLING = 2 * SECOND  # ns for which old readings may still come in
ERRATIC = 10  # doubtful readings in a row, no two of which agree, that a person should know of
OLDER, LAPPED, UNCHANGED, JUMPED = 3, 6, 7, 14  # row numbers
REFUTED = 0  # in the place of a suspect's row
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


class Row(NamedTuple):
    """`reads`: how many consecutive readings it takes to believe the outcome."""

    number: int
    applies: Callable[[Comparison], bool]
    outcome: Callable[[Comparison], Decision]
    reads: int


# Rows 1 (quality), 2 (no checkpoint) and 3 (older by the device's clock) stand in `decide`. Names: see Comparison.
TABLE = (
    Row(4, lambda c: c.changed and c.n <= c.cap, outcomes.reset, 2),
    Row(5, lambda c: c.changed, outcomes.swapped, 2),
    Row(LAPPED, lambda c: c.cap >= c.counter.modulus, outcomes.multiwrap, 2),
    Row(UNCHANGED, lambda c: c.fwd == 0, outcomes.idle, 1),
    Row(8, lambda c: c.fwd <= c.cap and not c.same and c.back <= c.counter.jitter, outcomes.ambiguous, 2),
    Row(9, lambda c: c.fwd <= c.cap and c.n >= c.p, outcomes.count, 1),
    Row(10, lambda c: c.fwd <= c.cap and c.same, outcomes.rollover, 1),
    Row(11, lambda c: c.fwd <= c.cap, outcomes.rollover_inferred, 2),  # epoch unknown
    Row(12, lambda c: c.back <= c.counter.jitter, outcomes.went_back, PERSISTENT),
    Row(13, lambda c: c.n < c.p and c.n <= c.cap and not c.same, outcomes.possible_reset, 2),
)
OTHERWISE = Row(JUMPED, lambda _: True, outcomes.implausible, 2)
BY_NUMBER = {row.number: row for row in (*TABLE, OTHERWISE)}
STALE_ROWS = (OLDER, 12)
SET_BACK_ROWS = (13, JUMPED)


def decide(counter: Counter, checkpoint: Checkpoint | None, reading: Reading) -> Decision:
    """Judge one reading of a counter against the last believed one."""
    decision = _decide(counter, checkpoint, reading)
    if checkpoint is not None and checkpoint.doubt and (decision.delta or decision.held):
        return outcomes.hold_restored(decision, checkpoint.doubt)
    return decision


def _decide(counter: Counter, checkpoint: Checkpoint | None, reading: Reading) -> Decision:
    value = reading.value
    if value is None or not 0 <= value < counter.modulus:  # row 1: the next good reading catches up
        return Decision(Verdict.BAD_QUALITY, 0, checkpoint)
    if checkpoint is None:  # row 2; nobody knows how late this reading came
        epoch = reading.epoch if counter.has_epoch else None
        baseline = Checkpoint(value, epoch, reading.at, reading.source_time, reading.order, slack=counter.slack)
        return Decision(Verdict.BASELINE, 0, baseline)
    facts = compare(counter, checkpoint, reading, value)
    # Row 3 also where the epoch changed: an old reading from before a restart would be a second reset. Equal
    # timestamps prove nothing, devices stamp by the second.
    if facts.older:
        return _judge_older(facts)
    row = _first_row(facts)
    if checkpoint.suspect is None and _plausible(facts, row):
        return row.outcome(facts)
    return _judge(facts, row)


def key(before: Checkpoint | None, decision: Decision) -> str:
    """Return the idempotency key of the decision's units, e.g. `7:65530-12@4711`; empty where there can't be any.

    That is the new epoch, the counter's range and all units counted before. The last grows with every unit, so no
    key comes twice in a counter's life; a hold that likely contains no unit has the time of its reading as well.
    """
    after = decision.checkpoint
    if before is None or after is None:
        return ""
    found = f"{after.epoch or ''}:{before.value}-{after.value}@{before.counted}"
    return found if after.counted > before.counted else f"{found}/{rfc3339(after.seen.wall)}"


def refresh_due(counter: Counter, stored: Checkpoint, current: Checkpoint) -> bool:
    """Tell whether a checkpoint that only IDLE readings moved has to be written now.

    Before an unwritten hour could look like an outage longer than the counter can tell; at once where more than
    the time changed.
    """
    if (stored.epoch, stored.order, stored.seen.boot, stored.doubt) != (
        current.epoch,
        current.order,
        current.seen.boot,
        current.doubt,
    ) or stored.suspect:
        return True
    return current.seen.boottime - stored.seen.boottime >= counter.refresh


def _first_row(facts: Comparison) -> Row:
    for row in TABLE:
        if row.applies(facts):
            return row
    return OTHERWISE


def _plausible(facts: Comparison, row: Row) -> bool:
    """Whether one reading is enough: no old and no torn one could look like this."""
    return row.reads == 1 and facts.fwd <= facts.counter.half and facts.cap < facts.counter.tear


def _judge_older(facts: Comparison) -> Decision:
    """Row 3. Old readings end soon; if they don't, the device's clock was set back and says nothing this time."""
    suspect = _agreeing(facts, OLDER)
    if not suspect or suspect.reads + 1 < PERSISTENT or not _settled(facts, suspect):
        return _doubt(facts, OLDER, PERSISTENT, suspect)
    decision = _first_row(facts).outcome(facts)
    notice = (
        f"The device's clock went back from {facts.checkpoint.source_time} to {facts.reading.source_time}; "
        "its timestamps were ignored this once and counting goes on."
    )
    return decision._replace(notice=f"{notice} {decision.notice}".strip())


def _judge(facts: Comparison, row: Row) -> Decision:
    refuted = facts.checkpoint.suspect
    if row.number == UNCHANGED and refuted and _perhaps_older_than(refuted, facts):
        # The unchanged value refutes the suspect, but doesn't tell that nothing was made: the time stays, too.
        checkpoint = facts.checkpoint._replace(suspect=replace(refuted, row=REFUTED, reads=0))
        return Decision(Verdict.IDLE, 0, checkpoint)
    if refuted and _overtook(refuted, facts):
        return outcomes.set_back(facts, refuted.first)
    suspect = _agreeing(facts, row.number)
    if _plausible(facts, row) and not (suspect and suspect.row == JUMPED):
        return row.outcome(facts)
    if suspect and row.number != LAPPED:  # time makes a jump no more plausible than it was at first sight
        row = BY_NUMBER[max(row.number, suspect.row)]
    reads = max(row.reads, 2)
    if suspect and suspect.reads + 1 >= reads and _settled(facts, suspect):
        return row.outcome(facts)
    return _doubt(facts, row.number, reads, suspect)


def _agreeing(facts: Comparison, row: int) -> Suspect | None:
    """Return the suspect if this reading can follow it: it lies on the way, and no further than is possible."""
    suspect, at, counter = facts.checkpoint.suspect, facts.reading.at, facts.counter
    if suspect is None or suspect.row == REFUTED or (suspect.row == OLDER) != (row == OLDER):
        return None
    if (suspect.epoch, suspect.boot) != (facts.epoch, at.boot):
        return None
    possible = most_units(counter, at.boottime - suspect.at + counter.slack)
    if possible >= counter.tear and row != LAPPED:
        return None  # too long ago: everything would agree
    ahead = (suspect.value - facts.p) % counter.modulus
    return suspect if ahead <= facts.fwd <= ahead + possible else None


def _overtook(suspect: Suspect, facts: Comparison) -> bool:
    """Whether a counter that was seen lower, and going up from there, went past the last believed value.

    It looks like a few units more than that, but several were made below it. Old readings come in bursts, faster
    than a counter counts. With timestamps the second reading below was surely a new one and is held by itself.
    """
    at, counter = facts.reading.at, facts.counter
    if suspect.row not in SET_BACK_ROWS or facts.reading.source_time is not None:
        return False
    if (suspect.epoch, suspect.boot) != (facts.epoch, at.boot):
        return False
    rising = suspect.first < suspect.value < facts.p < facts.n
    return (
        rising
        and _can_count(counter, suspect)
        and facts.n - suspect.value <= most_units(counter, at.boottime - suspect.at)
    )


def _can_count(counter: Counter, suspect: Suspect) -> bool:
    return suspect.value - suspect.first <= most_units(counter, suspect.at - suspect.since)


def _perhaps_older_than(suspect: Suspect, facts: Comparison) -> bool:
    at = facts.reading.at
    return suspect.boot == at.boot and at.boottime - suspect.at < SETTLING


def _settled(facts: Comparison, suspect: Suspect) -> bool:
    """Whether this reading is surely a new one: the device's clock says so, or old ones would have ended by now."""
    if facts.newer and _stamp(facts.reading) >= suspect.stamp:
        return True
    return facts.reading.at.boottime - suspect.since >= SETTLING


def _stamp(reading: Reading) -> int:
    return (reading.source_time - _EPOCH) // _MICROSECOND if reading.source_time else 0


def _doubt(facts: Comparison, row: int, wanted: int, agreeing: Suspect | None) -> Decision:
    """Keep the reading as the suspect; the checkpoint's value and time stay."""
    before, at = facts.checkpoint.suspect, facts.reading.at
    reads = before.reads + 1 if before else 1
    since = agreeing.since if agreeing else at.boottime
    stamp = max(_stamp(facts.reading), before.stamp if before else 0)
    first = agreeing.first if agreeing else facts.n
    suspect = Suspect(facts.n, facts.epoch, reads, row, at.boot, since, at.boottime, stamp, first)
    notice = ""
    if reads == ERRATIC and not agreeing:
        notice = (
            f"{reads} readings in a row fit neither the last believed {facts.p} nor one another, the last is "
            f"{facts.n}: check the address, data type and byte order, and who else writes there."
        )
    verdict = Verdict.STALE if row in STALE_ROWS else Verdict.SUSPECT
    checkpoint = facts.checkpoint._replace(suspect=suspect)
    return Decision(verdict, 0, checkpoint, notice=notice, read_again=not agreeing or reads < wanted)

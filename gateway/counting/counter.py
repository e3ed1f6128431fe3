"""What is configured of a counter, what is remembered of it, and what one reading can turn out to be."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from gateway.domain.clock import Instant

SECOND = 1_000_000_000  # ns
_LONGEST_REFRESH = 60 * SECOND
_LONGEST_SLACK = 5 * SECOND
_WORD = 1 << 16  # a counter of more than one register can be read torn, one of its words a carry behind


class Counts(StrEnum):
    """What a counter counts; a total consumes nothing, it is a cross-check."""

    GOOD = "good"
    SCRAP = "scrap"
    REWORK = "rework"
    TOTAL = "total"


class GapPolicy(StrEnum):
    """What becomes of the units counted while nobody was looking.

    POST books them at once, unless the order they were made for changed meanwhile. SPLIT does so only where the line
    worked on one order all the time, whatever the device itself says before and after. HOLD never does.
    """

    POST = "post"
    HOLD = "hold"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter as configured. It shows values in [0, modulus); faster than `max_rate` it is not believed."""

    counts: Counts
    modulus: int
    max_rate: Decimal  # units a second, the nameplate speed
    burst: int = 2  # units that may come at once on top of max_rate × Δt
    jitter: int = 2  # a reading this far back may be an old one
    retentive: bool = False  # keeps its value through a restart of the PLC
    has_epoch: bool = False  # the device reports a boot id beside it
    strict: bool = False  # hold an inferred rollover instead of flagging it
    gap: GapPolicy = GapPolicy.POST
    gap_after: int = 30  # seconds without a good reading that make a gap

    # The same in integers, reckoned once: judging a reading has to be quick and exact.
    units: int = field(init=False, repr=False, compare=False)  # `units` are made in `period` ns at max_rate
    period: int = field(init=False, repr=False, compare=False)
    refresh: int = field(init=False, repr=False, compare=False)  # ns an idle checkpoint may stay unwritten
    slack: int = field(init=False, repr=False, compare=False)  # ns a reading may come late
    half: int = field(init=False, repr=False, compare=False)  # units; a step beyond may also be one back
    tear: int = field(init=False, repr=False, compare=False)  # units by which a torn reading is wrong, at least

    def __post_init__(self) -> None:
        if self.modulus < 2 or self.max_rate <= 0:  # noqa: PLR2004 - a counter shows two values at least
            raise ValueError(f"a counter needs modulus ≥ 2 and max_rate > 0, not {self.modulus} and {self.max_rate}")
        units, seconds = self.max_rate.as_integer_ratio()
        tenth_of_a_lap = self.modulus * seconds * SECOND // units // 10
        derived = {
            "units": units,
            "period": seconds * SECOND,
            "refresh": min(_LONGEST_REFRESH, tenth_of_a_lap),
            "slack": min(_LONGEST_SLACK, tenth_of_a_lap),
            "half": self.modulus // 2,
            "tear": min(self.modulus, _WORD - 1),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    @property
    def is_total(self) -> bool:
        """Whether it counts good and scrap together: a cross-check that consumes nothing."""
        return self.counts is Counts.TOTAL


class Reading(NamedTuple):  # a tuple, like the checkpoint it becomes: made at each poll
    """One reading of a counter. `value` None: the quality was not Good (or NaN, or no number)."""

    value: int | None
    at: Instant
    epoch: str | None = None
    source_time: datetime | None = None
    order: str | None = None  # what the device itself says it works on


@dataclass(frozen=True, slots=True)
class Suspect:
    """A doubtful value, kept beside the checkpoint until the next readings agree with it or refute it.

    `row` is the row of the decision table that doubts it, `reads` how many readings in a row were doubtful. `since`
    is the first of those that agree, `at` the last, by the boottime (ns) of `boot`; `first` is what that first one
    showed. `stamp` is the newest time that the device gave to any of them (µs since 1970, 0 for none).
    """

    value: int
    epoch: str | None
    reads: int
    row: int
    boot: str
    since: int
    at: int
    stamp: int = 0
    first: int = 0


class Checkpoint(NamedTuple):
    """The last believed reading; `counted` is every unit since commissioning, held ones included.

    It never becomes less, whatever a person says that a held segment really was: keys are made of it. What a total
    holds is in no event, so its count grows by one even where no unit is held: the move is told from a change by that.

    `seen` is the moment of the last Good reading that was believed, an unchanged one included: from then on units
    may have been made that `value` doesn't show. `slack` (ns) is time before `seen` that the counted units didn't
    need: a reading that came late, or in a burst, shows units made in it. `doubt` is a sentence where the checkpoint
    comes from a backup: what was made since may be booked already. Empty for one that goes on as it was.
    """

    value: int
    epoch: str | None
    seen: Instant
    source_time: datetime | None = None
    order: str | None = None
    counted: int = 0
    suspect: Suspect | None = None
    slack: int = 0
    doubt: str = ""


class Baseline(NamedTuple):
    """Where a counter began: the first value that was ever read of it. A person signs it at commissioning.

    `signed_by` is empty and `signed_at` None until then.
    """

    value: int
    epoch: str | None
    at: datetime
    signed_by: str = ""
    signed_at: datetime | None = None


class Verdict(StrEnum):
    """What a reading was taken for: the rows of the decision table."""

    BAD_QUALITY = "BAD_QUALITY"
    BASELINE = "BASELINE"
    STALE = "STALE"
    RESET = "RESET"
    SWAPPED = "SWAPPED"
    MULTIWRAP = "MULTIWRAP"
    IDLE = "IDLE"
    AMBIGUOUS = "AMBIGUOUS"
    COUNT = "COUNT"
    ROLLOVER = "ROLLOVER"
    ROLLOVER_INFERRED = "ROLLOVER_INFERRED"
    POSSIBLE_RESET = "POSSIBLE_RESET"
    IMPLAUSIBLE = "IMPLAUSIBLE"
    SUSPECT = "SUSPECT"  # a doubtful value: read again before judging
    GAP_HELD = "GAP_HELD"
    RESTORED = "RESTORED"  # the first units since a backup that was restored


@dataclass(frozen=True, slots=True)
class Held:
    """A frozen counter segment that a person settles: `quantity` is the likeliest of `candidates`."""

    quantity: int
    candidates: tuple[int, ...]
    reason: str


class Decision(NamedTuple):
    """What one reading means: `delta` units to book now, the checkpoint that goes with them.

    `held`: units a person has to settle; the checkpoint moves past them. `notice`: a sentence for the
    work list where nothing is held but something is unknown. `read_again`: ask the driver for another reading.
    `since`: begin of the interval when the delta caught up over a gap.
    """

    verdict: Verdict
    delta: int
    checkpoint: Checkpoint | None
    held: Held | None = None
    notice: str = ""
    read_again: bool = False
    since: datetime | None = None

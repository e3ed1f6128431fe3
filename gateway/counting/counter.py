"""What is configured of a counter, what is remembered of it, and what one reading can turn out to be."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from gateway.domain.clock import Instant


class Counts(StrEnum):
    """What a counter counts; a total consumes nothing, it is a cross-check."""

    GOOD = "good"
    SCRAP = "scrap"
    REWORK = "rework"
    TOTAL = "total"


class GapPolicy(StrEnum):
    """What becomes of the units counted while nobody was looking."""

    POST = "post"
    HOLD = "hold"


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


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a counter. `value` None: the quality was not Good (or NaN, or no number)."""

    value: int | None
    at: Instant
    epoch: str | None = None
    source_time: datetime | None = None
    order: str | None = None  # what the device itself says it works on


@dataclass(frozen=True, slots=True)
class Suspect:
    """An implausible value, kept beside the checkpoint until the next readings agree or refute it."""

    value: int
    epoch: str | None
    reads: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The last believed reading; `counted` is every unit since commissioning, held ones included.

    `seen` is the moment of the last Good reading of any value.
    """

    value: int
    epoch: str | None
    seen: Instant
    source_time: datetime | None = None
    order: str | None = None
    counted: int = 0
    suspect: Suspect | None = None
    stale: int = 0  # consecutive readings taken for old ones


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
    SUSPECT = "SUSPECT"  # first sight of an implausible value: read again before judging
    GAP_HELD = "GAP_HELD"


@dataclass(frozen=True, slots=True)
class Held:
    """A frozen counter segment that a person settles: `quantity` is the likeliest of `candidates`."""

    quantity: int
    candidates: tuple[int, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
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

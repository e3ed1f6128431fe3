"""Documents while they grow: what each trigger adds, and the open window that gathers it.

A trigger becomes a `Booking` (one for each part: at once, deferred, backlog). A booking joins a `Document`. A
document that closes is a posting. The `Link` between trigger and document says which quantities are whose: for
partial reversal, genealogy and explanation.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from gateway.domain.event import Trigger
from gateway.domain.lot import LotKey
from gateway.domain.posting import ActivityLine, Deviation, Output, PostingLine, PostingType
from gateway.domain.requirement import Ratio, Requirement, RequirementKey


class Part(StrEnum):
    """Which part of a trigger a document carries."""

    MAIN = "main"  # the output, and the issues where they aren't deferred
    DEFERRED = "deferred"  # the issues, from the work list (process separation)
    BACKLOG = "backlog"  # what was short when its trigger posted


class DocumentKey(NamedTuple):
    """What a document's triggers have in common; another value is another document."""

    type: PostingType
    part: Part
    order: str
    operation: str
    device: str
    rule: str
    rule_version: int
    bom: str
    bom_version: str
    master_data: str
    item: str
    finished_lot: str
    uom: str  # the operation's unit, that of the output


class Considered(NamedTuple):
    """A lot that was looked at for a component: what it had left, what was taken, and why (not)."""

    lot: LotKey
    left: Decimal
    taken: Decimal
    why: str


class Pick(NamedTuple):
    """What a draw took from one lot: `quantity` in the stock unit, `component` in the component's.

    `line` is the 0-based line of the booking, and of the document once it is in a link.
    """

    line: int
    quantity: Decimal
    component: Decimal


class Draw(NamedTuple):
    """What one trigger drew of one component.

    `before` are R and C as they were; `required` is what it added to R for its units, `once` what it added as the
    order's first (fixed quantity, setup scrap). `due` = max(0, round(R) − C); `backlog` is the part of it that was
    short. Lines that are not calculated (measured, scanned, edited, residual) have a draw with `calculated` False:
    they leave R and C alone.
    """

    key: RequirementKey
    item: str
    before: Requirement
    required: Ratio
    once: Ratio
    due: Decimal
    backlog: Decimal
    picks: tuple[Pick, ...]
    considered: tuple[Considered, ...]
    calculated: bool = True


class Booking(NamedTuple):
    """What one trigger adds to one document. `units` is what it counted, in the operation's unit."""

    key: DocumentKey
    trigger: Trigger
    units: Decimal
    output: Output
    lines: tuple[PostingLine, ...]
    activities: tuple[ActivityLine, ...]
    draws: tuple[Draw, ...]
    deviations: tuple[Deviation, ...]


class Link(NamedTuple):
    """A trigger's part of a document. `lines` are (0-based line of the document, quantity); reversals are negative."""

    trigger: int
    document: int
    units: Decimal
    lines: tuple[tuple[int, Decimal], ...]
    draws: tuple[Draw, ...]  # their picks name lines of the document


class Span(NamedTuple):
    """Good units of an order that a trigger counted at an operation: [start, end).

    Counted in millionths of the order's base unit, the smallest of which whole numbers make one unit of each of
    its operations (12 bottles to a case: the base is a bottle). So the spans of two operations that overlap are
    the same units, and the spans of the others tell what went into a case. `sscc` is the case that the trigger
    sealed at `sealed_at`; both None for other triggers.
    """

    order: str
    operation: str
    start: int
    end: int
    trigger: int
    sscc: str | None = None
    sealed_at: datetime | None = None


class Document(NamedTuple):
    """An open document: what its triggers have added so far; lines of one lot, bin and BOM line are one.

    `opened_at` is the gateway's time, `begun` the first trigger's begin (event time), `due` when the clock closes it.
    """

    id: int
    key: DocumentKey
    opened_at: datetime
    begun: datetime
    due: datetime | None
    output: Output
    lines: tuple[PostingLine, ...]
    activities: tuple[ActivityLine, ...]
    deviations: tuple[Deviation, ...]
    triggers: tuple[int, ...]
    reach: tuple[tuple[int, int] | None, ...]  # for each line the units (Span) it went into, first to last
    follows: int | None = None  # id of the document whose deferred or backlogged issues these are


class Backlog(NamedTuple):
    """What a posted trigger is still owed of a component, in the component's unit.

    `calculated` as its draw was: what was measured or edited was never committed.
    """

    id: int
    trigger: int
    document: int  # the one it was short in
    key: RequirementKey
    quantity: Decimal
    calculated: bool = True

"""The immutable document: what was made, what that consumed, and from which lots."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from gateway.domain.event import Trigger
from gateway.domain.lot import Owner
from gateway.domain.quantity import ZERO
from gateway.domain.signature import Signature
from gateway.domain.use import Use


class PostingType(StrEnum):
    """What a document moves."""

    ASSEMBLY = "assembly"  # receipt and issues
    COMPONENT = "component"  # issues only
    ACTIVITY = "activity"  # machine and labour quantities, no goods
    RETURN = "return"  # from the line back to the warehouse
    COUNT = "count"  # a cycle count's adjustment
    CLOSE = "close"  # an order's residuals and variances
    REPLENISHMENT = "replenishment"  # no movement: the line needs more of an item


class PostingLine(NamedTuple):  # a tuple: made for each line of each posting
    """One movement: `quantity` in `uom` of the item's stock, with the lot and bin it left or entered.

    `owner` is whose stock a consumed or returned line took. `standard` is what the BOM says where an operator
    entered another quantity. `method` `residual` is a crumb or an order's rest. Reversals have negative quantities.
    """

    use: Use
    item: str
    quantity: Decimal
    uom: str
    lot: str
    location: str
    bom_line: str | None = None
    method: str | None = None
    owner: Owner | None = None
    standard: Decimal | None = None
    supplier: str = ""


class ActivityLine(NamedTuple):
    """Machine or labour quantity of a posting."""

    activity: str
    quantity: Decimal
    uom: str


class Output(NamedTuple):
    """What the operation made, in its own unit."""

    good: Decimal
    scrap: Decimal
    rework: Decimal
    uom: str

    @property
    def units(self) -> Decimal:
        """Everything that was counted."""
        return self.good + self.scrap + self.rework


class Deviation(NamedTuple):
    """What wasn't as the standard or the sequence wants it, and posted all the same. `code` is stable."""

    code: str  # e.g. staged-after-use
    text: str


class Variance(NamedTuple):
    """A component at order close, in its stock unit: actual − standard = usage + mix + yields + scrap."""

    bom_line: str
    item: str
    uom: str
    standard: Decimal
    actual: Decimal
    usage: Decimal
    mix: Decimal
    yields: Decimal
    scrap: Decimal
    cause: str


class Reason(NamedTuple):
    """A reason code of the configuration, with its text and what the person added."""

    code: str
    text: str


class Shortfall(NamedTuple):
    """What a replenishment asks for: the balance fell to the reorder point."""

    owner: Owner
    item: str
    uom: str
    left: Decimal
    reorder_point: Decimal
    quantity: Decimal | None


class Posting(NamedTuple):
    """A posting before it has its place in the log (seq, times and hash are given there)."""

    type: PostingType
    order: str
    operation: str
    item: str
    finished_lot: str
    output: Output
    lines: tuple[PostingLine, ...]
    triggers: tuple[Trigger, ...]
    bom: str
    bom_version: str
    master_data: str
    activities: tuple[ActivityLine, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    variances: tuple[Variance, ...] = ()
    shortfall: Shortfall | None = None
    window: tuple[datetime, datetime, str] | None = None  # a cumulated one: opened, closed, and why it closed
    reverses: int | None = None  # seq of the posting that this one mirrors
    follows: int | None = None  # seq of the posting whose deferred or backlogged issues these are
    reason: Reason | None = None
    person: str = ""
    signature: Signature | None = None


NO_OUTPUT = Output(ZERO, ZERO, ZERO, "")

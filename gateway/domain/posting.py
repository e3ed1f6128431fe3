"""The immutable document: what was made, what that consumed, and from which lots."""

from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from gateway.domain.event import Trigger


class Use(StrEnum):
    """What a posting line does to stock."""

    CONSUMED = "consumed"
    PRODUCED = "produced"


class PostingType(StrEnum):
    """Assembly: receipt and issues. Component: issues only."""

    ASSEMBLY = "assembly"
    COMPONENT = "component"


class PostingLine(NamedTuple):  # a tuple: made for each line of each posting
    """One movement: `quantity` in `uom` of the item's stock, with the lot and bin it left or entered."""

    use: Use
    item: str
    quantity: Decimal
    uom: str
    lot: str
    location: str
    bom_line: str | None = None
    method: str | None = None


class Output(NamedTuple):
    """What the operation made, in its own unit."""

    good: Decimal
    scrap: Decimal
    rework: Decimal
    uom: str


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

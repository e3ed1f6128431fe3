"""Genealogy's answers. Quantities are exact, times RFC 3339 as stored; `seq` is None while the window is open."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypedDict


class Scope(StrEnum):
    """How a lot and a case belong together."""

    UNITS = "units"  # the case's own units took it
    MIXING = "mixing"  # a change of lot lies within the component's mixing units: it may have been in as well
    ORDER = "order"  # issued by scanning, for the order as a whole: any of its cases may hold it


@dataclass(frozen=True, slots=True)
class LotUse:
    """What a case's units took of a lot by one document; zero where the scope is mixing, all of it where it is order.

    `reversed`: it was taken back, by the postings `reversed_by`. `devices` counted it, from `first` to `last`.
    """

    lot: str
    location: str
    supplier: str
    quantity: Decimal
    seq: int | None
    document: int
    devices: tuple[str, ...]
    first: str
    last: str
    reversed: bool
    reversed_by: tuple[int, ...]
    scope: Scope


@dataclass(frozen=True, slots=True)
class ComponentUse:
    """A component at an operation, with its lots."""

    bom_line: str
    item: str
    uom: str
    lots: tuple[LotUse, ...]


@dataclass(frozen=True, slots=True)
class OperationUse:
    """An operation's part of a case; `covered` is the share (a fraction) of its units counted there so far."""

    operation: str
    covered: str
    components: tuple[ComponentUse, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A case, pallet or other handling unit, and what went into it.

    `incomplete` are the operations that consume something and haven't counted all its units yet. `held` is the
    work-list entry that it waits in; then nothing has been posted for it.
    """

    sscc: str
    order: str
    operation: str
    item: str
    finished_lot: str
    quantity: str
    units: str | None
    device: str
    key: str
    time: str
    trigger: int | None
    seq: int | None
    document: int | None
    reversed: bool
    held: int | None
    incomplete: tuple[str, ...]
    operations: tuple[OperationUse, ...]


class CaseRef(TypedDict):  # what JSON wants: a recall makes thousands
    """A case that a lot went into; `time` is when it was made."""

    sscc: str
    seq: int | None
    document: int | None
    time: str
    reversed: bool
    scope: str  # a Scope


@dataclass(frozen=True, slots=True)
class Issue:
    """What an operation issued of a lot, net of reversals, over `postings` closed and `open` open documents."""

    operation: str
    bom_line: str
    quantity: Decimal
    uom: str
    postings: int
    open: int
    first_seq: int | None
    last_seq: int | None


@dataclass(frozen=True, slots=True)
class FinishedLot:
    """A finished lot that holds a component lot, with its cases in the order they were made."""

    finished_lot: str
    item: str
    issues: tuple[Issue, ...]
    cases: tuple[CaseRef, ...]


@dataclass(frozen=True, slots=True)
class OrderUse:
    """An order that consumed a component lot."""

    order: str
    finished_lots: tuple[FinishedLot, ...]


@dataclass(frozen=True, slots=True)
class Balance:
    """What is (or was) staged of a lot; a recall begins with what is still at the line."""

    owner_kind: str
    owner: str
    location: str
    status: str
    staged: str
    consumed: str
    returned: str
    left: str
    uom: str


@dataclass(frozen=True, slots=True)
class LotTrace:
    """A component lot and everything it went into."""

    item: str
    lot: str
    supplier: str
    balances: tuple[Balance, ...]
    orders: tuple[OrderUse, ...]


@dataclass(frozen=True, slots=True)
class UsedLot:
    """A component lot in a finished lot, net of reversals."""

    operation: str
    bom_line: str
    item: str
    lot: str
    supplier: str
    quantity: Decimal
    uom: str
    postings: int
    open: int
    first_seq: int | None
    last_seq: int | None


@dataclass(frozen=True, slots=True)
class FinishedLotTrace:
    """An order's finished lot: what was received, every component lot in it, and its cases."""

    finished_lot: str
    order: str
    item: str
    received: Decimal
    uom: str
    components: tuple[UsedLot, ...]
    cases: tuple[CaseRef, ...]


@dataclass(frozen=True, slots=True)
class Genealogy:
    """The answer to one question; what was not asked for is empty."""

    cases: tuple[Case, ...] = ()
    lots: tuple[LotTrace, ...] = ()
    finished_lots: tuple[FinishedLotTrace, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether the store knows anything of what was asked."""
        return bool(self.cases or self.lots or self.finished_lots)

"""What one trigger takes of each component: how much is due, and from which lots."""

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Protocol

from gateway.backflush.allocate import Stock, allocate
from gateway.backflush.explode import PlannedComponent
from gateway.domain.event import Trigger
from gateway.domain.lot import LotBalance, LotKey, Owner
from gateway.domain.material import Units
from gateway.domain.order import Progress
from gateway.domain.posting import PostingLine, Use
from gateway.domain.quantity import exact, text
from gateway.domain.requirement import Requirement, RequirementKey

_CONSUMED = Use.CONSUMED
_new = tuple.__new__  # what a NamedTuple's own constructor comes to, without its call


@lru_cache(maxsize=1024)
def _owners(order: str, line: str) -> tuple[Owner, Owner]:
    return Owner("order", order), Owner("line", line)


class State(Stock, Protocol):
    """What the engine reads: staged lots, cumulative requirements, progress of orders."""

    def requirement(self, key: RequirementKey) -> Requirement:
        """Return what the component required and committed so far."""
        ...

    def progress(self, order: str, operation: str) -> Progress:
        """Return what the operation has made so far."""
        ...


@dataclass(slots=True)
class Changes:
    """What a posted trigger changes; whoever keeps the state writes it with the posting, or not at all.

    `used_up`: lots of `lots` that have nothing left now.
    """

    lots: dict[LotKey, LotBalance] = field(default_factory=dict)
    used_up: list[LotKey] = field(default_factory=list)
    requirements: dict[RequirementKey, Requirement] = field(default_factory=dict)
    progress: dict[tuple[str, str], Progress] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blocked:
    """The trigger waits as a whole; `code` is the stable word, `reason` the sentence."""

    code: str
    reason: str


class Issues:
    """Collects one trigger's lines and changes; `counted` is its quantity in `unit`, the operation's.

    Nothing outside is touched: when one component blocks, the whole is dropped.
    """

    __slots__ = ("_at", "_bottom", "_owners", "_state", "_top", "_trigger", "_unit", "_units", "changes", "lines")

    def __init__(self, state: State, units: Units, trigger: Trigger, counted: Decimal, unit: str) -> None:
        self._state = state
        self._units = units
        self._trigger = trigger
        self._top, self._bottom = counted.as_integer_ratio()
        self._owners = _owners(trigger.order, trigger.line)
        self._at = trigger.event.source_time
        self._unit = unit
        self.changes = Changes()
        self.lines: list[PostingLine] = []

    def issue(self, planned: PlannedComponent) -> Blocked | None:
        """Take what the component needs; return why that can't be, if so."""
        if planned.measured:
            due = self._measured(planned)
        else:  # rejects that are counted consume like good units: the counter says so, not a percentage
            due, self.changes.requirements[planned.key] = self._state.requirement(planned.key).draw(
                self._top * planned.numerator, self._bottom * planned.denominator, planned.component.rounding
            )
        if not due:
            return None
        need = due if planned.to_stock is None else exact(Fraction(due) * planned.to_stock)
        item, taken = planned.component.item, self.changes.lots
        picks, missing, refused = allocate(self._state, self._owners, item, need, at=self._at, taken=taken)
        if missing:
            return self._shortage(planned, need, missing, refused)
        for lot, quantity in picks:
            key, uom, received_at, expires_at, status, staged, consumed, returned = lot
            consumed += quantity
            taken[key] = _new(LotBalance, (key, uom, received_at, expires_at, status, staged, consumed, returned))
            if staged - consumed == returned:
                self.changes.used_up.append(key)
            line = (_CONSUMED, item, quantity, planned.stock_uom, key.lot, key.location, *planned.source)
            self.lines.append(_new(PostingLine, line))
        return None

    def _measured(self, planned: PlannedComponent) -> Decimal:
        component, event = planned.component, self._trigger.event
        factor = self._units.factor(component.item, event.uom or self._unit, component.uom)
        return exact(Fraction(event.quantity) * factor)

    def _shortage(self, planned: PlannedComponent, need: Decimal, missing: Decimal, refused: list[str]) -> Blocked:
        component = planned.component
        reason = (
            f"{component.item} (BOM line {component.line}) needs {text(need)} {planned.stock_uom}, "
            f"{text(need - missing)} available for order {self._trigger.order} on line {self._trigger.line}"
        )
        return Blocked("shortage", "; ".join((reason, *refused)))

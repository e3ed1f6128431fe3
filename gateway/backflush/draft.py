"""One trigger's bookings while they grow. Nothing outside is touched: when one component blocks, all is dropped."""

from decimal import Decimal
from functools import lru_cache

from gateway.backflush.explode import PlannedOperation
from gateway.backflush.outcome import Alert, Changes
from gateway.backflush.state import State
from gateway.domain.document import Draw
from gateway.domain.event import Trigger
from gateway.domain.lot import LotBalance, Owner
from gateway.domain.masterdata import MasterData
from gateway.domain.posting import ActivityLine, Deviation, PostingLine
from gateway.domain.requirement import RequirementKey

_new = tuple.__new__  # what a NamedTuple's own constructor comes to, without its call


@lru_cache(maxsize=1024)
def _owners(order: str, line: str) -> tuple[Owner, Owner]:
    return Owner("order", order), Owner("line", line)


class Sheet:
    """What one booking of the trigger gets."""

    __slots__ = ("activities", "deviations", "draws", "lines")

    def __init__(self) -> None:
        self.lines: list[PostingLine] = []
        self.draws: list[Draw] = []
        self.activities: list[ActivityLine] = []
        self.deviations: list[Deviation] = []

    def deviate(self, code: str, text: str) -> None:
        """Note what wasn't as it should be, once."""
        if (deviation := Deviation(code, text)) not in self.deviations:
            self.deviations.append(deviation)


class Draft:
    """`counted` is what the trigger counted in the operation's unit, `top / bottom` the same as two integers.

    `main` gets what enters stock, `issues` what leaves it: one sheet, unless the operation defers its issues.
    """

    __slots__ = (
        "alerts", "at", "backlogs", "bottom", "changes", "counted", "edited", "event", "issues", "lot_scan",
        "main", "master", "owners", "plan", "signed_late", "state", "top", "trigger",
    )  # fmt: skip

    def __init__(
        self, state: State, master: MasterData, trigger: Trigger, plan: PlannedOperation, counted: Decimal
    ) -> None:
        line = master.lines.get(trigger.line)
        self.state = state
        self.master = master
        self.trigger = trigger
        self.event = trigger.event
        self.at = trigger.event.source_time
        self.plan = plan
        self.counted = counted
        self.top, self.bottom = counted.as_integer_ratio()
        self.owners = _owners(trigger.order, trigger.line)
        self.lot_scan = line is not None and line.lot_scan
        self.edited = dict(trigger.event.edited)
        self.main = Sheet()
        self.issues = Sheet() if plan.operation.defer else self.main
        self.changes = Changes()
        self.backlogs: list[tuple[RequirementKey, Decimal]] = []
        self.alerts: list[Alert] = []

    def consume(self, lot: LotBalance, quantity: Decimal) -> LotBalance:
        """Take `quantity` (stock unit) out of the lot and return what it is then."""
        key, uom, received_at, expires_at, status, staged, consumed, returned, facts = lot
        consumed += quantity
        after = _new(LotBalance, (key, uom, received_at, expires_at, status, staged, consumed, returned, facts))
        self.changes.lots[key] = after
        if staged - consumed == returned:
            self.changes.used_up.append(key)
        return after

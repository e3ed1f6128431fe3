"""What may not be posted yet, with the exact reason. Closed with a reason, never deleted."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class ExceptionKind(StrEnum):
    """What waits."""

    TRIGGER = "trigger"  # triggers of one order and operation, head first
    COUNTER = "counter"  # a held counter segment
    GAP = "gap"  # messages or units a source lost
    NOTICE = "notice"  # nothing waits, but a person should know (e.g. units lost in a reset)
    BACKLOG = "backlog"  # a component's rest that was short; its trigger has posted
    ALERT = "alert"  # a control limit was breached; `owner` has to answer
    CLEARANCE = "clearance"  # a line changed to another order
    ALARM = "alarm"  # the gateway itself is in trouble; it closes by itself when that is over


@dataclass(frozen=True, slots=True)
class ExceptionRecord:
    """An entry of the work list.

    `scope` is what it is about: (order, operation) of triggers, (device, signal) of counters and gaps.
    `quantity` (in `uom`) is what it holds, over `count` triggers or messages. `code` is the stable
    word for the reason (e.g. `shortage`), `reason` the sentence.
    """

    id: int
    kind: ExceptionKind
    code: str
    reason: str
    scope: tuple[str, str]
    quantity: Decimal
    uom: str
    count: int
    first_event: datetime
    last_event: datetime
    opened_at: datetime
    detail: str = ""  # JSON of what a settlement needs: ranges, candidates
    closed_at: datetime | None = None
    close_reason: str = ""
    closed_by: str = ""
    owner: str = ""  # who has to answer an alert

"""What becomes of a trigger: bookings with their changes, or the exact reason why it waits."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from gateway.domain.document import Booking
from gateway.domain.lot import LotBalance, LotKey
from gateway.domain.order import Progress
from gateway.domain.requirement import Requirement, RequirementKey

LATE = "staged-after-use"  # the code of what waits for a signature, and of the deviation that it becomes


@dataclass(slots=True)
class Changes:
    """What a booked trigger changes; whoever keeps the state writes it with the documents, or not at all.

    `used_up`: lots of `lots` that have nothing left now.
    """

    lots: dict[LotKey, LotBalance] = field(default_factory=dict)
    used_up: list[LotKey] = field(default_factory=list)
    requirements: dict[RequirementKey, Requirement] = field(default_factory=dict)
    progress: dict[tuple[str, str], Progress] = field(default_factory=dict)


class Alert(NamedTuple):
    """What posted although somebody has to look at it: `owner` answers."""

    code: str
    text: str
    owner: str


class Booked(NamedTuple):
    """The trigger posts.

    `bookings`: Part.MAIN first; Part.DEFERRED second where the operation defers its issues. `backlogs` is what was
    short (component unit) of components that split; it belongs to the booking with the issues, the last one.
    """

    bookings: tuple[Booking, ...]
    backlogs: tuple[tuple[RequirementKey, Decimal], ...]
    alerts: tuple[Alert, ...]
    changes: Changes


@dataclass(frozen=True, slots=True)
class Blocked:
    """The trigger waits as a whole; `code` is the stable word, `reason` the sentence."""

    code: str
    reason: str


class Waits(Exception):
    """Ends a step from wherever it is: the trigger waits as `blocked` says. Never leaves the engine."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.blocked = Blocked(code, reason)

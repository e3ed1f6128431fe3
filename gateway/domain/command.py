"""What a person, the ERP or a machine may ask of the one writer, as data: validated at the edge, recorded, replayed.

Each is carried out in one transaction. Which of them need a signature says gateway/domain/signed_commands.py.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from gateway.domain.lot import LotKey, LotStatus, Staging


class Residual(StrEnum):
    """What becomes of an order's rests at its close."""

    RETURN = "return"
    CONSUME = "consume"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Stage:
    """Apply a transfer to the line, once by its id."""

    staging: Staging


@dataclass(frozen=True, slots=True)
class ScanIn:
    """A lot was scanned in at the line: from now on it is eligible there."""

    line: str
    item: str
    lot: str


@dataclass(frozen=True, slots=True)
class SetLotStatus:
    """Change a lot's status, everywhere it is staged. Out of quarantine needs a signature."""

    item: str
    lot: str
    status: LotStatus
    reason: str


@dataclass(frozen=True, slots=True)
class ReturnLot:
    """Take staged stock back to the warehouse, once by `transfer`. Exposed stock goes back in quarantine."""

    transfer: str
    key: LotKey
    quantity: Decimal
    uom: str
    reason: str
    exposed: bool = False


@dataclass(frozen=True, slots=True)
class CountLot:
    """A cycle count, once by `count`: what a person found of a balance; the difference is posted."""

    count: str
    key: LotKey
    found: Decimal
    uom: str
    reason: str


@dataclass(frozen=True, slots=True)
class IssueLot:
    """A lot was scanned and its quantity given (method scan), once by `issue`."""

    issue: str
    order: str
    operation: str
    item: str
    lot: str
    quantity: Decimal
    uom: str
    bom_line: str = ""
    location: str = ""
    temperature: Decimal | None = None


@dataclass(frozen=True, slots=True)
class EditedLine:
    """What an operator says a BOM line consumed, in the component's unit, instead of the standard."""

    bom_line: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class EnterOutput:
    """An operator's entry of good, scrap and rework units, once by `entry`."""

    entry: str
    order: str
    operation: str
    good: Decimal = Decimal(0)
    scrap: Decimal = Decimal(0)
    rework: Decimal = Decimal(0)
    lines: tuple[EditedLine, ...] = ()
    at: datetime | None = None  # when it was made; None: now


@dataclass(frozen=True, slots=True)
class StartOrder:
    """The line works on this order from `at` (None: now) on."""

    line: str
    order: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClearLine:
    """The line was cleared of the former order's material."""

    line: str
    order: str


@dataclass(frozen=True, slots=True)
class ApproveLabel:
    """The label of an order's packages was approved."""

    order: str


@dataclass(frozen=True, slots=True)
class PinBom:
    """The order is made by another BOM version from `since` (event time) on."""

    order: str
    bom_version: str
    since: datetime


@dataclass(frozen=True, slots=True)
class AllowOverrun:
    """The order may produce up to `quantity` (its unit) in all."""

    order: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class TrustClock:
    """A person looked at the clock and believes it, until the next boot."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again what waits in an exception; None: in all of them."""

    exception: int | None = None


@dataclass(frozen=True, slots=True)
class AcceptDeviation:
    """The deviation that holds an exception's first trigger, or a backlog (staged after use), is accepted.

    `seen` (here and below): the hash of what is signed for as it was shown (formats.signed); it is refused once that
    has changed, empty where nobody looked.
    """

    exception: int
    seen: str = ""


@dataclass(frozen=True, slots=True)
class CloseException:
    """Close an entry of the work list without posting what it holds: its units count as reversed, nothing is owed.

    `first`: only the trigger that holds up the others; they are tried again. `seen`: see SettleHold.
    """

    exception: int
    reason: str
    seen: str = ""
    first: bool = False


@dataclass(frozen=True, slots=True)
class SettledPart:
    """Units of a settled hold: `order` they were made for (empty: the one that ran then), `at` when (None: as held)."""

    quantity: Decimal
    order: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SettleHold:
    """A person says how many units a held segment or gap really was, and for which orders; no parts: none were made.

    `seen`: the hash of what is signed for as it was shown; see AcceptDeviation. A gap may grow meanwhile: there it has
    to be said.
    """

    exception: int
    reason: str
    parts: tuple[SettledPart, ...] = ()
    seen: str = ""


@dataclass(frozen=True, slots=True)
class SignBaseline:
    """A person confirms where a counter began (its value at commissioning)."""

    device: str
    signal: str
    value: int


@dataclass(frozen=True, slots=True)
class RedriveLetter:
    """Read a dead letter again, by the configuration in force now."""

    letter: int


@dataclass(frozen=True, slots=True)
class DiscardLetter:
    """Set a dead letter aside: a person saw it, and nothing is to come of it."""

    letter: int
    reason: str


@dataclass(frozen=True, slots=True)
class RedrivePosting:
    """Offer a posting once more to the sink that refused it."""

    sink: str
    seq: int


@dataclass(frozen=True, slots=True)
class SettlePosting:
    """A posting that a sink refused was settled by hand at the other end: nothing waits for it any more."""

    sink: str
    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class RaiseAlarm:
    """The gateway itself is in trouble (a full disk, say): in the work list until it is over. Only it gives this.

    `about` names the part of it; what was told already of that part and code isn't told again.
    """

    code: str
    reason: str
    about: str = "gateway"


@dataclass(frozen=True, slots=True)
class ClearAlarm:
    """What an alarm told of is over, and how that came. Only the gateway itself gives this."""

    code: str
    reason: str
    about: str = "gateway"


@dataclass(frozen=True, slots=True)
class Reverse:
    """Mirror a posting: whole, or its newest `units` (in the operation's unit)."""

    seq: int
    reason: str
    units: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CloseWindow:
    """Close an open document now."""

    document: int


@dataclass(frozen=True, slots=True)
class CloseOrder:
    """Close an order: windows, residuals, variances. `deviation`: close outside the tolerance, signed."""

    order: str
    residuals: Residual
    reason: str
    deviation: bool = False
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Activate:
    """Put a configuration into force in regulated mode: its hash is what is signed."""

    configuration: str


Command = (
    Stage
    | ScanIn
    | SetLotStatus
    | ReturnLot
    | CountLot
    | IssueLot
    | EnterOutput
    | StartOrder
    | ClearLine
    | ApproveLabel
    | PinBom
    | AllowOverrun
    | TrustClock
    | Retry
    | AcceptDeviation
    | CloseException
    | Reverse
    | CloseWindow
    | CloseOrder
    | Activate
    | SettleHold
    | SignBaseline
    | RedriveLetter
    | DiscardLetter
    | RedrivePosting
    | SettlePosting
    | RaiseAlarm
    | ClearAlarm
)

"""What a person, the ERP or a machine may ask of the one writer, as data: validated at the edge, recorded, replayed.

Each is carried out in one transaction. Which of them need a signature says gateway/domain/signed_commands.py.
"""

from gateway.domain.command.entries import EditedLine, EnterOutput, IssueLot
from gateway.domain.command.gateway import Activate, ClearAlarm, RaiseAlarm, TrustClock
from gateway.domain.command.holds import SettledHold, SettledPart, SettleHold, SettleHolds, SignBaseline
from gateway.domain.command.letters import DiscardLetter, RedriveLetter
from gateway.domain.command.orders import (
    AllowOverrun,
    ApproveLabel,
    ClearLine,
    CloseOrder,
    PinBom,
    Residual,
    StartOrder,
)
from gateway.domain.command.postings import CloseWindow, RedrivePosting, Reverse, SettlePosting
from gateway.domain.command.stock import CountLot, ReturnLot, ScanIn, SetLotStatus, Stage
from gateway.domain.command.work_list import AcceptDeviation, CloseException, Retry

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
    | SettleHolds
    | SignBaseline
    | RedriveLetter
    | DiscardLetter
    | RedrivePosting
    | SettlePosting
    | RaiseAlarm
    | ClearAlarm
)

__all__ = [
    "AcceptDeviation",
    "Activate",
    "AllowOverrun",
    "ApproveLabel",
    "ClearAlarm",
    "ClearLine",
    "CloseException",
    "CloseOrder",
    "CloseWindow",
    "Command",
    "CountLot",
    "DiscardLetter",
    "EditedLine",
    "EnterOutput",
    "IssueLot",
    "PinBom",
    "RaiseAlarm",
    "RedriveLetter",
    "RedrivePosting",
    "Residual",
    "Retry",
    "ReturnLot",
    "Reverse",
    "ScanIn",
    "SetLotStatus",
    "SettleHold",
    "SettleHolds",
    "SettlePosting",
    "SettledHold",
    "SettledPart",
    "SignBaseline",
    "Stage",
    "StartOrder",
    "TrustClock",
]

"""Which commands a person has to sign, in regulated mode or not, and what the signature says."""

from gateway.domain.command import (
    AcceptDeviation,
    Activate,
    AllowOverrun,
    CloseException,
    CloseOrder,
    Command,
    CountLot,
    DiscardLetter,
    PinBom,
    Reverse,
    SetLotStatus,
    SettleHold,
    SettleHolds,
    SettlePosting,
    SignBaseline,
    TrustClock,
)
from gateway.domain.lot import LotStatus

SIGNED: dict[type, str] = {
    Reverse: "reversal",
    CloseException: "closing without posting",
    AcceptDeviation: "deviation",
    AllowOverrun: "overrun",
    PinBom: "change of BOM version",
    TrustClock: "trust in the clock",
    CountLot: "cycle count",
    Activate: "activation",
    SettleHold: "settlement of a hold",
    SettleHolds: "settlement of many holds",
    SignBaseline: "baseline",
    DiscardLetter: "discarding a message",
    SettlePosting: "settlement of a refused posting",
}


def needs_signature(command: Command) -> str | None:
    """Return what is signed (the meaning's first word), None where the command needs no signature."""
    if isinstance(command, SetLotStatus):
        return "return from quarantine" if command.status is LotStatus.UNRESTRICTED else None
    if isinstance(command, CloseOrder):
        return "close outside tolerance" if command.deviation else None
    return SIGNED.get(type(command))

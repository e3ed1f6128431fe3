"""What tests of stock commands have in common: a lot of cartons, and what a person asks about it."""

from decimal import Decimal

from gateway.domain.command import CountLot, ReturnLot, SetLotStatus
from gateway.domain.lot import LotKey, LotStatus
from tests.factories import LINE

CARTONS = {"quantity": "100"}
KEY = LotKey(LINE, "CARTON-12", "C-1", "L1-FILL")
QUARANTINE, UNRESTRICTED = LotStatus.QUARANTINE, LotStatus.UNRESTRICTED


def give_back(
    quantity: str = "30", transfer: str = "R-1", reason: str = "surplus", key: LotKey = KEY, **more
) -> ReturnLot:
    return ReturnLot(transfer, key, Decimal(quantity), more.pop("uom", "EA"), reason, **more)


def count(found: str, number: str = "I-1", reason: str = "miscount", key: LotKey = KEY, **more) -> CountLot:
    return CountLot(number, key, Decimal(found), more.pop("uom", "EA"), reason)


def set_status(status: LotStatus, lot: str = "C-1") -> SetLotStatus:
    return SetLotStatus("CARTON-12", lot, status, "inspected")

"""What tests of reversals have in common: commands, stock and bills."""

from datetime import timedelta
from decimal import Decimal

from gateway.domain.bom import Method
from gateway.domain.command import IssueLot, Reverse
from gateway.domain.line import Cumulation
from tests.factories import make_component
from tests.unit.pipeline.office import make_packed, make_packers

CARTONS = {"quantity": "100"}
WINDOW = Cumulation(window=timedelta(minutes=1))


def undo(seq: int, units: str | None = None, reason: str = "miscount") -> Reverse:
    return Reverse(seq, reason, None if units is None else Decimal(units))


def make_scanned(**changes):
    scanned = make_component("DRINK", "6", line="0020", operation="0030", method=Method.SCAN)
    return make_packers(make_packed(make_component("CARTON-12", "1", operation="0030"), scanned, **changes))


DRINK = {"quantity": "50", "item": "DRINK", "lot": "D-1"}
SCAN = IssueLot("I-1", "100045", "0030", "DRINK", "D-1", Decimal(7), "EA")

"""The worked numbers of tests/data/backflush.yaml."""

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
import yaml

from gateway.backflush.issue import Blocked
from gateway.backflush.step import step
from gateway.domain.bom import BomOperation, ScrapBasis
from gateway.domain.posting import Use
from gateway.domain.quantity import Rounding, RoundingMode
from tests.factories import Shelf, day, make_bom, make_component, make_lot, make_master, make_trigger

CASES = yaml.safe_load((Path(__file__).parents[2] / "data" / "backflush.yaml").read_text(encoding="utf-8"))


def components_of(case):
    for number, (item, one) in enumerate(case["components"].items(), 1):
        rounding = Rounding(one["decimals"], RoundingMode(one.get("mode", "half-even"))) if "decimals" in one else None
        yield make_component(
            item,
            str(one["quantity"]),
            line=f"{number:04}",
            uom=one.get("uom", "EA"),
            component_scrap=Fraction(one.get("scrap", "0 %").removesuffix(" %")) / 100,
            scrap_basis=ScrapBasis(one.get("basis", "multiply")),
            rounding=rounding or Rounding(),
        )


def master_of(case):
    bom = make_bom(
        *components_of(case),
        base_quantity=Decimal(case.get("base", 1)),
        operations=(BomOperation("0010", "EA", receipt=True),),
    )
    units = {
        (None, source, target): Fraction(factor)
        for source, targets in case.get("units", {}).items()
        for target, factor in targets.items()
    }
    stocked = {item: one.get("stocked_in", one.get("uom", "EA")) for item, one in case["components"].items()}
    return make_master(bom=bom, units=units, stocked_in=stocked)


def shelf_of(case):
    plenty = [{"item": item, "lot": f"LOT-{item}", "quantity": 100_000} for item in case["components"]]
    return Shelf(
        *(
            make_lot(
                one["lot"],
                str(one["quantity"]),
                item=one["item"],
                expires_at=day(one["expires"]) if "expires" in one else None,
            )
            for one in case.get("staged", plenty)
        )
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_the_engine_reproduces_the_worked_numbers(case):
    shelf, master = shelf_of(case), master_of(case)
    consumed, lines, blocked = defaultdict(list), [], None
    for quantity in case["events"]:
        outcome = step(shelf, master, make_trigger(str(quantity)))
        if isinstance(outcome, Blocked):
            blocked = outcome.code
            break
        shelf.take(outcome.changes)
        issued = [one for one in outcome.posting.lines if one.use is Use.CONSUMED]
        lines += [[one.lot, str(one.quantity)] for one in issued]
        for item in case["components"]:
            consumed[item].append(sum(one.quantity for one in issued if one.item == item))

    assert case.get("blocked") == blocked
    assert {item: list(map(Decimal, found)) for item, found in case.get("consumed", {}).items()} == dict(consumed)
    assert case.get("lines", lines) == lines
    assert {lot: Decimal(left) for lot, left in case.get("left", {}).items()} == {
        lot: shelf.left(lot) for lot in case.get("left", {})
    }

"""The worked numbers of tests/data/backflush.yaml; how a case is written stands at the file's beginning."""

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
import yaml

from gateway.backflush.outcome import Blocked
from gateway.backflush.step import step
from gateway.domain.bom import (
    Activity,
    Alternate,
    BomOperation,
    LateStage,
    Method,
    ScrapBasis,
    Shortage,
    Strategy,
)
from gateway.domain.event import EventKind, LotMention
from gateway.domain.line import Line
from gateway.domain.lot import LotStatus
from gateway.domain.order import OrderState, Progress
from gateway.domain.quantity import ZERO, Rounding, RoundingMode
from gateway.domain.use import Use
from tests.factories import (
    LINE,
    ORDER,
    Shelf,
    day,
    make_bom,
    make_component,
    make_lot,
    make_master,
    make_order,
    make_phantom,
    make_trigger,
)

CASES = yaml.safe_load((Path(__file__).parents[2] / "data" / "backflush.yaml").read_text(encoding="utf-8"))
KINDS = {
    "good": EventKind.GOOD_UNITS,
    "scrap": EventKind.SCRAP_UNITS,
    "rework": EventKind.REWORK_UNITS,
    "weighed": EventKind.WEIGHED,
    "issued": EventKind.LOT_ISSUED,
}


def ratio(value) -> Fraction | None:
    """Return 0.1 for `10 %`, and any other number as it is."""
    if value is None:
        return None
    text = str(value)
    return Fraction(text.removesuffix(" %")) / 100 if text.endswith(" %") else Fraction(text)


def number(value) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def rounding_of(one) -> Rounding:
    return Rounding(one.get("decimals"), RoundingMode(one.get("mode", "half-even")), number(one.get("multiple")))


def component_of(line, item, one, operation):
    alternates = (
        Alternate(name, other.get("priority", 1), ratio(other.get("share")))
        for name, other in one.get("alternates", {}).items()
    )
    return make_component(
        one.get("item", item),
        str(one.get("quantity", 1)),
        line=line,
        uom=one.get("uom", "EA"),
        operation=one.get("operation", operation),
        method=Method(one.get("method", "backflush")),
        component_scrap=ratio(one.get("scrap", 0)),
        scrap_basis=ScrapBasis(one.get("basis", "multiply")),
        rounding=rounding_of(one),
        use=Use(one.get("use", "consumed")),
        fixed=one.get("fixed", False),
        setup_scrap=number(one.get("setup", 0)),
        operation_scrap=ratio(one.get("operation_scrap")),
        component_yield=ratio(one.get("yield", 1)),
        alternates=tuple(alternates),
        allocation=Strategy(one.get("allocation", "fefo")),
        on_shortage=Shortage(one.get("shortage", "block")),
        late_stage=LateStage(one.get("late", "accept")),
        location=one.get("location", ""),
        phantom="of" in one,
        rework=one.get("rework", False),
    )


def components_of(parts, operation):
    return [component_of(f"{number:04}", item, one, operation) for number, (item, one) in enumerate(parts.items(), 1)]


def walk(parts):
    """Yield every component of a case, those of phantoms too."""
    for item, one in parts.items():
        yield one.get("item", item), one
        yield from walk(one.get("of", {}))


def operations_of(case):
    return [
        BomOperation(
            name,
            one.get("unit", "EA"),
            ratio(one.get("per_order_unit", 1)),
            receipt=one.get("receipt", False),
            reporting_point=one.get("reports", True),
            activities=tuple(
                Activity(activity, number(time["quantity"]), time["uom"], rounding_of(time))
                for activity, time in one.get("activities", {}).items()
            ),
        )
        for name, one in case.get("operations", {"0010": {"receipt": True}}).items()
    ]


def master_of(case):
    operations, parts = operations_of(case), list(walk(case["components"]))
    bom = make_bom(
        *components_of(case["components"], operations[-1].operation),
        base_quantity=number(case.get("base", 1)),
        operations=tuple(operations),
        assembly_scrap=ratio(case.get("assembly_scrap", 0)),
    )
    phantoms = [
        make_phantom(
            item,
            *components_of(one["of"], ""),
            base_quantity=number(one.get("per", 1)),
            assembly_scrap=ratio(one.get("assembly_scrap", 0)),
        )
        for item, one in parts
        if "of" in one
    ]
    units = {
        (None, source, target): Fraction(str(factor))
        for source, targets in case.get("units", {}).items()
        for target, factor in targets.items()
    }
    stocked = {item: one.get("stocked_in", one.get("uom", "EA")) for item, one in parts}
    items = {item: item_of(one) for item, one in case.get("items", {}).items()}
    counted = frozenset({("L1", one.operation) for one in operations} if case.get("rejects_counted") else ())
    order = make_order(quantity=number(case.get("order", 1000)), over_tolerance=ratio(case.get("tolerance")))
    return make_master(
        order=order,
        bom=bom,
        more=phantoms,
        units=units,
        stocked_in=stocked,
        item_facts=items,
        rejects_counted=counted,
        lines={"L1": Line("L1", lot_scan=case.get("lot_scan", False))},
    )


def item_of(one):
    fields = {name: number(one[name]) for name in ("crumb",) if name in one}
    if "life" in one:
        fields["min_remaining_life"] = timedelta(days=one["life"])
    return fields | {name: one[name] for name in ("order_bound",) if name in one}


def lot_of(one):
    moments = {
        field: day(one[name])
        for name, field in (
            ("expires", "expires_at"),
            ("received", "received_at"),
            ("staged", "staged_at"),
            ("scanned", "scanned_at"),
        )
        if name in one
    }
    facts = {
        "density": number(one.get("density")),
        "temperature_coefficient": number(one.get("coefficient")),
        "reference_temperature": number(one.get("reference")),
        "potency": number(one.get("potency")),
        "priority": one.get("priority", 0),
    }
    return make_lot(
        one["lot"],
        str(one["quantity"]),
        item=one["item"],
        owner=ORDER if one.get("owner") == "order" else LINE,
        location=one.get("location", "L1-FILL"),
        status=LotStatus(one.get("status", "unrestricted")),
        uom=one.get("uom", "EA"),
        **moments,
        **facts,
    )


def shelf_of(case, master):
    plenty = [{"item": item, "lot": f"LOT-{item}", "quantity": 100_000} for item in master.items]
    shelf = Shelf(*(lot_of({"uom": master.items[one["item"]].uom} | one) for one in case.get("staged", plenty)))
    if "made" in case:
        shelf.made["100045", "0010"] = Progress(good=number(case["made"]))
    shelf.orders["100045"] = OrderState(overrun=number(case.get("overrun")))
    return shelf


def trigger_of(event, operation):
    one = event if isinstance(event, dict) else {"good": event}
    kind = next(name for name in KINDS if name in one)
    mention = LotMention(one["item"], one["lot"]) if kind == "issued" else None
    return make_trigger(
        str(one[kind]),
        one.get("operation", operation),
        kind=KINDS[kind],
        uom=one.get("uom", ""),
        lot=mention,
        temperature=number(one.get("temperature")),
        edited=tuple((line, number(quantity)) for line, quantity in one.get("edited", {}).items()),
        source_time=day(one.get("day", 0)),
    )


class Run:
    """What the engine makes of a case's events, one after the other; behind a blocked one all others wait."""

    def __init__(self, case) -> None:
        self.master = master_of(case)
        self.shelf = shelf_of(case, self.master)
        self.moved, self.activities = defaultdict(list), defaultdict(list)
        self.lines, self.deviations, self.backlog = [], [], defaultdict(lambda: ZERO)
        self.blocked, self.held = None, ZERO
        operation = operations_of(case)[-1].operation
        for event in case["events"]:
            if case.get("separate_orders"):
                self.shelf.requirements.clear()
            self._take(trigger_of(event, operation))

    def _take(self, trigger) -> None:
        outcome = step(self.shelf, self.master, trigger) if self.blocked is None else None
        if outcome is None or isinstance(outcome, Blocked):
            self.blocked = self.blocked or outcome
            self.held += trigger.event.quantity
            return
        self.shelf.take(outcome.changes)
        lines = [line for booking in outcome.bookings for line in booking.lines]
        self.lines += [[one.lot, one.quantity] for one in lines if one.use is Use.CONSUMED]
        for item in self.master.items:
            self.moved[item].append(sum((one.quantity for one in lines if one.item == item), ZERO))
        for booking in outcome.bookings:
            self.deviations += [one.code for one in booking.deviations]
            for one in booking.activities:
                self.activities[one.activity].append(one.quantity)
        for key, quantity in outcome.backlogs:
            self.backlog[key.bom_line] += quantity


def decimals(found):
    return {name: [Decimal(str(one)) for one in listed] for name, listed in found.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_the_engine_reproduces_the_worked_numbers(case):
    run = Run(case)
    expected = decimals(case.get("consumed", {}) | case.get("produced", {}))

    assert case.get("blocked") == (run.blocked and run.blocked.code)
    assert expected == {item: run.moved[item] for item in expected}
    assert {item: sum(run.moved[item]) for item in case.get("total", {})} == {
        item: Decimal(total) for item, total in case.get("total", {}).items()
    }
    assert [[lot, Decimal(one)] for lot, one in case.get("lines", run.lines)] == run.lines
    assert {lot: Decimal(left) for lot, left in case.get("left", {}).items()} == {
        lot: run.shelf.left(lot) for lot in case.get("left", {})
    }
    assert {line: Decimal(one) for line, one in case.get("backlog", {}).items()} == dict(run.backlog)
    assert Decimal(case.get("held", run.held)) == run.held
    assert case.get("deviations", []) == run.deviations
    assert decimals(case.get("activities", {})) == dict(run.activities)
    assert case.get("reason", "") in (run.blocked.reason if run.blocked else "")

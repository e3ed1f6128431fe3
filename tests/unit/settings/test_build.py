"""What the YAML becomes: rules, master data and counters as the core knows them."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from gateway.counting.counter import Counts
from gateway.domain.bom import (
    Activity,
    Alternate,
    Component,
    ControlLimits,
    LateStage,
    Method,
    Shortage,
    Strategy,
)
from gateway.domain.event import EventKind, SignalId
from gateway.domain.line import Cumulation, Line
from gateway.domain.lot import LotFacts, LotKey, Owner, Staging
from gateway.domain.material import Item
from gateway.domain.order import OrderKind
from gateway.domain.quantity import Rounding
from gateway.domain.rule import TriggerRule
from gateway.settings.device import counter_of, events_of, signals_of

FILLER, MASTER = "devices/filler.yaml", "masterdata/all.yaml"


def test_rules_are_the_cores_own(folder):
    fill, weigh = folder.load().rules

    assert fill == TriggerRule(
        "fill", 1, SignalId("FILLER", "good"), EventKind.GOOD_UNITS, "0010", order_signal="order", fallback_active=True
    )
    assert weigh == TriggerRule(
        "weigh", 2, SignalId("SCALE", "weight"), EventKind.WEIGHED, "0020", fallback_active=True
    )


def test_a_rule_may_cumulate(folder):
    folder.edit("triggers.yaml", "event: good_units", "event: good_units\n    cumulate: {window: 60s, units: 2000}")
    fill, _ = folder.load().rules

    assert Cumulation(timedelta(seconds=60), Decimal(2000)) == fill.cumulate


def test_a_shadow_rule_stands_beside_the_live_one(folder):
    shadow = '  - {trigger: try, version: 1, on: FILLER.good, event: good_units, operation: "0010", order: active'
    folder.write("triggers.yaml", (folder.root / "triggers.yaml").read_text("utf-8") + f"{shadow}, shadow: true}}\n")

    assert [False, False, True] == [rule.shadow for rule in folder.load().rules]


def test_a_shadow_rule_may_stand_alone(folder):
    folder.edit("triggers.yaml", "event: weighed", "event: weighed\n    shadow: true")

    assert [False, True] == [rule.shadow for rule in folder.load().rules]


@pytest.mark.parametrize(
    ("event", "paths"),
    [
        ("order_started", "order: $.order"),
        ("order_finished", "quantity: $.net"),
        ("lot_staged", "item: $.item, lot: $.lot, quantity: $.net"),
        ("lot_scanned", "item: $.item, lot: $.lot"),
        ("label_approved", "order: $.order"),
    ],
)
def test_what_happens_without_units_needs_no_operation_and_no_order(folder, event, paths):
    folder.edit("devices/scale.yaml", "quantity: $.net", paths)
    rule = f"on: SCALE.weight\n    event: {event}\n"
    text = (folder.root / "triggers.yaml").read_text("utf-8").partition("on: SCALE.weight")[0]
    folder.write("triggers.yaml", text + rule)
    _, told = folder.load().rules

    assert (EventKind(event), "", False) == (told.event, told.operation, told.fallback_active)


def test_an_order_may_come_from_the_event_alone(folder):
    folder.edit("devices/scale.yaml", "id: $.id", "id: $.id, order: $.order")
    folder.edit("triggers.yaml", "order: active", "order: {event: order}")
    _, weigh = folder.load().rules

    assert (weigh.order_from_event, weigh.fallback_active) == (True, False)


def test_master_data_is_exact(folder):
    folder.edit(MASTER, 'operation: "0010"}\n', 'operation: "0010", component_scrap: 1.5 %}\n')
    bom = folder.load().master.boms["B", "1"]
    cap, glue = bom.components

    assert (Decimal(12000), Fraction(15, 1000)) == (cap.quantity, cap.component_scrap)
    assert Fraction(12) == bom.operations[0].per_order_unit
    assert glue.method == Method.MEASURED


def test_a_component_is_the_cores_own(folder):
    more = (
        "use: consumed, fixed: true, operation_scrap: 2 %, setup_scrap: 24, yield: 98 %, on_shortage: split, "
        "alternates: [{item: GLUE, priority: 2}], allocation: lifo, late_stage: sign, location: X, mixing_units: 24"
    )
    folder.edit(MASTER, "units:\n", "units:\n  - {item: GLUE, from: EA, to: kg, factor: 2}\n")
    folder.edit(MASTER, 'operation: "0010"}\n', f'operation: "0010", {more}}}\n')
    folder.edit(MASTER, "method: measured", "method: measured, control_limits: {low: 1, owner: QA}")
    cap, glue = folder.load().master.boms["B", "1"].components
    made = Component(
        line="1",
        item="CAP",
        quantity=Decimal(12000),
        uom="EA",
        operation="0010",
        fixed=True,
        setup_scrap=Decimal(24),
        operation_scrap=Fraction(2, 100),
        component_yield=Fraction(98, 100),
        alternates=(Alternate("GLUE", 2),),
        allocation=Strategy.LIFO,
        on_shortage=Shortage.SPLIT,
        late_stage=LateStage.SIGN,
        location="X",
        mixing_units=Decimal(24),
    )

    assert made == cap
    assert ControlLimits(Decimal(1), None, "QA") == glue.limits


def test_an_operation_is_the_cores_own(folder):
    activity = "{activity: labour, quantity: 1, uom: h, rounding: {decimals: 2}}"
    more = f"defer: 10min, label_approval: true, activities: [{activity}]"
    folder.edit(MASTER, "per_order_unit: 12", f"per_order_unit: 12, {more}")
    operation = folder.load().master.boms["B", "1"].operations[0]

    assert (timedelta(minutes=10), True) == (operation.defer, operation.label_approval)
    assert (Activity("labour", Decimal(1), "h", Rounding(2)),) == operation.activities


def test_an_item_has_its_thresholds(folder):
    more = "order_bound: true, min_remaining_life: 30d, crumb: 0.5, reorder_point: 0, reorder_quantity: 7"
    folder.edit(MASTER, "{item: CAP, uom: EA}", f"{{item: CAP, uom: EA, {more}}}")

    assert folder.load().master.items["CAP"] == Item(
        "CAP",
        "EA",
        order_bound=True,
        min_remaining_life=timedelta(days=30),
        crumb=Decimal("0.5"),
        reorder_point=Decimal(0),
        reorder_quantity=Decimal(7),
    )


def test_an_order_has_tolerances_and_needs_no_version(folder):
    folder.edit(MASTER, 'bom_version: "1"', "over_tolerance: 0\n    under_tolerance: 5 %\n    kind: run-schedule")
    order = folder.load().master.orders["77"]

    assert ("", Fraction(0), Fraction(1, 20)) == (order.bom_version, order.over_tolerance, order.under_tolerance)
    assert OrderKind.RUN_SCHEDULE == order.kind


def test_a_shadow_version_is_not_approved(folder):
    text = (folder.root / MASTER).read_text("utf-8")
    second = text[text.index("  - bom: B") : text.index("orders:")].replace('version: "1"', 'version: "2"')
    folder.write("masterdata/second.yaml", "boms:\n" + second.replace("status: approved", "status: shadow"))
    shadow = folder.load().master.boms["B", "2"]

    assert (True, False) == (shadow.shadow, shadow.approved)


def test_a_staging_carries_the_facts_of_its_lot(folder):
    facts = "supplier: ACME, priority: 1, density: 1.03, temperature_coefficient: 0.0002, reference_temperature: 20"
    folder.edit(MASTER, "lot: H1,", f"lot: H1, {facts}, potency: 0.98, scanned: true,")
    _, staging = folder.load().master.stagings
    coefficient = Decimal("0.0002")

    assert LotFacts("ACME", 1, Decimal("1.03"), coefficient, Decimal(20), Decimal("0.98")) == staging.facts
    assert staging.scanned


def test_a_line_has_its_shifts_and_run_rules(folder):
    folder.edit(
        "gateway.yaml",
        "line: L1",
        'line: L1\n    timezone: Europe/Vienna\n    shifts: ["06:00", "22:00"]\n    lot_scan: true',
    )

    assert {"L1": Line("L1", "Europe/Vienna", (time(6), time(22)), lot_scan=True)} == folder.load().master.lines


def test_reason_codes_have_their_texts(folder):
    folder.edit(MASTER, "units:\n", "reasons: [{reason: R01, text: Wrong count}]\nunits:\n")

    assert {"R01": "Wrong count"} == folder.load().master.reasons


def test_scrap_is_a_percentage_or_a_number(folder):
    folder.edit(MASTER, 'operation: "0010"}\n', 'operation: "0010", component_scrap: 0.015}\n')

    assert Fraction(15, 1000) == folder.load().master.boms["B", "1"].components[0].component_scrap


def test_units_convert_both_ways(folder):
    units = folder.load().master.units

    assert (Fraction(1, 1000), Fraction(1000)) == (units.factor("GLUE", "g", "kg"), units.factor("GLUE", "kg", "g"))


def test_a_staging_serves_its_order_or_its_line(folder):
    line, order = folder.load().master.stagings
    received = datetime(2026, 1, 1, tzinfo=UTC)

    assert line == Staging("S1", LotKey(Owner("line", "L1"), "CAP", "C1", "X"), Decimal(5000), "EA", received)
    assert Owner("order", "77") == order.key.owner


def test_the_active_order_is_the_lines(folder):
    assert folder.load().master.active_order("L1") == "77"


def test_a_counter_is_what_counting_works_with(folder):
    signals = signals_of(folder.load().devices["FILLER"])
    counter = counter_of(signals["good"])

    assert counter is not None
    assert (Counts.GOOD, 65536, Decimal(20), True) == (
        counter.counts,
        counter.modulus,
        counter.max_rate,
        counter.has_epoch,
    )
    assert counter_of(signals["boot"]) is None


def test_only_event_signals_have_message_paths(folder):
    devices = folder.load().devices

    assert events_of(signals_of(devices["FILLER"])["good"]) is None
    assert events_of(signals_of(devices["SCALE"])["weight"]).id == "$.id"


def test_a_rounding_makes_an_endless_requirement_right(folder):
    folder.edit(MASTER, "quantity: 12000", "rounding: {decimals: 3}, quantity: 1000")

    assert folder.load().master.boms["B", "1"].components[0].rounding.decimals == 3

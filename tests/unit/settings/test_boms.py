"""Faults between bills of material, items and sinks that take more than one change to make."""

import pytest

from gateway.domain.quantity import Rounding, RoundingMode

MASTER = "masterdata/all.yaml"
CAP = 'item: CAP, quantity: 12000, uom: EA, operation: "0010"'
AT = f"{MASTER}:18: boms[0].components[0]"
MORE = "masterdata/more.yaml"


def bom(name, item, *lines, version="1", status="approved", more=""):
    """Return a BOM without operations, such as a phantom explodes to, in one row."""
    components = ", ".join(f'{{line: "{number}", {line}}}' for number, line in enumerate(lines, 1))
    head = f'bom: {name}, version: "{version}", item: {item}, base_quantity: 1, uom: EA, status: {status}'
    return f"  - {{{head}{more}, components: [{components}]}}\n"


def test_a_serial_tracked_alternate_can_not_be_backflushed_either(folder):
    folder.write(MORE, "items:\n  - {item: CAP-2, uom: EA, serial_tracked: true}\n")
    folder.edit(MASTER, CAP, f"{CAP}, alternates: [{{item: CAP-2}}]")

    assert folder.faults() == [
        f"{AT}: CAP-2 is serial-tracked and can't be backflushed; write method: scan, measured or pick"
    ]


def test_a_scanned_item_may_be_serial_tracked(folder):
    folder.edit(MASTER, "{item: CAP, uom: EA}", "{item: CAP, uom: EA, serial_tracked: true}")
    folder.edit(MASTER, CAP, f"{CAP}, method: scan")

    assert folder.load().master.items["CAP"].serial_tracked


def test_shares_have_to_leave_the_component_something(folder):
    folder.write(MORE, "items:\n  - {item: C2, uom: EA}\n  - {item: C3, uom: EA}\n")
    folder.edit(MASTER, CAP, f"{CAP}, alternates: [{{item: C2, share: 60 %}}, {{item: C3, share: 0.4}}]")

    assert folder.faults() == [f"{AT}.alternates: the alternates' shares take 100 %, which leaves CAP nothing"]


def test_a_share_of_a_third_needs_a_rounding(folder):
    folder.write(MORE, "items:\n  - {item: C2, uom: EA}\n")
    folder.edit(MASTER, CAP, CAP.replace("12000", "120") + ", alternates: [{item: C2, share: 30 %}], yield: 90 %")

    assert folder.faults() == [
        f"{AT}.quantity: for one unit of operation 0010: {part} never ends as a decimal "
        "(give the component a rounding with decimals)"
        for part in ("1/300", "7/900")
    ]


def test_a_phantom_takes_the_unit_of_its_own_bom(folder):
    folder.write(MORE, "items:\n  - {item: SET, uom: EA}\nboms:\n" + bom("S", "SET", "item: GLUE, quantity: 5, uom: g"))
    folder.edit(MASTER, CAP, 'item: SET, quantity: 12000, phantom: true, operation: "0010"')
    master = folder.load().master

    assert (master.boms["B", "1"].components[0].uom, master.boms["S", "1"].operations) == ("EA", ())


def test_a_phantom_needs_an_approved_bom(folder):
    draft = bom("S", "SET", "item: GLUE, quantity: 5, uom: g", status="draft")
    folder.write(MORE, f"items:\n  - {{item: SET, uom: EA}}\nboms:\n{draft}")
    folder.edit(MASTER, CAP, 'item: SET, quantity: 12000, phantom: true, operation: "0010"')

    assert folder.faults() == [f"{AT}.phantom: phantom SET has no approved BOM, so nothing says what it takes"]


def test_a_phantoms_unit_has_to_convert_to_that_of_its_bom(folder):
    folder.write(MORE, "items:\n  - {item: SET, uom: EA}\nboms:\n" + bom("S", "SET", "item: GLUE, quantity: 5, uom: g"))
    folder.edit(MASTER, CAP, 'item: SET, quantity: 12000, uom: BOX, phantom: true, operation: "0010"')

    assert folder.faults() == [
        (
            f"{AT}.uom: no conversion from BOX to EA for item SET "
            "(add one to the units, for example {from: BOX, to: EA, factor: 1000})"
        )
    ]


def test_a_phantom_may_not_contain_itself(folder):
    outer = bom("S", "SET", "item: PART, quantity: 1, phantom: true")
    inner = bom("P", "PART", "item: SET, quantity: 1, phantom: true")
    folder.write(MORE, f"items:\n  - {{item: SET, uom: EA}}\n  - {{item: PART, uom: EA}}\nboms:\n{outer}{inner}")
    folder.edit(MASTER, CAP, 'item: SET, quantity: 12000, phantom: true, operation: "0010"')

    assert folder.faults() == [
        f"{MORE}:5: boms[0].components[0].item: the BOM of SET takes SET itself (SET → PART → SET)",
        f"{MORE}:6: boms[1].components[0].item: the BOM of PART takes PART itself (PART → SET → PART)",
    ]


def test_a_bom_may_not_consume_its_own_item_by_way_of_a_phantom(folder):
    folder.write(
        MORE, "items:\n  - {item: SET, uom: EA}\nboms:\n" + bom("S", "SET", "item: CASE, quantity: 1, uom: EA")
    )
    folder.edit(MASTER, CAP, 'item: SET, quantity: 12000, phantom: true, operation: "0010"')

    assert folder.faults() == [f"{AT}.item: the BOM of CASE takes CASE itself (CASE → SET → CASE)"]


def test_rework_may_salvage_the_product_itself(folder):
    line = '- {line: "3", item: CASE, quantity: 900, uom: EA, operation: "0020", use: by-product, rework: true}'
    folder.edit(MASTER, "method: measured}", f"method: measured}}\n      {line}")

    assert folder.load().master.boms["B", "1"].components[2].rework


def test_an_endless_requirement_of_a_phantoms_component_is_said_at_its_own_line(folder):
    folder.write(MORE, "items:\n  - {item: SET, uom: EA}\nboms:\n" + bom("S", "SET", "item: CAP, quantity: 1, uom: EA"))
    folder.edit(MASTER, CAP, 'item: SET, quantity: 1000, phantom: true, operation: "0010"')

    assert folder.faults() == [
        (
            f"{MORE}:4: boms[0].components[0].quantity: for one unit of operation 0010: 1/12 never ends as a decimal "
            "(give the component a rounding with decimals)"
        )
    ]


def test_components_of_an_operation_without_reports_are_reckoned_at_the_next_one(folder):
    folder.edit(MASTER, '"0020", unit: kg, receipt: true', '"0020", unit: kg, per_order_unit: 10, receipt: true')
    folder.edit(MASTER, "per_order_unit: 12}", "per_order_unit: 12, reporting_point: false}")
    folder.edit("triggers.yaml", 'operation: "0010"', 'operation: "0020"')
    folder.edit(MASTER, CAP, CAP.replace("12000", "1000"))

    assert folder.load().master.boms["B", "1"].operations[0].reporting_point is False


def version(number, **dates):
    """Return another version of the folder's own BOM, as text."""
    more = "".join(f", {key}: {value}" for key, value in dates.items())
    more += ', operations: [{operation: "0010", unit: bottle, per_order_unit: 12}, {operation: "0020", receipt: true}]'
    return bom("B", "CASE", version=number, more=more)


def test_versions_that_the_time_chooses_from_may_not_be_effective_together(folder):
    folder.edit(MASTER, '    bom_version: "1"\n', "")
    folder.write(MORE, f"boms:\n{version('2', effective_from='2026-06-01T00:00:00Z')}")

    assert folder.faults() == [
        (
            f"{MORE}:2: boms[0].effective_from: BOM B version 2 and B version 1 are effective together, "
            "and order 77 pins none; give the earlier one an effective_to"
        )
    ]


def test_versions_may_follow_each_other(folder):
    folder.edit(MASTER, '    bom_version: "1"\n', "")
    folder.edit(MASTER, "status: approved", "status: approved\n    effective_to: 2026-06-01T00:00:00Z")
    folder.write(MORE, f"boms:\n{version('2', effective_from='2026-06-01T00:00:00Z')}")

    assert folder.load().master.orders["77"].bom_version == ""


def test_versions_of_a_pinned_bom_may_overlap(folder):
    folder.write(MORE, f"boms:\n{version('2')}")

    assert {"1", "2"} == {number for _, number in folder.load().master.boms}


def test_an_order_that_pins_no_version_needs_an_approved_one(folder):
    folder.edit(MASTER, '    bom_version: "1"\n', "")
    folder.edit(MASTER, "status: approved", "status: obsolete")

    assert folder.faults() == [f"{MASTER}:26: orders[0].bom: no version of BOM B is approved, and the order pins none"]


def test_a_bom_without_operations_makes_no_order(folder):
    folder.write(MORE, "boms:\n" + bom("S", "CASE", "item: GLUE, quantity: 5, uom: g"))
    folder.edit(MASTER, "bom: B\n    bom_version", "bom: S\n    bom_version")
    folder.edit(MASTER, CAP, 'item: CAP, quantity: 12000, uom: EA, operation: "0010"')

    assert (
        f"{MASTER}:26: orders[0].bom: BOM S version 1 has no operations; it can only be a phantom's" in folder.faults()
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("quantity: 1500, uom: g", "GLUE needs 4 decimals in kg, sink erp holds 3; stock it in g"),
        ("quantity: 1.5, uom: kg", "GLUE needs 4 decimals in kg, sink erp holds 3; stock it in g"),
        (
            "quantity: 0.0015, uom: g, rounding: {decimals: 8}",
            "GLUE needs 11 decimals in kg, sink erp holds 3; give the component a coarser rounding",
        ),
        (
            "quantity: 1000, uom: g, setup_scrap: 0.5",
            "GLUE needs 4 decimals in kg, sink erp holds 3; stock it in g",
        ),
        (
            "quantity: 0.25, uom: g, fixed: true",
            "GLUE needs 5 decimals in kg, sink erp holds 3; stock it in g",
        ),
    ],
)
def test_more_decimals_than_a_sink_holds_are_refused_with_the_way_out(folder, line, message):
    folder.edit("gateway.yaml", "kind: post", "kind: post\n    decimals: 3")
    folder.edit(MASTER, "quantity: 2500, uom: g", line)
    folder.edit(MASTER, ", method: measured", "")

    assert folder.faults() == [f"{MASTER}:19: boms[0].components[1].quantity: {message}"]


@pytest.mark.parametrize(
    "line",
    [
        "quantity: 1000, uom: g",
        "quantity: 1.5, uom: g, rounding: {decimals: 0}",
        "quantity: 1.5, uom: g, rounding: {multiple: 250}",
        "quantity: 1.5, uom: g, method: pick",
    ],
)
def test_what_a_sink_holds_is_accepted(folder, line):
    folder.edit("gateway.yaml", "kind: post", "kind: post\n    decimals: 3")
    folder.edit(MASTER, "quantity: 2500, uom: g", line)
    folder.edit(MASTER, ", method: measured", "")

    assert folder.load().gateway.sinks[0].decimals == 3


def test_a_pack_is_a_rounding(folder):
    folder.edit(MASTER, CAP, f"{CAP}, rounding: {{multiple: 250, mode: up}}")

    assert folder.load().master.boms["B", "1"].components[0].rounding == Rounding(None, RoundingMode.UP, 250)

"""Every way to break a configuration that has a message of its own: file, line, key, and what would be right."""

import pytest

FILLER, SCALE, RULES, MASTER, GATEWAY = (
    "devices/filler.yaml",
    "devices/scale.yaml",
    "triggers.yaml",
    "masterdata/all.yaml",
    "gateway.yaml",
)

NOT_ON_SCALE = f"{SCALE}:5: signals.weight: no rule in triggers.yaml is on SCALE.weight: its units would never be posted"

# file, what stands there, what stands there instead, the rows that gives
BROKEN = {
    # Types and keys
    "rate without a unit": (FILLER, "max_rate: 20/s, epoch", "max_rate: 20, epoch", f"{FILLER}:7: signals.good.counter.max_rate: 20 is no rate; write for example 20/s or 600/min"),
    "rate of nothing": (FILLER, "max_rate: 20/s, epoch", "max_rate: 0/s, epoch", f"{FILLER}:7: signals.good.counter.max_rate: '0/s' has to be more than nothing"),
    "wrong type": (FILLER, "modulus: 65536, max_rate: 20/s, epoch", "modulus: wide, max_rate: 20/s, epoch", f"{FILLER}:7: signals.good.counter.modulus: 'wide' is no whole number"),
    "too small": (FILLER, "modulus: 65536, max_rate: 20/s, epoch", "modulus: 1, max_rate: 20/s, epoch", f"{FILLER}:7: signals.good.counter.modulus: 1 should be greater than 1"),
    "unknown choice": (FILLER, "counts: good", "counts: goods", f"{FILLER}:7: signals.good.counter.counts: 'goods' is not one of 'good', 'scrap', 'rework' or 'total'"),
    "unknown key": (FILLER, "modulus: 65536, max_rate: 20/s, epoch", "modulus: 65536, max_rate: 20/s, brust: 3, epoch", f"{FILLER}:7: signals.good.counter.brust: is no key here; did you mean 'burst'?"),
    "unknown key of a list's entry": (MASTER, "base_quantity: 1000", "base_quantity: 1000\n    basequantity: 1", f"{MASTER}:12: boms[0].basequantity: is no key here; did you mean 'base_quantity'?"),
    "unknown key of a file": (MASTER, "stagings:\n", "staging:\n", f"{MASTER}:29: staging: is no key here; did you mean 'stagings'?"),
    "unknown key of a sink": (GATEWAY, "url: http", "uri: x\n    url: http", f"{GATEWAY}:8: sinks[0].uri: is no key here; did you mean 'url'?"),
    "missing key": (FILLER, "modulus: 65536, max_rate: 20/s, epoch", "max_rate: 20/s, epoch", f"{FILLER}:7: signals.good.counter.modulus: is missing (it shows 0 … modulus−1; PLCs roll over at 32767, 65535, 9999 …)"),
    "missing key of a block": (FILLER, "line: L1\n", "", f"{FILLER}:1: line: is missing (one of the lines in gateway.yaml)"),
    "number for a text": (RULES, 'operation: "0020"', "operation: 20", f"{RULES}:12: triggers[1].operation: 20 is no text; write it in quotes"),
    "list for a mapping": (GATEWAY, "store: {path: var/gateway.db}", "store: [var]", f"{GATEWAY}:2: store: a list is no mapping (key: value)"),
    "no list": (RULES, "triggers:\n", "triggers: 7\nx:\n", f"{RULES}:1: triggers: 7 is no list (- …)"),
    "name with a blank": (FILLER, "line: L1", "line: L 1", f"{FILLER}:2: line: 'L 1' has a character that can't stand here (allowed: ^[A-Za-z0-9_-]{{1,64}}$)"),
    "empty text": (MASTER, "lot: C1", "lot: ''", f"{MASTER}:30: stagings[0].lot: '' should have at least 1 character"),
    "duration without a unit": (GATEWAY, "clock_trust: assume", "clock_trust: assume\nretention: {keep: 90}", f"{GATEWAY}:12: retention.keep: 90 is no duration; write for example 250ms, 10s, 5min, 8h or 90d"),
    "no exact number": (MASTER, "quantity: 5000", "quantity: many", f"{MASTER}:30: stagings[0].quantity: 'many' is not a number"),
    "negative quantity": (MASTER, "quantity: 5000", "quantity: -5000", f"{MASTER}:30: stagings[0].quantity: -5000 should be greater than 0"),
    "factor of nothing": (MASTER, "factor: 0.001", "factor: 1/0", f"{MASTER}:6: units[0].factor: 1/0 has to be more than nothing; write for example 12, 0.001 or 1/3"),
    "scrap of more than all": (MASTER, 'operation: "0010"}', 'operation: "0010", component_scrap: 150 %}', f"{MASTER}:18: boms[0].components[0].component_scrap: 150 % is no share below 1; write for example 1.5 % or 0.015"),
    "moment without a zone": (MASTER, "received_at: 2026-01-01T00:00:00Z", "received_at: 2026-01-01T00:00:00", f"{MASTER}:30: stagings[0].received_at: '2026-01-01T00:00:00' has no time zone; write for example 2026-11-21T10:00:00Z"),
    "no moment": (MASTER, "received_at: 2026-01-01T00:00:00Z", "received_at: yesterday", f"{MASTER}:30: stagings[0].received_at: 'yesterday' is no moment; write for example 2026-11-21T10:00:00Z"),
    "unknown protocol": (FILLER, "kind: plc", "kind: plcs", f"{FILLER}:3: kind: nothing is of kind 'plcs'; did you mean 'plc'?"),
    "unknown sink": (GATEWAY, "kind: post", "kind: fax", f"{GATEWAY}:7: sinks[0].kind: nothing is of kind 'fax'; known are post"),
    "device without a kind": (FILLER, "kind: plc\n", "", f"{FILLER}:1: kind: is missing (the protocol)"),
    "unknown source of the order": (RULES, "order: active", "order: newest", f"{RULES}:13: triggers[1].order: 'newest' is no source of an order; write active, or for example {{event: order}}"),
    "unknown epoch": (FILLER, "epoch: boot", "epoch: bott", f"{FILLER}:1: signal good: epoch 'bott' is no signal of this device (it has all, boot, good, order)"),
    "event without identity": (SCALE, "id: $.id, ", "", f"{SCALE}:7: signals.weight.event: an event source needs an id or a sequence from the device, or a repeated message would be booked twice; add for example id: $.id, or use a cumulative counter instead"),
    "staging without an owner": (MASTER, "line: L1, received", "received", f"{MASTER}:30: stagings[0]: a staging serves either an order or a line; write one of the two keys"),
    # YAML itself
    "syntax": (FILLER, "signals:", "signals: [", f"{FILLER}:6: while parsing a flow sequence, did not find expected ',' or ']'"),
    "key twice": (FILLER, "kind: plc", "kind: plc\nline: L2", f"{FILLER}:4: key 'line' stands twice, first in line 2"),
    "anchor": (FILLER, "device: FILLER", "device: &d FILLER", f"{FILLER}:1: anchors, aliases and tags (& * !) are not read; write the value itself"),
    "second document": (FILLER, "signals:", "---\nsignals:", f"{FILLER}:4: a second document begins here; one file holds one document"),
    "too deep": (FILLER, "device: FILLER", "device: " + "[" * 50, f"{FILLER}:1: is nested too deeply"),
    "empty file": (SCALE, "device: SCALE\nline: L1\nkind: bus\nsignals:\n  weight:\n    topic: t\n    event: {id: $.id, quantity: $.net}\n", "", f"{SCALE}:1: nothing is no mapping (key: value)"),
    # Devices and rules
    "unknown line": (SCALE, "line: L1", "line: L2", f"{SCALE}:2: line: line 'L2' is not configured; known are L1"),
    "unknown device": (RULES, "on: SCALE.weight", "on: SCALES.weight", NOT_ON_SCALE, f"{RULES}:10: triggers[1].on: device 'SCALES' is not configured; did you mean 'SCALE'?"),
    "unknown signal": (RULES, "on: SCALE.weight", "on: SCALE.wait", NOT_ON_SCALE, f"{RULES}:10: triggers[1].on: SCALE's signal 'wait' is not configured; did you mean 'weight'?"),
    "rule of a total": (RULES, "on: SCALE.weight", "on: FILLER.all", NOT_ON_SCALE, f"{RULES}:10: triggers[1].on: FILLER.all is a total: a cross-check that must have no rule"),
    "rule of a context signal": (RULES, "on: SCALE.weight", "on: FILLER.boot", NOT_ON_SCALE, f"{RULES}:10: triggers[1].on: FILLER.boot neither counts nor reports events; add a counter to the signal"),
    "event that doesn't fit a counter": (RULES, "event: good_units", "event: scrap_units", f"{RULES}:5: triggers[0].event: 'scrap_units' does not fit FILLER.good, which counts good units; write good_units"),
    "event that doesn't fit a message": (RULES, "event: weighed", "event: rework_units", f"{RULES}:11: triggers[1].event: 'rework_units' does not fit SCALE.weight, which reports events; write case_sealed or weighed or good_units or scrap_units"),
    "rule twice": (RULES, "trigger: weigh", "trigger: fill", f"{RULES}:8: triggers[1].trigger: rule fill stands twice, first at {RULES}:2"),
    "unknown order signal": (RULES, "FILLER.order", "FILLER.odrer", f"{RULES}:7: triggers[0].order.signal: FILLER's signal 'odrer' is not configured; did you mean 'order'?"),
    "order of another device": (RULES, "FILLER.order", "SCALE.weight", f"{RULES}:7: triggers[0].order.signal: SCALE.weight is of another device; the order is read in one scan with FILLER.good"),
    "order that no event carries": (RULES, "order: active\n", "order: {event: order}\n", f"{RULES}:13: triggers[1].order.event: SCALE.weight reports no order; add a path to it there, for example order: $.order"),
    "unknown operation": (RULES, 'operation: "0020"', 'operation: "0030"', f"{RULES}:12: triggers[1].operation: '0030' is not in the BOM of order 77; it has 0010, 0020"),
    "line twice": (GATEWAY, "- line: L1", "- line: L1\n  - line: L1", f"{GATEWAY}:5: lines[1]: L1 stands twice"),
    # Master data
    "missing BOM": (MASTER, "bom_version: \"1\"", 'bom_version: "2"', f"{MASTER}:26: orders[0].bom: BOM 'B version 2' is not configured; did you mean 'B version 1'?"),
    "draft BOM": (MASTER, "status: approved", "status: draft", f"{MASTER}:27: orders[0].bom_version: BOM B version 1 is draft at {MASTER}:8; only an approved one posts"),
    "BOM of another item": (MASTER, '"77"\n    item: CASE', '"77"\n    item: CAP', f"{MASTER}:26: orders[0].bom: BOM B version 1 makes CASE, the order wants CAP"),
    "order in a strange unit": (MASTER, "quantity: 100\n    uom: EA", "quantity: 100\n    uom: PAL", f"{MASTER}:24: orders[0].uom: no conversion from PAL to EA for item CASE (add one to the units, for example {{from: PAL, to: EA, factor: 1000}})"),
    "order on an unknown line": (MASTER, "uom: EA\n    line: L1", "uom: EA\n    line: L9", f"{MASTER}:25: orders[0].line: line 'L9' is not configured; known are L1"),
    "unknown component": (MASTER, "item: CAP, quantity: 12000", "item: CAPS, quantity: 12000", f"{MASTER}:18: boms[0].components[0].item: item 'CAPS' is not configured; did you mean 'CAP'?"),
    "unit without conversion": (MASTER, "quantity: 12000, uom: EA", "quantity: 12000, uom: BOX", f"{MASTER}:18: boms[0].components[0].uom: no conversion from BOX to EA for item CAP (add one to the units, for example {{from: BOX, to: EA, factor: 1000}})"),
    "component of an unknown operation": (MASTER, 'uom: EA, operation: "0010"', 'uom: EA, operation: "0015"', f"{MASTER}:18: boms[0].components[0].operation: operation '0015' is not in this BOM; it has 0010, 0020"),
    "no receipt": (MASTER, ", receipt: true", "", f"{MASTER}:14: boms[0].operations: exactly one operation receives the product, none does; write receipt: true at the last one"),
    "two receipts": (MASTER, "per_order_unit: 12", "per_order_unit: 12, receipt: true", f"{MASTER}:14: boms[0].operations: exactly one operation receives the product, 2 do: 0010, 0020; write receipt: true at the last one"),
    "endless requirement": (MASTER, "quantity: 12000", "quantity: 1000", f"{MASTER}:18: boms[0].components[0].quantity: for one unit of operation 0010: 1/12 never ends as a decimal (give the component a rounding with decimals)"),
    "unmeasurable component": (MASTER, "unit: kg", "unit: l", f"{MASTER}:19: boms[0].components[1].uom: measured at operation 0020: no conversion from l to g for item GLUE (add one to the units, for example {{from: l, to: g, factor: 1000}})"),
    "BOM line twice": (MASTER, 'line: "2"', 'line: "1"', f"{MASTER}:19: boms[0].components[1].line: BOM line 1 stands twice"),
    "operation twice": (MASTER, '{operation: "0010", unit', '{operation: "0010"}\n      - {operation: "0010", unit', f"{MASTER}:16: boms[0].operations[1].operation: operation 0010 stands twice"),
    "item twice": (MASTER, "- {item: CAP, uom: EA}", "- {item: CASE, uom: EA}\n  - {item: CAP, uom: EA}", f"{MASTER}:3: items[1].item: item CASE stands twice, first at {MASTER}:2"),
    "conversion twice": (MASTER, "units:\n", "units:\n  - {from: kg, to: g, factor: 999}\n", f"{MASTER}:7: units[1].from: g to kg says again what {MASTER}:6 says"),
    "staging twice": (MASTER, "staging: S2", "staging: S1", f"{MASTER}:31: stagings[1].staging: staging S1 stands twice, first at {MASTER}:30"),
    "staging of an unknown item": (MASTER, "item: CAP, lot", "item: CUP, lot", f"{MASTER}:30: stagings[0].item: item 'CUP' is not configured; did you mean 'CAP'?"),
    "staging in a strange unit": (MASTER, "quantity: 900, uom: g", "quantity: 900, uom: oz", f"{MASTER}:31: stagings[1].uom: no conversion from oz to kg for item GLUE (add one to the units, for example {{from: oz, to: kg, factor: 1000}})"),
    "staging for an unknown order": (MASTER, 'order: "77", received', 'order: "78", received', f"{MASTER}:31: stagings[1].order: order '78' is not configured; known are 77"),
    "staging for an unknown line": (MASTER, "line: L1, received", "line: LL, received", f"{MASTER}:30: stagings[0].line: line 'LL' is not configured; known are L1"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_each_fault_is_a_row_with_its_file_line_key_and_remedy(folder, case):
    file, old, new, *expected = BROKEN[case]
    folder.edit(file, old, new)

    assert expected == folder.faults()

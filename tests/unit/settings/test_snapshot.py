"""The JSON that the hash of master data is made of, and what counts for the hashes."""

import json
from fractions import Fraction
from hashlib import sha256

import pytest

from gateway.errors import DataError
from gateway.settings.snapshot import plain, read_snapshot

MASTER = "masterdata/all.yaml"
CAP = 'quantity: 12000, uom: EA, operation: "0010"'
FULL = (
    "fixed: true, component_scrap: 1.5 %, scrap_basis: divide, operation_scrap: 2 %, setup_scrap: 24, yield: 98 %, "
    "alternates: [{item: CAP-2, priority: 2, share: 33.3 %}], allocation: lifo, on_shortage: split, late_stage: sign, "
    "location: X, mixing_units: 24, rounding: {decimals: 2, mode: up}"
)


@pytest.fixture
def rich(folder):
    """The folder with everything that a snapshot can hold."""
    folder.write("masterdata/more.yaml", "items:\n  - {item: CAP-2, uom: EA, min_remaining_life: 30d, crumb: 0.5}\n")
    folder.edit(MASTER, CAP, f"{CAP}, {FULL}")
    folder.edit(MASTER, "method: measured", "method: measured, control_limits: {low: 1, owner: QA}")
    folder.edit(MASTER, "per_order_unit: 12", "per_order_unit: 12, defer: 10min, label_approval: true")
    folder.edit(
        MASTER, "units:\n", "reasons: [{reason: R01, text: Zählfehler}]\nunits:\n  - {from: DZ, to: EA, factor: 1/3}\n"
    )
    folder.edit("gateway.yaml", "line: L1", 'line: L1\n    timezone: Europe/Vienna\n    shifts: ["06:00"]')
    return folder


def test_the_hash_of_master_data_is_that_of_the_snapshots_bytes(rich):
    config = rich.load()

    assert f"sha256:{sha256(config.snapshot).hexdigest()}" == config.master.hash


def test_a_snapshot_is_master_data_again(rich):
    config = rich.load()
    again = read_snapshot(config.snapshot)

    for kind in ("hash", "items", "units", "boms", "orders", "lines", "rejects_counted", "reasons"):
        assert getattr(config.master, kind) == getattr(again, kind)


def test_a_snapshot_is_read_by_a_person(rich):
    content = json.loads(rich.load().snapshot)
    component, operation = content["boms"][0]["components"][0], content["boms"][0]["operations"][0]

    assert ("12000", "0.015", "divide") == tuple(
        component[key] for key in ("quantity", "component_scrap", "scrap_basis")
    )
    assert ("PT600S", "12") == (operation["defer"], operation["per_order_unit"])
    assert {"item": None, "source": "DZ", "target": "EA", "factor": "1/3"} in content["units"]
    assert ({"R01": "Zählfehler"}, ["06:00"]) == (content["reasons"], content["lines"][0]["shifts"])


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"items": 1}'])
def test_what_is_no_snapshot_is_refused(body):
    with pytest.raises(DataError, match="no snapshot"):
        read_snapshot(body)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (MASTER, "location: X", "location: Y"),
        (MASTER, "text: Zählfehler", "text: Irrtum"),
        ("masterdata/more.yaml", "crumb: 0.5", "crumb: 0.6"),
        ("gateway.yaml", "Europe/Vienna", "Europe/Berlin"),
        ("gateway.yaml", "06:00", "06:30"),
        ("triggers.yaml", "event: good_units", "event: good_units\n    cumulate: {window: 60s}"),
        ("devices/filler.yaml", "max_rate: 20/s, epoch", "max_rate: 25/s, epoch"),
    ],
)
def test_the_configurations_hash_covers_master_data_lines_rules_and_devices(rich, file, old, new):
    before = rich.load().configuration_hash
    rich.edit(file, old, new)

    assert before != rich.load().configuration_hash


def test_neither_comments_nor_stagings_nor_sinks_change_the_configurations_hash(rich):
    before = rich.load().configuration_hash
    rich.edit("triggers.yaml", "triggers:", "# a comment\ntriggers:")
    rich.edit(MASTER, "quantity: 5000", "quantity: 6000")
    rich.edit("gateway.yaml", "http://127.0.0.1/", "http://127.0.0.2/")

    assert before == rich.load().configuration_hash


def test_a_shadow_rule_of_rejects_counts_none(folder):
    folder.edit("devices/filler.yaml", "counts: good", "counts: scrap")
    folder.edit("triggers.yaml", "event: good_units", "event: scrap_units")
    live = folder.load().master
    folder.edit(
        "triggers.yaml",
        "triggers:\n",
        "triggers:\n"
        '  - {trigger: try, version: 1, on: SCALE.weight, event: scrap_units, operation: "0020", order: active, '
        "shadow: true}\n",
    )

    assert frozenset({("L1", "0010")}) == live.rejects_counted
    assert live.hash == folder.load().master.hash


def test_a_number_is_the_same_however_it_was_written():
    assert plain((Fraction(10), Fraction(1, 3))) == ["10", "1/3"]

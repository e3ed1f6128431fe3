from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from gateway.counting.counter import Counts
from gateway.domain.bom import Method
from gateway.domain.event import EventKind, SignalId
from gateway.domain.lot import LotKey, Owner, Staging
from gateway.domain.rule import TriggerRule
from gateway.errors import ConfigError
from gateway.settings.device import counter_of, events_of, signals_of
from gateway.settings.load import load

FILLER, MASTER = "devices/filler.yaml", "masterdata/all.yaml"


def test_a_valid_folder_has_its_lines_devices_and_sinks(folder):
    config = folder.load()

    assert config.lines == ("L1",)
    assert {"FILLER", "SCALE"} == set(config.devices)
    assert [sink.sink for sink in config.gateway.sinks] == ["erp"]


def test_rules_are_the_cores_own(folder):
    fill, weigh = folder.load().rules

    assert fill == TriggerRule(
        "fill", 1, SignalId("FILLER", "good"), EventKind.GOOD_UNITS, "0010", order_signal="order", fallback_active=True
    )
    assert weigh == TriggerRule(
        "weigh", 2, SignalId("SCALE", "weight"), EventKind.WEIGHED, "0020", fallback_active=True
    )


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


def test_the_hash_is_of_the_content_and_not_of_the_files(folder):
    before = folder.load().master.hash
    text = (folder.root / MASTER).read_text("utf-8").replace("12000", "12000.0")
    head, _, tail = text.partition("boms:")
    folder.write("masterdata/all.yaml", head)
    folder.write("masterdata/second.yml", f"boms:{tail}")

    assert before == folder.load().master.hash


def test_the_hash_changes_with_the_content(folder):
    before = folder.load().master.hash
    folder.edit(MASTER, "12000", "12012")

    assert before != folder.load().master.hash


def test_stagings_are_no_part_of_the_hash(folder):
    before = folder.load().master.hash
    folder.edit(MASTER, "quantity: 5000", "quantity: 6000")

    assert before == folder.load().master.hash


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


def test_the_store_lies_below_the_folder(folder):
    assert folder.root / "var/gateway.db" == folder.load().store_path


def test_systemds_state_directory_takes_the_store(folder, monkeypatch):
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/backflush:/var/lib/other")

    assert Path("/var/lib/backflush/var/gateway.db") == folder.load().store_path


def test_all_faults_of_all_files_come_at_once(folder):
    folder.edit("gateway.yaml", "clock_trust: assume", "clock_trust: sundial")
    folder.edit(FILLER, "max_rate: 20/s, epoch", "max_rate: 20, epoch")
    folder.edit("triggers.yaml", "SCALE.weight", "SCALE.wait")
    folder.edit(MASTER, 'bom_version: "1"', 'bom_version: "2"')
    folder.edit(MASTER, "lot: C1", "lot: 1")

    assert [row.split(": ")[0] for row in folder.faults()] == [
        "devices/filler.yaml:7",
        "devices/scale.yaml:5",
        "gateway.yaml:11",
        "masterdata/all.yaml:26",
        "masterdata/all.yaml:30",
        "triggers.yaml:10",
    ]


def test_a_syntax_error_does_not_hide_the_other_files(folder):
    folder.edit("triggers.yaml", "triggers:", "triggers: [")
    folder.edit(MASTER, 'bom_version: "1"', 'bom_version: "2"')

    assert [row.split(": ")[0] for row in folder.faults()] == ["masterdata/all.yaml:26", "triggers.yaml:2"]


def test_a_wrong_unit_is_not_also_called_a_missing_conversion(folder):
    folder.edit(MASTER, "factor: 0.001", "factor: none")

    assert folder.faults() == ["masterdata/all.yaml:6: units[0].factor: 'none' is not a number"]


def test_a_duplicate_device_names_both_places(folder):
    text = (folder.root / "devices/scale.yaml").read_text("utf-8")
    folder.write("devices/scale-2.yaml", text)

    assert folder.faults() == [
        "devices/scale.yaml:1: device: device SCALE stands twice, first at devices/scale-2.yaml:1",
    ]


def test_two_devices_may_not_use_one_session(folder):
    text = (folder.root / "devices/scale.yaml").read_text("utf-8")
    rule = '  - {trigger: weigh-2, version: 1, on: SCALE-2.weight, event: weighed, operation: "0020", order: active}\n'
    folder.write("devices/scale-2.yaml", text.replace("device: SCALE", "device: SCALE-2\nclient_id: SCALE"))
    folder.write("triggers.yaml", (folder.root / "triggers.yaml").read_text("utf-8") + rule)

    assert folder.faults() == [
        "devices/scale.yaml:1: client_id SCALE is SCALE-2's, at devices/scale-2.yaml:1; one would throw the other out"
    ]


def test_two_rules_of_one_signal_are_refused(folder):
    text = (folder.root / "triggers.yaml").read_text("utf-8")
    second = text.partition("triggers:\n")[2].partition("  - trigger: weigh")[0].replace("fill", "fill-again")
    folder.write("triggers.yaml", text + second)

    assert folder.faults() == [
        (
            "triggers.yaml:16: triggers[2].on: FILLER.good has a rule already, fill at triggers.yaml:2; "
            "its units would count twice"
        )
    ]


def test_one_order_a_line_is_active(folder):
    second = """\
        orders:
          - {order: "78", item: CASE, quantity: 1, uom: EA, line: L1, bom: B, bom_version: "1", active: true}
        """
    folder.write("masterdata/more.yaml", second)

    assert folder.faults() == [
        (
            "masterdata/more.yaml:2: orders[0].active: line L1 works on 77 already, at masterdata/all.yaml:21; "
            "one order a line is active"
        )
    ]


def test_a_stock_conversion_that_never_ends_is_refused(folder):
    folder.edit(MASTER, "units:\n", "units:\n  - {item: CAP, from: BOX, to: EA, factor: 1/3}\n")
    folder.edit(MASTER, "quantity: 12000, uom: EA", "quantity: 12000, uom: BOX")

    assert folder.faults() == [
        (
            "masterdata/all.yaml:19: boms[0].components[0].uom: one BOX of CAP is 1/3 never ends as a decimal EA; "
            "stock the item in a unit that divides it"
        )
    ]


def test_a_rounding_makes_an_endless_requirement_right(folder):
    folder.edit(MASTER, "quantity: 12000", "rounding: {decimals: 3}, quantity: 1000")

    assert folder.load().master.boms["B", "1"].components[0].rounding.decimals == 3


@pytest.mark.parametrize("gone", ["gateway.yaml", "triggers.yaml"])
def test_a_missing_file_is_named(folder, gone):
    (folder.root / gone).unlink()

    assert [f"{gone}:1: can't be read: No such file or directory"] == folder.faults()


@pytest.mark.parametrize(("kind", "file"), [("devices", "filler.yaml"), ("masterdata", "all.yaml")])
def test_a_missing_folder_is_named(folder, kind, file):
    for one in (folder.root / kind).iterdir():
        one.unlink()
    (folder.root / kind).rmdir()

    assert [f"{kind}/:1: the folder does not exist"] == folder.faults()


def test_no_folder_at_all_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="is no folder"):
        load(tmp_path / "nowhere", (), ())


def test_a_file_that_is_no_text_is_named(folder):
    (folder.root / "triggers.yaml").write_bytes(b"triggers:\n  - \xff\n")

    assert folder.faults() == ["triggers.yaml:2: is not UTF-8: byte 0xff"]


def test_an_unreachable_file_is_named_where_it_is_referred_to(folder):
    folder.edit(FILLER, "kind: plc", "kind: plc\ntrust: pki/trusted\npassword: {file: secrets/filler}")

    assert folder.faults() == [
        f"devices/filler.yaml:4: trust: {folder.root}/pki/trusted does not exist or can't be read",
        f"devices/filler.yaml:5: password.file: {folder.root}/secrets/filler does not exist or can't be read",
    ]


def test_a_secret_file_is_found_below_the_folder(folder):
    folder.write("secrets/filler", "geheim\n")
    folder.edit(FILLER, "kind: plc", "kind: plc\npassword: {file: secrets/filler}")

    assert folder.load().devices["FILLER"].password.read() == "geheim"


@pytest.mark.parametrize("written", ["hunter2", "[hunter2]", "{file: [hunter2]}", "{hunter: 2}", "4711"])
def test_a_secret_that_stands_in_the_file_is_refused_and_not_shown(folder, written):
    folder.edit("gateway.yaml", "kind: post", f"kind: post\n    token: {written}")
    (row,) = folder.faults()

    assert row.startswith("gateway.yaml:8: sinks[0].token")
    assert "hunter2" not in row
    assert "4711" not in row


def test_a_password_in_a_url_is_not_shown(folder):
    folder.edit("devices/scale.yaml", "kind: bus", "kind: mqtt://me:hunter2@host")
    (row,) = folder.faults()

    assert "hunter2" not in row


def test_a_token_pasted_for_its_hash_is_not_shown(folder):
    token = "{name: erp, role: erp, sha256: hunter2}"
    folder.edit("gateway.yaml", "clock_trust: assume", f"clock_trust: assume\napi: {{tokens: [{token}]}}")
    (row,) = folder.faults()

    assert row.startswith("gateway.yaml:12: api.tokens[0].sha256: the value (not shown)")

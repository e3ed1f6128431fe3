from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.settings.load import load
from gateway.settings.users import Person, write_users

FILLER, MASTER = "devices/filler.yaml", "masterdata/all.yaml"


def test_a_valid_folder_has_its_lines_devices_and_sinks(folder):
    config = folder.load()

    assert config.lines == ("L1",)
    assert {"FILLER", "SCALE"} == set(config.devices)
    assert [sink.sink for sink in config.gateway.sinks] == ["erp"]


def test_the_clocks_limits_have_units(folder):
    folder.edit("gateway.yaml", "clock_trust: assume", "clock_trust: chrony\nclock_drift: 15 ppm\nclock_max_error: 5s")
    gateway = folder.load().gateway

    assert ("chrony", 0.000015, 5.0) == (gateway.clock_trust, gateway.clock_drift, gateway.clock_max_error)


def test_regulated_mode_needs_somebody_who_may_sign(folder):
    folder.edit("gateway.yaml", "clock_trust: assume", "clock_trust: assume\nregulated: true")
    folder.edit(MASTER, "status: approved", "status: approved\n    approved_by: process")
    before = folder.faults()
    person = Person(user="anna", name="Anna", roles=("quality",), password="$argon2id$x")
    write_users(folder.root / "users.yaml", [person])

    assert [row.split(": ")[1] for row in before] == ["regulated"]
    assert folder.load().gateway.regulated


def test_a_list_of_users_that_others_may_read_is_named(folder):
    folder.edit("gateway.yaml", "clock_trust: assume", "clock_trust: assume\nregulated: true")
    folder.edit(MASTER, "status: approved", "status: approved\n    approved_by: process")
    folder.write("users.yaml", "users: []\n")
    (folder.root / "users.yaml").chmod(0o644)
    (row,) = folder.faults()

    assert "may be read by others" in row


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
            "its units would count twice (shadow: true tries a rule beside it)"
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

"""What of a configuration becomes the pipeline's model."""

import shutil
from pathlib import Path

import pytest

from gateway.domain.event import SignalId
from gateway.runtime.bootstrap import load_config
from gateway.runtime.line_model import line_model

EXAMPLE = Path(__file__).parents[3] / "config"
GOOD, WEIGHT = SignalId("FILLER-1", "good"), SignalId("SCALE-1", "net_weight")
SIGNAL = "on: FILLER-1.good, event: good_units"
TRIAL = f'\n  - {{trigger: try, version: 1, {SIGNAL}, operation: "0020", order: active, shadow: true}}'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    return shutil.copytree(EXAMPLE, tmp_path / "config", ignore=shutil.ignore_patterns("var"))


def changed(folder, file, old, new):
    path = folder / file
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")


def test_the_model_carries_what_its_hashes_are_of(folder):
    config = load_config(folder)
    model = line_model(config)

    assert (config.snapshot, config.configuration_hash) == (model.snapshot, model.configuration)
    assert model.activated


def test_a_shadow_rule_stands_beside_the_live_one_of_its_signal(folder):
    changed(folder, "triggers.yaml", "triggers:", f"triggers:{TRIAL}")
    model = line_model(load_config(folder))

    assert model.points[GOOD].rule.rule == "fill-good"
    assert [rule.rule for rule in model.shadow_rules[GOOD]] == ["try"]
    assert model.points[GOOD].order_signal == "order"


def test_a_signal_on_trial_has_no_live_rule(folder):
    changed(folder, "triggers.yaml", "event: weighed", "event: weighed\n    shadow: true")
    model = line_model(load_config(folder))

    assert model.points[WEIGHT].rule is None
    assert [rule.rule for rule in model.shadow_rules[WEIGHT]] == ["weighed"]


def test_in_regulated_mode_nothing_is_activated_by_loading_it(folder):
    changed(folder, "gateway.yaml", "regulated: false", "regulated: true")
    changed(folder, "masterdata/boms.yaml", "approved_by: process-engineering", "approved_by: anna")
    users = folder / "users.yaml"
    person = "{user: anna, name: Anna, roles: [quality], password: $argon2id$x}"
    users.write_text(f"users:\n  - {person}\n", "utf-8")
    users.chmod(0o600)

    assert not line_model(load_config(folder)).activated

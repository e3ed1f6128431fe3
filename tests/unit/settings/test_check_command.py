import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli.check import check, longest_safe_outage
from gateway.cli.schema import schema
from gateway.runtime.bootstrap import load_config

CONFIG = Path(__file__).parents[3] / "config"


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(check)
    app.command()(schema)
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments])


def test_check_of_a_valid_folder_shows_how_long_each_counter_may_be_unread(run):
    result = run("check", CONFIG)

    assert (result.exit_code, result.stderr) == (0, "")
    assert ["FILLER-1.good", "opcua", "good", "54.6", "min"] in [row.split() for row in result.stdout.splitlines()]


def test_check_says_what_is_signed_to_put_it_in_force(run):
    rows = run("check", CONFIG).stdout.splitlines()

    assert f"configuration {load_config(CONFIG).configuration_hash}" in rows


def test_check_of_a_broken_folder_names_every_place_and_exits_2(run, tmp_path):
    broken = shutil.copytree(CONFIG, tmp_path / "config", ignore=shutil.ignore_patterns("var"))
    rules = broken / "triggers.yaml"
    rules.write_text(rules.read_text("utf-8").replace("CAPPER-1.capped", "CAPPER-9.capped"), "utf-8")
    result = run("check", broken)

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        (
            "devices/capper-1.yaml:9: signals.capped: no rule in triggers.yaml is on CAPPER-1.capped: "
            "its units would never be posted"
        ),
        "triggers.yaml:21: triggers[2].on: device 'CAPPER-9' is not configured; did you mean 'CAPPER-1'?",
    ]


def test_schema_prints_one_kind_as_json(run):
    result = run("schema", "triggers")

    assert "triggers" in json.loads(result.stdout)["properties"]


def test_schema_prints_all_kinds_by_name(run):
    assert {"gateway", "device", "triggers", "masterdata"} == set(json.loads(run("schema").stdout))


def test_schema_of_an_unknown_kind_exits_2(run):
    result = run("schema", "recipes")

    assert result.exit_code == 2
    assert "recipes is no kind of file" in result.stderr


@pytest.mark.parametrize(
    ("modulus", "rate", "shown"),
    [(65536, "10", "1.8 h"), (2**32, "10", "13.6 years"), (10000, "20", "8.3 min"), (100, "200", "0.5 s")],
)
def test_the_longest_safe_outage_is_modulus_over_rate(modulus, rate, shown):
    assert shown == longest_safe_outage(modulus, Decimal(rate))

import copy
from decimal import Decimal
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from gateway.runtime import plugins
from gateway.settings.fault import Faults
from gateway.settings.load import load
from gateway.settings.schema import schemas
from gateway.settings.source import read

CONFIG = Path(__file__).parents[3] / "config"
KINDS = {
    "gateway": ["gateway.yaml"],
    "device": [f"devices/{one.name}" for one in sorted((CONFIG / "devices").glob("*.yaml"))],
    "triggers": ["triggers.yaml"],
    "masterdata": [f"masterdata/{one.name}" for one in sorted((CONFIG / "masterdata").glob("*.yaml"))],
}
EXAMPLES = [(kind, file) for kind, files in KINDS.items() for file in files]


@pytest.fixture(scope="module")
def installed():
    drivers = [one.settings for one in plugins.drivers().values()]
    return drivers, [one.settings for one in plugins.sinks().values()]


@pytest.fixture(scope="module")
def validators(installed):
    return {kind: Draft202012Validator(schema) for kind, schema in schemas(*installed).items()}


def as_an_editor_reads(file):
    source = read(CONFIG, CONFIG / file, Faults())
    return plain(source.data)


def plain(node):
    if isinstance(node, dict):
        return {key: plain(one) for key, one in node.items()}
    if isinstance(node, list):
        return [plain(one) for one in node]
    return float(node) if isinstance(node, Decimal) else node


def test_the_example_folder_is_valid(installed, monkeypatch):
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    config = load(CONFIG, *installed)

    assert {"FILLER-1", "CAPPER-1", "PACKER-1", "SCALE-1"} == set(config.devices)
    assert config.master.active_order("L1") == "100045"


@pytest.mark.parametrize(("kind", "file"), EXAMPLES)
def test_the_schema_accepts_the_example(validators, kind, file):
    assert [error.message for error in validators[kind].iter_errors(as_an_editor_reads(file))] == []


@pytest.mark.parametrize(("kind", "file"), EXAMPLES)
def test_the_schema_refuses_an_unknown_key(validators, kind, file):
    example = as_an_editor_reads(file) | {"unheard_of": 1}

    assert not validators[kind].is_valid(example)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("clock_trust",), "sundial"),
        (("retention", "keep"), 90),
        (("sinks", 0, "uri"), "http://127.0.0.1/"),
        (("sinks", 0, "kind"), "fax"),
        (("pipeline", "batch"), 0),
    ],
)
def test_the_schema_refuses_what_check_refuses(validators, path, value):
    example = copy.deepcopy(as_an_editor_reads("gateway.yaml"))
    *parents, last = path
    node = example
    for step in parents:
        node = node[step]
    node[last] = value

    assert not validators["gateway"].is_valid(example)


def test_a_default_duration_is_written_as_a_person_would(validators):
    definitions = validators["gateway"].schema["$defs"]

    assert definitions["RetentionSettings"]["properties"]["keep"]["default"] == "7776000s"


def test_a_quantity_is_a_text_or_a_number(validators):
    item = {"item": "A", "uom": "kg"}
    staging = {"staging": "S", "item": "A", "lot": "L", "location": "X", "uom": "kg", "line": "L1"}
    staging["received_at"] = "2026-01-01T00:00:00Z"
    accepted = [
        validators["masterdata"].is_valid({"items": [item], "stagings": [staging | {"quantity": quantity}]})
        for quantity in (1, 1.5, "1.5", "much", True)
    ]

    assert accepted == [True, True, True, False, False]


@pytest.mark.parametrize("kind", ["gateway", "triggers", "masterdata"])
def test_every_key_says_what_it_means(validators, kind):
    assert [] == sorted(set(undescribed(validators[kind].schema)))


def undescribed(node):
    """Yield the keys without a description; a constant says itself what it is."""
    if isinstance(node, list):
        for one in node:
            yield from undescribed(one)
    elif isinstance(node, dict):
        for key, value in node.get("properties", {}).items():
            if isinstance(value, dict) and not {"description", "const"} & set(value):
                yield f"{node.get('title')}.{key}"
        for value in node.values():
            yield from undescribed(value)


@pytest.mark.parametrize(
    ("component", "accepted"),
    [
        ({"uom": "EA", "rounding": {"multiple": 250, "mode": "up"}}, True),
        ({"uom": "EA", "yield": "98 %", "setup_scrap": 24, "fixed": False}, True),
        ({"uom": "EA", "component_yield": "98 %"}, False),
        ({"uom": "EA", "allocation": "newest"}, False),
        ({"uom": "EA", "alternates": [{"item": "B", "priority": 0}]}, False),
        ({"uom": "EA", "control_limits": {"low": 1}}, False),
    ],
)
def test_the_schema_knows_a_components_keys(validators, component, accepted):
    bom = {"bom": "B", "version": "1", "item": "A", "base_quantity": 1, "uom": "EA", "status": "approved"}
    line = {"line": "1", "item": "C", "quantity": 1, "operation": "0010", **component}

    assert accepted == validators["masterdata"].is_valid({"boms": [{**bom, "components": [line]}]})

"""No password over an unencrypted channel: refused by `check` at file and line, or an exception that shows."""

import json
import shutil
from pathlib import Path

import pytest

from gateway.cli.demo_config import example_folder
from gateway.errors import ConfigError
from gateway.runtime.bootstrap import load_config
from gateway.settings.fault import Faults
from gateway.settings.source import Source, read
from gateway.settings.unsafe import unsafe

USER = {"name": "backflush", "password": {"file": "../secret"}}
MQTT, OPCUA, GATEWAY = "devices/packer-1.yaml", "devices/filler-1.yaml", "gateway.yaml"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("correct horse")
    shutil.copytree(example_folder(), tmp_path / "config")
    return tmp_path / "config"


def change(config: Path, file: str, **values: object) -> None:
    source = read(config, config / file, Faults())
    assert isinstance(source, Source)
    data = source.data | values
    if sink := values.get("sink"):
        data = source.data | {"sinks": [source.data["sinks"][0] | sink]}  # type: ignore[operator]
    (config / file).write_text(json.dumps(data, default=str))


TOKEN = {"token": {"file": "../secret"}, "url": "http://erp.plant:8090/"}
OPEN = {"listen": "0.0.0.0:8080"}


@pytest.mark.parametrize(
    ("file", "values", "way_out"),
    [
        pytest.param(MQTT, {"user": USER}, "use mqtts://, or write allow_plaintext_password: true", id="MQTT"),
        pytest.param(OPCUA, {"user": USER}, "choose a policy", id="OPC UA"),
        pytest.param(GATEWAY, {"sink": TOKEN}, "use https://, a proxy on this machine, or write", id="sink"),
        pytest.param(GATEWAY, {"api": OPEN}, "listen on 127.0.0.1 behind a proxy, or write allow_plaintext", id="API"),
    ],
)
def test_a_password_in_the_clear_is_refused_with_the_way_out(
    config: Path, file: str, values: dict[str, object], way_out: str
) -> None:
    change(config, file, **values)

    with pytest.raises(ConfigError) as refused:
        load_config(config)

    assert str(refused.value).startswith(f"{file}:1: ")
    assert way_out in str(refused.value)


@pytest.mark.parametrize(
    ("file", "values", "shown"),
    [
        pytest.param(
            MQTT,
            {"user": USER, "allow_plaintext_password": True},
            "PACKER-1: plain MQTT, nothing is encrypted or authenticated, and the password goes to mqtt://",
            id="MQTT",
        ),
        pytest.param(
            GATEWAY,
            {"sink": TOKEN | {"allow_plaintext_token": True}},
            "sink erp: the token and all postings go to http://erp.plant:8090/ in the clear",
            id="sink",
        ),
        pytest.param(
            GATEWAY,
            {"api": OPEN | {"allow_plaintext": True}},
            "api: tokens and passwords come to 0.0.0.0:8080 in the clear",
            id="API",
        ),
        pytest.param(OPCUA, {}, "FILLER-1: security_policy None, nothing is encrypted or authenticated", id="OPC UA"),
    ],
)
def test_an_exception_that_was_made_shows(config: Path, file: str, values: dict[str, object], shown: str) -> None:
    change(config, file, **values)

    assert [one for one in unsafe(load_config(config)) if one.startswith(shown)]

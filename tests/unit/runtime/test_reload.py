"""What a reload does although a part of it is refused."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.runtime.bootstrap import load_config, open_gateway
from gateway.runtime.clock import clock_of
from tests.harness.certificates import Authority

EXAMPLE = Path(__file__).parents[3] / "config"


async def test_a_device_is_hung_up_on_although_the_apis_certificate_is_half_renewed(tmp_path, monkeypatch):
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    folder = shutil.copytree(EXAMPLE, tmp_path / "config", ignore=shutil.ignore_patterns("var"))
    authority = Authority(tmp_path, "plant-ca")
    issued = authority.issue("gateway")
    tls = f"tls: {{certificate: {issued.certificate}, private_key: {issued.key}}}"
    text = (folder / "gateway.yaml").read_text("utf-8")
    (folder / "gateway.yaml").write_text(text.replace("\napi:\n", f"\napi:\n  {tls}\n"), "utf-8")
    config = load_config(folder)
    async with open_gateway(config, clock_of(config.gateway)) as gateway:
        gateway.devices.start(config.devices)
        before = [one.task for one in gateway.devices._running.values()]
        issued.certificate.write_bytes(authority.issue("renewed").certificate.read_bytes())  # and not the key
        with pytest.raises(ConfigError, match=r"gateway\.pem"):
            await gateway.reload(replace(config, devices={}))
        hung_up = [one.done() for one in before]
        after = set(gateway.devices.health())
        await gateway.devices.stop()

    assert hung_up
    assert all(hung_up)
    assert set(config.devices) == after  # the old configuration goes on

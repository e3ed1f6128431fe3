"""What is refused before a store is made."""

import shutil
from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.runtime.bootstrap import load_config, open_gateway
from gateway.runtime.clock import clock_of

EXAMPLE = Path(__file__).parents[3] / "config"


async def test_a_sinks_token_that_cannot_be_had_names_the_sink_and_makes_no_store(tmp_path, monkeypatch):
    monkeypatch.delenv("NO_SUCH_TOKEN", raising=False)
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    folder = shutil.copytree(EXAMPLE, tmp_path / "config", ignore=shutil.ignore_patterns("var"))
    text = (folder / "gateway.yaml").read_text("utf-8")
    (folder / "gateway.yaml").write_text(text.replace("kind: http", "kind: http\n    token: {env: NO_SUCH_TOKEN}"))
    config = load_config(folder)

    with pytest.raises(ConfigError, match="sink erp, token: environment variable NO_SUCH_TOKEN is not set"):
        async with open_gateway(config, clock_of(config.gateway)):
            pass

    assert not config.store_path.parent.exists()

"""Every sink plugin that is installed, each with a real destination to deliver to."""

import importlib
import pkgutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import gateway.sinks
from gateway.ports import Document, Sink, SinkPlugin
from tests.contract.sinks.central import TOKEN, CentralSystem

PLUGINS: list[SinkPlugin] = [
    importlib.import_module(f"gateway.sinks.{module.name}").PLUGIN
    for module in pkgutil.iter_modules(gateway.sinks.__path__)
]


@dataclass
class Target:
    """A destination, and a sink that delivers to it."""

    system: CentralSystem
    sink: Sink
    settings: dict[str, Any]

    def renew_token(self, token: str) -> None:
        Path(self.settings["token"]["file"]).write_text(token)


def make_documents(first: int, last: int) -> list[Document]:
    return [Document(seq, b'{"seq":%d,"quantity":"%d.50"}' % (seq, seq)) for seq in range(first, last + 1)]


async def _http(tmp_path: Path) -> tuple[CentralSystem, dict[str, Any]]:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    system = CentralSystem()
    await system.start()
    return system, {"url": system.url, "token": {"file": str(tmp_path / "token")}, "timeout": "60s"}


# A new plugin needs an entry here: how its destination is started, and the settings to reach it.
DESTINATIONS = {"http": _http}


@pytest.fixture(params=PLUGINS, ids=lambda plugin: plugin.kind)
async def target(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Target]:
    plugin: SinkPlugin = request.param
    system, settings = await DESTINATIONS[plugin.kind](tmp_path)
    settings = {"sink": "erp", "kind": plugin.kind, **settings}
    sink = plugin.create(plugin.settings.model_validate(settings))
    yield Target(system, sink, settings)
    await sink.close()
    await system.stop()

"""Whose key signs what the command line copies."""

import asyncio
from pathlib import Path

from gateway.runtime.bootstrap import load_config
from gateway.store import manifest
from gateway.store.signing import key_path, signing_key
from gateway.store.store import Store


async def _found(path: Path, gateway: str) -> None:
    await (await Store.open(path, gateway)).close()


def test_a_backup_is_signed_by_the_configured_key(daemon, gateway, tmp_path, monkeypatch):
    key = signing_key(tmp_path / "configured")
    monkeypatch.setenv("STORE_KEY", (tmp_path / "configured.key").read_text("ascii"))
    settings = daemon.config / "gateway.yaml"
    text = settings.read_text("utf-8")
    settings.write_text(text.replace("store:\n", "store:\n  signing_key: {env: STORE_KEY}\n", 1), "utf-8")
    config = load_config(daemon.config)
    asyncio.run(_found(config.store_path, config.gateway.gateway))
    outcome = gateway("backup", daemon.config, tmp_path / "backup.db")

    assert 0 == outcome.code, outcome.error
    assert key.id == manifest.read(tmp_path / "backup.db").key
    assert not key_path(config.store_path).exists()

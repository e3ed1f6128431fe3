"""`gateway verify` on a store that nobody runs."""

import asyncio
import json
from pathlib import Path

import pytest

from gateway.store.store import Store
from tests.unit.store.making import Line
from tests.unit.store.vouching import answer, introduced, vouched


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with five postings, two behind the checkpoint; `kept.json` beside it."""
    path = tmp_path / "line.db"
    asyncio.run(_make(path))
    return path


async def _make(path: Path) -> None:
    store = await Store.open(path, "PLANT1-L1")
    key = await introduced(store)
    line = await Line.on(store, components=2)
    await store.commit(line.staged())
    await store.commit(line.posted(3))
    signed = await vouched(store, key)
    await store.commit(line.posted(2))
    await store.close()
    path.with_name("kept.json").write_text(json.dumps(answer(key, signed)))


def test_everything_is_verified_and_compared_with_what_the_central_system_kept(gateway, path):
    outcome = gateway("verify", path, "--against", path.with_name("kept.json"))

    assert 0 == outcome.code
    assert "ok   sequence: 5 postings, the last is 5" in outcome.output
    assert "ok   central system: 1 checkpoints that were kept, the last at position 5" in outcome.output


def test_since_the_checkpoint_only_what_came_behind_it_is_verified(gateway, path):
    outcome = gateway("verify", path, "--since-checkpoint")

    assert 0 == outcome.code
    assert "ok   checkpoints: verified since position 5, signed by key" in outcome.output
    assert "ok   sequence: 2 postings, the last is 5" in outcome.output


def test_another_store_than_the_central_system_knows_is_a_failure(gateway, path, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    asyncio.run(_make(other / "line.db"))
    outcome = gateway("verify", path, "--against", other / "kept.json")

    assert 1 == outcome.code
    assert "FAIL central system: the store does not know key" in outcome.output


def test_a_file_without_a_manifest_is_said_to_have_nobody_who_vouches_for_it(gateway, path):
    outcome = gateway("verify", path)

    assert 0 == outcome.code
    assert "manifest: none: nobody vouches for this file but itself" in outcome.output

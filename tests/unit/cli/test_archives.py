"""What the reading commands take from an archive is what the store signed, or they say which file isn't."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.cli.archives import read_archives
from gateway.errors import StoreError
from gateway.runtime.bootstrap import load_config
from gateway.store import archive, manifest
from gateway.store.batch import Batch, ConsumerKey, ConsumerKind, Mark
from gateway.store.documents import posting_at
from gateway.store.retention import prune
from gateway.store.signing import signing_key
from gateway.store.store import Registration, Store
from gateway.store.verify import silent
from tests.unit.store.making import Line
from tests.unit.store.samples import START
from tests.unit.store.vouching import introduced

ERP = ConsumerKey(ConsumerKind.SINK, "erp")
KEEP = timedelta(days=90)
NOW = START + KEEP + timedelta(days=1)


@pytest.fixture
def config(daemon) -> Path:
    """Ten postings, six of them deleted and in an archive."""
    settings = daemon.config / "gateway.yaml"
    text = settings.read_text("utf-8")
    settings.write_text(text.replace("retention:\n", "retention:\n  archive: archive\n", 1), "utf-8")
    found = load_config(daemon.config)
    asyncio.run(_archived(found.store_path, found.gateway.gateway, found.archive))
    return daemon.config


async def _deleted(path: Path, folder: Path) -> None:
    store = await Store.open(path, "PLANT1-L1")
    await store.commit(Batch(consumers={ERP: Mark(10, START)}))
    assert archive.make(path, folder, NOW - KEEP, NOW, silent)
    assert await prune(store, KEEP, NOW, 10) == 4
    await store.close()


async def _archived(path: Path, gateway: str, folder: Path) -> None:
    store = await Store.open(path, gateway)
    await introduced(store)
    line = await Line.on(store)
    await store.register([Registration(ERP, required=True)], START)
    for batch in (line.staged(), line.posted(10), Batch(consumers={ERP: Mark(6, START)})):
        await store.commit(batch)
    assert archive.make(path, folder, NOW - KEEP, NOW, silent)
    assert await prune(store, KEEP, NOW, 6) == 6
    await store.close()


@pytest.fixture
def made(config) -> Path:
    (found,) = (config / "archive").glob("*.db")
    return found


def falsify(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE posting_line SET lot = 'FALSE' WHERE seq = 3")


def bodies(config: Path, seq: int | None = None) -> list[tuple[Path, bool]]:
    return [(path, found is not None) for path, found in read_archives(config, lambda raw: posting_at(raw, 3), seq)]


def lose_manifest(made: Path) -> str:
    manifest.path_of(made).unlink()
    return f"the manifest {made}.json can't be read: No such file or directory"


def change_manifest(made: Path) -> str:
    path = manifest.path_of(made)
    path.write_text(path.read_text("utf-8").replace('"seq": 10', '"seq": 11'), "utf-8")
    return f"{path} was changed: its signature doesn't hold"


def falsify_file(made: Path) -> str:
    falsify(made)
    return f"the archive is damaged: {made} is not the file that its manifest was written for"


@pytest.mark.parametrize("arguments", [("explain", 3), ("genealogy", "--lot", "LOT-1")])
@pytest.mark.parametrize("spoil", [falsify_file, lose_manifest, change_manifest])
def test_an_archive_that_cannot_be_relied_on_is_refused_and_named_with_the_way_out(
    gateway, config, made, spoil, arguments
):
    named = spoil(made)
    command, *others = arguments
    outcome = gateway(command, config, *others)

    assert 1 == outcome.code
    assert named in outcome.error
    assert "→ bring it back from a copy" in outcome.error


@pytest.mark.parametrize("spoil", [lose_manifest, lambda made: made.rename(made.parent.parent / "away") and ""])
def test_a_recall_shows_what_is_left_and_fails_when_something_is_missing(gateway, config, made, spoil):
    named = spoil(made)
    outcome = gateway("genealogy", config, "--lot", "LOT-1")

    assert 1 == outcome.code
    assert "lot LOT-1" in outcome.output
    assert f"no archive in {made.parent} has postings 1 to 6, which retention deleted" in outcome.error
    assert named in outcome.error


def test_where_no_archive_is_configured_a_recall_says_what_is_gone(gateway, config):
    settings = config / "gateway.yaml"
    settings.write_text(settings.read_text("utf-8").replace("  archive: archive\n", "", 1), "utf-8")
    outcome = gateway("genealogy", config, "--lot", "LOT-1")

    assert 0 == outcome.code
    assert "retention has deleted postings 1 to 6, and no archive is configured" in outcome.error


def test_an_archive_that_a_stranger_signed_is_refused(gateway, config, made, tmp_path):
    falsify(made)
    stranger = signing_key(tmp_path / "stranger")
    content = replace(manifest.read(made).content, size=made.stat().st_size, sha256=manifest.digest(made))
    manifest.path_of(made).unlink()
    manifest.write(manifest.sign(content, stranger), made)
    outcome = gateway("explain", config, 3)

    assert (1, "") == (outcome.code, outcome.output)
    assert f"archive {made} was signed by key {stranger.id}, which is none of the store's" in outcome.error


def test_another_archive_that_is_whole_is_read_instead(config, made, capsys):
    other = made.with_name("other.db")
    for suffix in ("", ".json"):
        other.with_name(other.name + suffix).write_bytes(made.with_name(made.name + suffix).read_bytes())
    falsify(made)

    assert [(other, True)] == bodies(config) == bodies(config, 3)
    assert f"not read, the other archives have all of it: the archive is damaged: {made}" in capsys.readouterr().err


def test_what_no_archive_has_is_named(gateway, config, made):
    made.rename(config / "away")
    outcome = gateway("explain", config, 3)

    assert (1, "") == (outcome.code, outcome.output)
    assert f"no archive in {config / 'archive'} has posting 3, which retention deleted" in outcome.error


def test_an_archive_without_its_manifest_is_told_where_another_one_has_it(config, made, capsys):
    for suffix in ("", ".json"):
        made.with_name("other.db" + suffix).write_bytes(made.with_name(made.name + suffix).read_bytes())
    lose_manifest(made)

    assert [(made.with_name("other.db"), True)] == bodies(config)
    assert f"not read, the other archives have all of it: the manifest {made}.json" in capsys.readouterr().err


def test_full_documents_of_what_was_deleted_name_the_archives_that_have_it(gateway, config, made):
    asyncio.run(_deleted(load_config(config).store_path, made.parent))
    outcome = gateway("full-documents", config, "100045")
    (other,) = set(made.parent.glob("*.db")) - {made}

    assert (1, "") == (outcome.code, outcome.output)
    assert "retention has deleted what was posted for order 100045" in outcome.error
    assert f"`gateway full-documents {made} 100045` shows it" in outcome.error
    assert f"`gateway full-documents {other} 100045` shows it" in outcome.error
    assert "4 postings (seq 7 … 10)" in gateway("full-documents", other, "100045").output


def test_full_documents_of_what_may_be_in_a_lost_archive_say_so(gateway, config, made):
    asyncio.run(_deleted(load_config(config).store_path, made.parent))
    lose_manifest(made)
    outcome = gateway("full-documents", config, "NOPE")

    assert 1 == outcome.code
    assert "has postings 1 to 6, which retention deleted" in outcome.error


def test_a_damaged_archive_is_no_obstacle_to_what_it_has_not(config, made):
    falsify(made)

    assert [] == bodies(config, 11)
    with pytest.raises(StoreError, match="damaged"):
        bodies(config, 6)

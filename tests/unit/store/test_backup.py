import asyncio
import json
import sqlite3
from contextlib import closing

import pytest

from gateway.errors import StoreError
from gateway.store import manifest
from gateway.store.copying import copy_store
from gateway.store.signing import signing_key
from gateway.store.verify import verify
from tests.harness.disk import small_disk
from tests.unit.store.samples import START
from tests.unit.store.vouching import introduced


def silent(step: str, number: int) -> None:
    """Show nothing."""


@pytest.fixture
def backup(path, tmp_path, line):
    copy = tmp_path / "backup.db"
    copy_store(path, copy, "backup", START, silent)
    return copy


def rows(file, query):
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def test_a_backup_beside_the_open_store_is_one_file_that_verifies(backup, tmp_path):
    assert verify(backup).ok
    assert {"backup.db", "backup.db.json", "var"} == {one.name for one in tmp_path.iterdir()}


def test_the_manifest_says_whose_it_is_how_far_it_goes_and_who_vouches_for_it(backup, store, path):
    found = manifest.read(backup)

    content = found.content
    assert ("backup", "PLANT1-L1", store.store, 1, 10) == (
        content.kind,
        content.gateway,
        content.store,
        content.first_seq,
        content.seq,
    )
    assert signing_key(path).id == found.key
    manifest.require_whole(content, backup, backup)


def test_the_backup_is_only_for_its_owner(backup):
    assert 0o600 == backup.stat().st_mode & 0o777


def test_a_changed_byte_of_the_backup_is_found(backup):
    content = manifest.read(backup).content
    changed = bytearray(backup.read_bytes())
    changed[len(changed) // 2] ^= 1
    backup.write_bytes(changed)

    with pytest.raises(StoreError, match="not the file that its manifest was written for"):
        manifest.require_whole(content, backup, backup)


def test_a_changed_manifest_is_found(backup):
    path = manifest.path_of(backup)
    said = json.loads(path.read_text())
    said["content"]["seq"] = 9
    path.write_text(json.dumps(said))

    with pytest.raises(StoreError, match="signature doesn't hold"):
        manifest.read(backup)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"content": {"kind": 1}}'])
def test_what_is_no_manifest_is_told(backup, text):
    manifest.path_of(backup).write_text(text)

    with pytest.raises(StoreError, match="is no manifest"):
        manifest.read(backup)


def test_a_backup_without_its_manifest_is_told(backup):
    manifest.path_of(backup).unlink()

    with pytest.raises(StoreError, match="two files"):
        manifest.read(backup)


def test_an_existing_file_is_never_overwritten(backup, path):
    before = backup.read_bytes()
    with pytest.raises(StoreError, match=r"backup\.db exists already"):
        copy_store(path, backup, "backup", START, silent)

    assert before == backup.read_bytes()


def test_what_a_killed_backup_left_is_in_nobodys_way(path, line, tmp_path):
    copy = tmp_path / "backup.db"
    (tmp_path / "backup.db.partial").write_bytes(b"half")
    manifest.path_of(copy).write_text("{}")
    copy_store(path, copy, "backup", START, silent)

    assert 10 == manifest.read(copy).content.seq
    assert not (tmp_path / "backup.db.partial").exists()


def test_a_folder_that_is_not_there_is_told_and_nothing_is_left(path, line, tmp_path):
    with pytest.raises(StoreError, match=r"can't write .*: No such file or directory"):
        copy_store(path, tmp_path / "gone" / "backup.db", "backup", START, silent)


def test_a_store_that_is_not_there_is_told(tmp_path):
    with pytest.raises(StoreError, match="there is no store"):
        copy_store(tmp_path / "gateway.db", tmp_path / "backup.db", "backup", START, silent)


async def test_a_store_that_does_not_verify_is_not_taken_for_a_backup(store, path, line, tmp_path):
    await store.transact(lambda raw: raw.execute("UPDATE posting SET item = 'OTHER' WHERE seq = 3"))

    with pytest.raises(StoreError, match="doesn't verify: bodies"):
        copy_store(path, tmp_path / "backup.db", "backup", START, silent)
    assert ["var"] == [one.name for one in tmp_path.iterdir()]


async def test_a_backup_while_postings_are_committed_is_of_one_moment(store, path, line, tmp_path):
    copying = asyncio.ensure_future(
        asyncio.to_thread(copy_store, path, tmp_path / "backup.db", "backup", START, silent)
    )
    while not copying.done():
        await store.commit(line.posted(5))

    copied = (await copying).content.seq
    assert verify(tmp_path / "backup.db").ok
    assert 10 <= copied <= (await store.load()).head.seq
    assert [(copied,)] == rows(tmp_path / "backup.db", "SELECT max(seq) FROM posting")


def test_a_target_without_room_is_told_and_nothing_half_is_left(path, line, tmp_path):
    with small_disk(tmp_path / "stick", "64k") as stick:
        with pytest.raises(StoreError, match=r"can't write .*free some space there"):
            copy_store(path, stick.folder / "backup.db", "backup", START, silent)

        assert [] == list(stick.folder.iterdir())


async def test_a_key_that_the_store_does_not_know_signs_no_backup_of_it(store, path, tmp_path):
    await introduced(store)
    stranger = signing_key(tmp_path / "stranger.db")

    with pytest.raises(StoreError, match=f"signing key {stranger.id} is none of the store's"):
        copy_store(path, tmp_path / "backup.db", "backup", START, silent, key=stranger)
    assert not (tmp_path / "backup.db").exists()

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from gateway.errors import StoreError
from gateway.store import copying, manifest
from gateway.store.copying import copy_store
from gateway.store.signing import signing_key
from gateway.store.verify import silent, verify
from tests.harness.disk import small_disk
from tests.unit.store.samples import START
from tests.unit.store.vouching import introduced


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


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"content": {"kind": 1}}', "[" * 100_000])
def test_what_is_no_manifest_is_told(backup, text):
    manifest.path_of(backup).write_text(text)

    with pytest.raises(StoreError, match="is no manifest"):
        manifest.read(backup)


@pytest.mark.parametrize(("name", "value"), [("first_seq", "1"), ("created_at", 5), ("size", True), ("hash", [])])
def test_a_manifest_that_somebody_signed_with_other_types_is_none(backup, path, name, value):
    content = replace(manifest.read(backup).content, **{name: value})
    manifest.path_of(backup).unlink()
    manifest.write(manifest.sign(content, signing_key(path)), backup)

    with pytest.raises(StoreError, match="is no manifest"):
        manifest.read(backup)


@pytest.mark.parametrize("name", ["public_key", "signature"])
def test_a_manifest_whose_signature_is_no_text_is_none(backup, name):
    path = manifest.path_of(backup)
    path.write_text(json.dumps({**json.loads(path.read_text()), name: 5}))

    with pytest.raises(StoreError, match="is no manifest"):
        manifest.read(backup)


def test_a_backup_without_its_manifest_is_told(backup):
    manifest.path_of(backup).unlink()

    with pytest.raises(StoreError, match="two files"):
        manifest.read(backup)


def test_a_copy_that_sqlite_cannot_read_back_is_told(path, line, tmp_path, monkeypatch):
    monkeypatch.setattr(copying, "_require_sound", lambda partial, _: partial.write_bytes(b"garbage" * 1000))
    with pytest.raises(StoreError, match=r"can't write .*backup\.db: file is not a database"):
        copy_store(path, tmp_path / "backup.db", "backup", START, silent)

    assert ["var"] == [one.name for one in tmp_path.iterdir()]


def test_a_manifest_that_cannot_be_written_leaves_nothing(path, line, tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(manifest.os, "fsync", full)
    monkeypatch.setattr(copying, "_sync", lambda _: None)
    with pytest.raises(StoreError, match="No space left"):
        copy_store(path, tmp_path / "backup.db", "backup", START, silent, key=signing_key(path))

    assert ["var"] == [one.name for one in tmp_path.iterdir()]


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

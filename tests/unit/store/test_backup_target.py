"""What stands where a backup is to be written: nothing is overwritten, what a killed one left is no hindrance."""

import os

import pytest

from gateway.errors import StoreError
from gateway.store import copying, manifest
from gateway.store.copying import copy_store
from gateway.store.verify import silent, verify
from tests.unit.store.samples import START


def test_an_existing_file_is_never_overwritten(backup, path):
    before = backup.read_bytes()
    with pytest.raises(StoreError, match=r"backup\.db exists already"):
        copy_store(path, backup, "backup", START, silent)

    assert before == backup.read_bytes()


def test_a_manifest_that_is_not_its_own_is_never_overwritten(path, line, tmp_path):
    (tmp_path / "backup.db.json").write_text("somebody's")
    with pytest.raises(StoreError, match=r"backup\.db\.json exists already"):
        copy_store(path, tmp_path / "backup.db", "backup", START, silent)

    assert {"backup.db.json", "var"} == {one.name for one in tmp_path.iterdir()}
    assert "somebody's" == (tmp_path / "backup.db.json").read_text()


@pytest.mark.parametrize("name", ["backup.db", "backup.db.json"])
def test_a_file_that_appears_meanwhile_is_never_overwritten_or_deleted(path, line, tmp_path, name):
    with pytest.raises(StoreError, match=rf"{name} exists already"):
        copy_store(path, tmp_path / "backup.db", "backup", START, lambda *_: (tmp_path / name).write_text("somebody's"))

    assert {name, "var"} == {one.name for one in tmp_path.iterdir()}
    assert "somebody's" == (tmp_path / name).read_text()


def test_a_file_with_a_name_like_a_partial_backup_stays(path, line, tmp_path):
    for name in ("backup.db.partial", "backup.db.json.partial"):
        (tmp_path / name).write_text("somebody's")
    copy_store(path, tmp_path / "backup.db", "backup", START, silent)

    assert ["somebody's"] * 2 == [one.read_text() for one in tmp_path.glob("*.partial")]


def test_what_a_killed_backup_left_is_in_nobodys_way(path, line, tmp_path):
    copy = tmp_path / "backup.db"
    for name in ("lock", "partial", "partial-journal"):
        (tmp_path / f"backup.db.backflush-{name}").write_bytes(b"half")
    copy_store(path, copy, "backup", START, silent)

    assert 10 == manifest.read(copy).content.seq
    assert {"backup.db", "backup.db.json", "var"} == {one.name for one in tmp_path.iterdir()}


def test_a_backup_that_was_killed_before_it_had_its_name_is_in_nobodys_way(path, line, tmp_path):
    copy = tmp_path / "backup.db"
    copy_store(path, copy, "backup", START, silent)
    copy.rename(tmp_path / "backup.db.backflush-partial")
    copy_store(path, copy, "backup", START, silent)

    manifest.require_whole(manifest.read(copy).content, copy, copy)
    assert {"backup.db", "backup.db.json", "var"} == {one.name for one in tmp_path.iterdir()}


def test_the_manifest_of_a_backup_that_was_moved_away_stays_whatever_a_killed_one_left(path, line, tmp_path):
    copy = tmp_path / "backup.db"
    copy_store(path, copy, "backup", START, silent)
    copy.rename(tmp_path / "moved.db")
    (tmp_path / "backup.db.backflush-partial").write_bytes(b"half")
    with pytest.raises(StoreError, match=r"backup\.db\.json exists already"):
        copy_store(path, copy, "backup", START, silent)

    manifest.require_whole(manifest.read(copy).content, tmp_path / "moved.db", copy)


def test_of_two_backups_to_one_file_the_second_is_refused_and_the_first_is_whole(path, line, tmp_path):
    copy, refused = tmp_path / "backup.db", []

    def meanwhile(step, number):
        with pytest.raises(StoreError) as error:
            copy_store(path, copy, "backup", START, silent)
        refused.append(error.value.message)

    copy_store(path, copy, "backup", START, meanwhile)

    assert {f"another backup to {copy} is under way"} == set(refused)
    assert verify(copy).ok
    assert {"backup.db", "backup.db.json", "var"} == {one.name for one in tmp_path.iterdir()}


def test_a_backup_that_waited_for_nothing_while_another_one_ended_is_refused(path, line, tmp_path, monkeypatch):
    copy, partial = tmp_path / "backup.db", copying._partial

    def first(*given):
        monkeypatch.setattr(copying, "_partial", partial)
        copy.write_text("the other one's")
        return partial(*given)

    monkeypatch.setattr(copying, "_partial", first)
    with pytest.raises(StoreError, match="exists already"):
        copy_store(path, copy, "backup", START, silent)

    assert "the other one's" == copy.read_text()


def test_a_lock_that_its_owner_has_just_removed_is_no_lock(path, line, tmp_path, monkeypatch):
    copy = tmp_path / "backup.db"
    opened = os.open

    def removed(name, *given):
        descriptor = opened(name, *given)
        if str(name).endswith("lock"):
            (tmp_path / "backup.db.backflush-lock").unlink()
        return descriptor

    monkeypatch.setattr(copying.os, "open", removed)
    with pytest.raises(StoreError, match="under way"):
        copy_store(path, copy, "backup", START, silent)

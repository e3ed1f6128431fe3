"""A store compared with the checkpoints that the central system kept of it, and of what a restore gave up."""

import json
import re
import shutil
from datetime import timedelta

import pytest

from gateway.errors import ConfigError
from gateway.store.batch import Batch
from gateway.store.copying import copy_store
from gateway.store.doubt import Occasion
from gateway.store.restore import restore, start_anew
from gateway.store.signing import key_path
from gateway.store.store import Store
from gateway.store.verification.against import against, read_kept
from gateway.store.verify import silent, verify
from tests.unit.store.making import Line
from tests.unit.store.samples import START
from tests.unit.store.vouching import answer, introduced, vouched

RESTORE = Occasion(START + timedelta(hours=2), "root", "the disk died")
LATER_ON = RESTORE._replace(at=RESTORE.at + timedelta(hours=1))


@pytest.fixture
async def line(store, key):
    made = await Line.on(store)
    for batch in (made.staged(), made.posted(10), made.held(3)):
        await store.commit(batch)
    return made


async def execute(store, *statements):
    for statement in statements:
        await store.transact(lambda raw, one=statement: raw.execute(one))


@pytest.fixture
async def kept(store, tmp_path, line, key):
    """Two checkpoints in a file; and the store as it was between them, `cut.db`."""
    first = await vouched(store, key)
    await store.transact(lambda raw: raw.execute("SELECT 1"))
    _copy(store.path, tmp_path / "cut.db")
    await store.commit(line.posted(3))
    second = await vouched(store, key, since=True)
    file = tmp_path / "kept.json"
    file.write_text(json.dumps(answer(key, first, second)))
    return file


def _copy(path, target):
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", f"{target}{suffix}")


async def test_a_store_that_has_everything_agrees_with_what_was_kept(path, kept):
    checked = against(path, read_kept(kept))

    assert (True, "2 checkpoints that were kept, the last at position 15") == (checked.ok, checked.detail)


async def test_a_store_that_was_cut_off_is_sound_by_itself_and_contradicts_what_was_kept(tmp_path, kept):
    cut = tmp_path / "cut.db"

    assert verify(cut).ok
    assert "checkpoint 15" in against(cut, read_kept(kept)).detail
    assert "the store ends at position 12: it was cut off" in against(cut, read_kept(kept)).detail


async def test_a_store_that_was_written_anew_contradicts_what_was_kept(tmp_path, kept):
    again = await Store.open(tmp_path / "cut.db", "PLANT1-L1")
    line = await Line.on(again)
    await again.commit(_entries(line, 3))
    await again.close()

    assert (
        "checkpoint 15 of 2026-11-21T10:00:00.123Z: the store has another entry there"
        in against(tmp_path / "cut.db", read_kept(kept)).detail
    )


def _entries(line, count):
    batch = Batch()
    for _ in range(count):
        line._journal(batch, "other")
    return line._complete(batch)


async def test_a_store_with_another_key_does_not_know_the_one_that_signed(path, store, kept, key):
    await execute(store, "DELETE FROM signing_key")

    assert f"the store does not know key {key.id}" in against(path, read_kept(kept)).detail


@pytest.fixture
async def restored(store, path, tmp_path, line, key):
    """A store that went back to a backup of position 12; `kept.json` has a checkpoint there and one of position 15."""
    first = await vouched(store, key)
    copy_store(path, tmp_path / "backup.db", "backup", START, silent)
    await store.commit(line.posted(3))
    second = await vouched(store, key, since=True)
    await store.close()
    (tmp_path / "kept.json").write_text(json.dumps(answer(key, first, second)))
    return restore(path, tmp_path / "backup.db", "PLANT1-L1", RESTORE, silent).begun


@pytest.fixture
def kept_before(tmp_path, restored):
    return tmp_path / "kept.json"


async def test_a_checkpoint_of_what_a_restore_gave_up_is_told_and_no_fault(path, kept_before):
    checked = against(path, read_kept(kept_before))

    assert checked.ok
    assert (
        "2 checkpoints that were kept, the last at position 15; restored at position 12 on 2026-11-21T12:00:00.123Z; "
        "1 checkpoint is of the part that was given up (after seq 10)"
    ) == checked.detail


@pytest.mark.parametrize(("old", "new"), [(12, 11), (15, 14)])
async def test_a_checkpoint_that_was_changed_is_a_fault_whatever_was_given_up(path, kept_before, old, new):
    kept_before.write_text(kept_before.read_text().replace(f'position\\":{old}', f'position\\":{new}'))
    checked = against(path, read_kept(kept_before))

    assert not checked.ok
    assert re.search(f"checkpoint {new} of .*: its signature by key .* does not hold", checked.detail)


async def test_what_the_restored_store_inherited_is_compared(path, kept_before):
    resealed = f"""CAST(substr(CAST(body AS TEXT), 1, length(body) - 66) || '{"0" * 64}"}}' AS BLOB)"""
    again = await Store.open(path, "PLANT1-L1")
    await execute(again, f"UPDATE posting SET body = {resealed} WHERE seq = 10")
    await again.close()

    assert "the store has another entry there" in against(path, read_kept(kept_before)).detail


async def test_a_key_that_signed_only_what_was_given_up_need_not_be_known(store, path, tmp_path, line):
    copy_store(path, tmp_path / "backup.db", "backup", START, silent)
    key_path(path).unlink()
    second = await introduced(store)
    signed = await vouched(store, second)
    await store.close()
    restore(path, tmp_path / "backup.db", "PLANT1-L1", RESTORE, silent)
    (tmp_path / "kept.json").write_text(json.dumps(answer(second, signed)))

    assert against(path, read_kept(tmp_path / "kept.json")).ok


@pytest.fixture
async def kept_since(path, tmp_path, key, restored):
    """A checkpoint that the restored store signed."""
    again = await Store.open(path, "PLANT1-L1")
    signed = await vouched(again, key)
    await again.close()
    file = tmp_path / "since.json"
    file.write_text(json.dumps(answer(key, signed)))
    return file


async def test_a_checkpoint_of_a_store_that_a_later_restore_gave_up_is_told(path, tmp_path, kept_since):
    restore(path, tmp_path / "backup.db", "PLANT1-L1", LATER_ON, silent)
    checked = against(path, read_kept(kept_since))

    assert checked.ok
    assert "restored at position 12 on 2026-11-21T13:00:00.123Z; 1 checkpoint is of the part" in checked.detail


async def test_a_checkpoint_of_a_store_that_an_empty_one_replaced_is_told(path, kept_since):
    start_anew(path, "PLANT1-L1", LATER_ON)
    checked = against(path, read_kept(kept_since))

    assert checked.ok
    assert "begun anew on 2026-11-21T13:00:00.123Z; 1 checkpoint is of the part" in checked.detail


async def test_a_checkpoint_of_a_store_that_this_one_never_was_is_a_fault(tmp_path, kept_since):
    other = await Store.open(tmp_path / "other.db", "PLANT1-L1")
    await other.close()

    assert "it is of another store: PLANT1-L1" in against(other.path, read_kept(kept_since)).detail


@pytest.mark.parametrize("content", ["", "[1]", '{"keys": []}', '{"keys": [{"id": "a", "public": "zz"}], "items": []}'])
def test_a_file_without_checkpoints_is_named(tmp_path, content):
    file = tmp_path / "kept.json"
    file.write_text(content)

    with pytest.raises(ConfigError, match=r"kept\.json has no checkpoints"):
        read_kept(file)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"kept\.json can't be read: No such file"):
        read_kept(tmp_path / "kept.json")

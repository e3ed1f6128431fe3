"""Files of a store that ended in the middle, changed in every way that a disk or a person finds."""

import shutil
import sqlite3

import pytest

from gateway.errors import StoreDamaged, StoreError
from gateway.store.store import Store
from gateway.store.verify import verify
from gateway.store.witness import inspect
from tests.unit.store.making import Line

GATEWAY = "PLANT1-L1"


@pytest.fixture
async def killed(tmp_path):
    """The files that a killed process leaves: what was committed is partly in the log."""
    alive = tmp_path / "alive" / "gateway.db"
    store = await Store.open(alive, GATEWAY)
    line = await Line.on(store)
    for batch in (line.staged(), line.posted(20)):
        await store.commit(batch)
    await store.transact(lambda raw: raw.execute("UPDATE consumer SET required = 1"))
    copied(alive, tmp_path / "before")
    with sqlite3.connect(alive) as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    connection.close()
    for _ in range(3):
        await store.commit(line.posted(5))
    path = copied(alive, tmp_path / "killed")
    await store.close()
    return path


def copied(store, folder):
    folder.mkdir()
    for suffix in ("", "-wal", "-shm", ".head"):
        source = store.with_name(store.name + suffix)
        if source.exists():
            shutil.copyfile(source, folder / source.name)
    return folder / store.name


def beside(path, suffix):
    return path.with_name(path.name + suffix)


async def opened(path):
    store = await Store.open(path, GATEWAY)
    state = await store.load()
    await store.close()
    return state


async def test_a_killed_store_that_is_whole_opens(killed):
    assert 35 == (await opened(killed)).head.seq


async def test_commits_that_are_gone_with_the_log_are_missed(killed):
    beside(killed, "-wal").unlink()

    with pytest.raises(StoreDamaged, match="its last commits are lost"):
        await opened(killed)


async def test_a_log_of_zeros_is_missed(killed):
    log = beside(killed, "-wal")
    log.write_bytes(bytes(log.stat().st_size))

    with pytest.raises(StoreDamaged, match="its last commits are lost"):
        await opened(killed)


async def test_an_older_copy_put_in_place_by_hand_is_not_taken_for_the_store(killed, tmp_path):
    older = tmp_path / "before" / killed.name
    for suffix in ("", "-wal", "-shm"):
        shutil.copyfile(beside(older, suffix), beside(killed, suffix))

    with pytest.raises(StoreDamaged, match="its last commits are lost"):
        await opened(killed)


@pytest.mark.parametrize("content", [b"", b"garbage" * 10_000])
async def test_a_file_that_holds_nothing_of_it_is_no_new_store(killed, content):
    killed.write_bytes(content)
    beside(killed, "-wal").unlink()

    with pytest.raises(StoreDamaged, match=r"empty or gone|not a database"):
        await opened(killed)


async def test_a_file_that_is_gone_is_no_new_store(killed):
    for suffix in ("", "-wal", "-shm"):
        beside(killed, suffix).unlink()

    with pytest.raises(StoreDamaged, match="empty or gone"):
        await opened(killed)


async def test_a_file_that_was_cut_off_is_found(killed):
    content = killed.read_bytes()
    killed.write_bytes(content[: len(content) // 2 // 4096 * 4096])
    beside(killed, "-wal").unlink()

    with pytest.raises(StoreDamaged):
        await opened(killed)


async def test_a_changed_byte_of_a_posting_is_found_by_the_chain(killed):
    connection = sqlite3.connect(killed)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = bytearray(killed.read_bytes())
    at = content.rindex(b'"finished_lot":"C261121-1"')
    content[at + 16] ^= 1
    killed.write_bytes(content)

    with pytest.raises(StoreDamaged, match="of its chain was changed"):
        await opened(killed)


async def test_an_entry_that_is_gone_is_found(killed):
    connection = sqlite3.connect(killed)
    connection.execute("DELETE FROM posting WHERE seq = 30")
    connection.commit()
    connection.close()

    with pytest.raises(StoreDamaged, match=r"entry \d+ of its chain is missing"):
        await opened(killed)


async def test_a_page_that_is_none_is_found(killed):
    connection = sqlite3.connect(killed)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'event'").fetchone()[0]
    connection.close()
    content = bytearray(killed.read_bytes())
    content[(root - 1) * 4096 : (root - 1) * 4096 + 64] = b"\xff" * 64
    killed.write_bytes(content)

    with pytest.raises(StoreDamaged):
        await opened(killed)


async def test_an_end_before_what_was_verified_and_signed_is_found(killed):
    connection = sqlite3.connect(killed)
    connection.execute("INSERT INTO signed_checkpoint (position, seq, at, body, signature) VALUES (99, 99, '', '', '')")
    connection.commit()
    connection.close()

    with pytest.raises(StoreDamaged, match="entry 99 was verified"):
        await opened(killed)


async def test_another_store_in_its_place_is_told(killed, tmp_path):
    await (await Store.open(tmp_path / "other.db", GATEWAY)).close()
    shutil.copyfile(tmp_path / "other.db", killed)
    beside(killed, "-wal").unlink()

    with pytest.raises(StoreDamaged, match="this is the file of store"):
        await opened(killed)


@pytest.mark.parametrize("line", [b"", b"\0" * 160, b"STORE no number", b"\xff" * 160])
async def test_a_witness_that_says_nothing_is_told_and_written_anew(killed, line, caplog):
    beside(killed, ".head").write_bytes(line)
    before = inspect(killed)

    assert 35 == (await opened(killed)).head.seq
    assert "says nothing that can be read: whether the store has lost its end can't be told" in caplog.text
    assert (False, True) == (before.ok, inspect(killed).ok)


async def test_a_witness_that_cannot_be_opened_is_told(killed, caplog):
    beside(killed, ".head").unlink()
    beside(killed, ".head").mkdir()

    assert 35 == (await opened(killed)).head.seq
    assert "can't be opened (Is a directory)" in caplog.text
    assert not inspect(killed).ok


async def test_where_there_is_no_witness_one_is_begun_without_a_word(killed, caplog):
    beside(killed, ".head").unlink()
    before = inspect(killed)
    await opened(killed)

    assert "" == caplog.text
    assert before is None
    assert "entry 36 of store" in inspect(killed).detail


async def test_what_is_lost_behind_the_witness_is_found_by_looking_at_it(killed):
    beside(killed, "-wal").unlink()

    assert "its last commits are lost" in inspect(killed).detail


async def test_a_store_that_does_not_say_how_far_it_goes_is_a_finding(killed):
    connection = sqlite3.connect(killed)
    connection.execute("DELETE FROM meta WHERE key = 'position'")
    connection.commit()
    connection.close()

    assert "'position' is missing" in inspect(killed).detail


async def test_the_hint_names_both_ways_out(killed):
    beside(killed, "-wal").unlink()

    with pytest.raises(StoreError, match=r"gateway restore.*gateway new-store"):
        await opened(killed)


async def test_a_store_that_ends_well_and_opens_again_is_fine(path):
    store = await Store.open(path, GATEWAY)
    line = await Line.on(store)
    await store.commit(line.staged())
    await store.commit(line.posted(5))
    await store.close()

    assert 5 == (await opened(path)).head.seq


@pytest.mark.parametrize("gathered", [False, True])
async def test_what_waits_without_its_event_is_found_before_it_is_posted(path, gathered):
    store = await Store.open(path, GATEWAY)
    line = await Line.on(store)
    for batch in (line.staged(), line.gathered_in(3) if gathered else line.held(3)):
        await store.commit(batch)
    await store.transact(lambda raw: raw.execute("DELETE FROM event WHERE id = 2"))
    await store.close()

    with pytest.raises(StoreDamaged, match="trigger 2 waits to be posted, but the event that it came of is missing"):
        await opened(path)


@pytest.mark.parametrize("value", ["34", "0", "36"])
async def test_a_counter_that_would_count_again_or_never_is_found_before_it_counts(killed, value):
    with sqlite3.connect(killed) as connection:
        connection.execute("UPDATE checkpoint SET value = ?", (value,))
    connection.close()

    with pytest.raises(StoreDamaged, match=f"its checkpoint stands at {value} after 35 units, its last event ended at"):
        await opened(killed)


async def test_the_event_of_a_posting_is_missed_by_the_verification_only(killed):
    connection = sqlite3.connect(killed)
    connection.execute("DELETE FROM event WHERE id = 2")
    connection.commit()
    connection.close()
    await opened(killed)

    assert {"triggers", "conservation"} == {one.name for one in verify(killed).checks if not one.ok}


async def test_a_folder_in_the_place_of_the_lock_is_told_with_a_way_out(killed):
    beside(killed, ".lock").unlink(missing_ok=True)
    beside(killed, ".lock").mkdir()

    with pytest.raises(StoreError, match=r"can't open .*\.lock: Is a directory .*take away"):
        await opened(killed)

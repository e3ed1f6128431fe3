import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from gateway.domain.exception import ExceptionKind
from gateway.errors import StoreError
from gateway.store import manifest
from gateway.store.batch import Batch, ConsumerKey, ConsumerKind, Mark
from gateway.store.copying import copy_store
from gateway.store.doubt import Occasion
from gateway.store.replace import take_over
from gateway.store.restore import restore, start_anew
from gateway.store.signing import signing_key
from gateway.store.store import Registration, Store
from gateway.store.verify import silent, verify
from tests.unit.store.making import Line
from tests.unit.store.samples import START
from tests.unit.store.vouching import introduced

GATEWAY = "PLANT1-L1"
OCCASION = Occasion(START + timedelta(hours=2), "root", "the disk died")


@pytest.fixture
async def backup(path, tmp_path):
    """Ten postings in the backup, and five more since."""
    store = await Store.open(path, GATEWAY)
    line = await Line.on(store)
    for batch in (line.staged(), line.posted(10), line.held(3)):
        await store.commit(batch)
    copy_store(path, tmp_path / "backup.db", "backup", START + timedelta(hours=1), silent)
    await store.commit(line.posted(5))
    await store.close()
    return tmp_path / "backup.db"


async def loaded(path):
    store = await Store.open(path, GATEWAY)
    state = await store.load()
    await store.close()
    return store, state


async def test_a_restored_store_goes_on_under_a_new_id_behind_the_backup(path, backup):
    outcome = restore(path, backup, GATEWAY, OCCASION, silent)
    store, state = await loaded(path)

    assert outcome.begun.store == store.store != outcome.begun.former
    assert 10 == state.head.seq == outcome.begun.seq


async def test_a_restored_store_verifies_under_both_ids_and_goes_on_doing_so(path, backup):
    restore(path, backup, GATEWAY, OCCASION, silent)
    store = await Store.open(path, GATEWAY)
    await store.close()

    assert [] == [one for one in verify(path).checks if not one.ok]


async def test_what_was_there_is_kept_whole(path, backup):
    outcome = restore(path, backup, GATEWAY, OCCASION, silent)

    assert "gateway.db.replaced-20261121T120000.123000Z" == outcome.kept.name
    assert verify(outcome.kept).ok
    assert 15 == outcome.present.seq


async def test_each_counter_says_what_may_be_booked_and_where(path, backup):
    outcome = restore(path, backup, GATEWAY, OCCASION, silent)
    _, state = await loaded(path)

    doubts = {one.doubt for one in state.checkpoints.values()}
    assert len(doubts) == 1
    assert f"booked under store {outcome.begun.former} from seq 11 to 15: compare with the ERP" in doubts.pop()


async def test_what_waited_in_the_backup_does_not_post_by_itself(path, backup):
    restore(path, backup, GATEWAY, OCCASION, silent)
    _, state = await loaded(path)

    waiting = [one for one in state.exceptions if one.kind is ExceptionKind.TRIGGER]
    assert ["restored"] == [one.code for one in waiting]
    assert "was restored at 2026-11-21T12:00:00.123Z" in waiting[0].reason


async def test_one_entry_of_the_work_list_says_what_is_not_known(path, backup):
    restore(path, backup, GATEWAY, OCCASION, silent)
    _, state = await loaded(path)

    (notice,) = (one for one in state.exceptions if one.kind is ExceptionKind.NOTICE)
    for lost in (
        "stock that was staged, issued, returned or counted",
        "orders that were started, finished or closed",
        "lot statuses, BOM pins and label approvals",
        "new units go to those that were active in the backup",
    ):
        assert lost in notice.reason


async def test_a_store_that_is_open_is_not_replaced(path, backup):
    store = await Store.open(path, GATEWAY)
    with pytest.raises(StoreError, match="in use by process"):
        restore(path, backup, GATEWAY, OCCASION, silent)
    await store.close()

    assert 15 == (await loaded(path))[1].head.seq


async def test_another_gateways_backup_is_refused(path, backup):
    with pytest.raises(StoreError, match="is of gateway PLANT1-L1, this is PLANT1-L2"):
        restore(path, backup, "PLANT1-L2", OCCASION, silent)


async def test_a_damaged_backup_is_refused_and_changes_nothing(path, backup, tmp_path):
    content = bytearray(backup.read_bytes())
    content[5000] ^= 1
    backup.write_bytes(content)
    before = path.read_bytes()

    with pytest.raises(StoreError, match="not the file that its manifest"):
        restore(path, backup, GATEWAY, OCCASION, silent)
    assert before == path.read_bytes()
    assert not [one for one in path.parent.iterdir() if "making" in one.name or "ready" in one.name]


async def test_a_backup_that_a_stranger_signed_is_refused(path, tmp_path):
    store = await Store.open(path, GATEWAY)
    await introduced(store)
    copy_store(path, tmp_path / "backup.db", "backup", START, silent)
    await store.close()
    stranger = signing_key(tmp_path / "stranger.db")
    content = manifest.read(tmp_path / "backup.db").content
    manifest.path_of(tmp_path / "backup.db").unlink()
    manifest.write(manifest.sign(content, stranger), tmp_path / "backup.db")

    with pytest.raises(StoreError, match=f"signed by key {stranger.id}, which is none of its store's"):
        restore(path, tmp_path / "backup.db", GATEWAY, OCCASION, silent)


async def test_the_key_that_signed_a_backup_is_named(path, tmp_path):
    store = await Store.open(path, GATEWAY)
    key = await introduced(store)
    copy_store(path, tmp_path / "backup.db", "backup", START, silent)
    await store.close()

    assert key.id == restore(path, tmp_path / "backup.db", GATEWAY, OCCASION, silent).key


async def test_a_restore_without_a_store_needs_none(path, backup):
    shutil.rmtree(path.parent)
    outcome = restore(path, backup, GATEWAY, OCCASION, silent)

    assert (None, None) == (outcome.kept, outcome.present)
    assert "from seq 11 on" in outcome.begun.notice


async def test_a_store_of_which_nothing_can_be_read_is_replaced_and_kept(path, backup):
    path.write_bytes(b"garbage" * 1000)
    outcome = restore(path, backup, GATEWAY, OCCASION, silent)

    assert outcome.present is None
    assert b"garbage" * 1000 == outcome.kept.read_bytes()


async def test_the_same_backup_restored_twice_begins_two_stores(path, backup):
    first = restore(path, backup, GATEWAY, OCCASION, silent).begun
    second = restore(path, backup, GATEWAY, OCCASION._replace(at=OCCASION.at + timedelta(minutes=1)), silent).begun

    assert len({first.store, second.store, first.former}) == 3
    assert f"or under store {first.store} up to seq 10" in second.notice
    assert verify(path).ok


async def test_a_backup_of_a_restored_store_can_be_restored(path, backup, tmp_path):
    restore(path, backup, GATEWAY, OCCASION, silent)
    copy_store(path, tmp_path / "second.db", "backup", OCCASION.at, silent)
    restore(path, tmp_path / "second.db", GATEWAY, OCCASION._replace(at=OCCASION.at + timedelta(hours=1)), silent)

    assert [] == [one for one in verify(path).checks if not one.ok]


@pytest.mark.parametrize("moved", [(), ("",), ("", "-wal"), ("", "-wal", "-shm")])
async def test_a_restore_that_broke_off_at_any_step_is_finished_at_the_next_start(path, backup, moved):
    outcome = restore(path, backup, GATEWAY, OCCASION, silent)
    path.rename(path.with_name("gateway.db.ready-20261121T120000.123000Z"))
    for suffix in ("", "-wal", "-shm"):
        kept = outcome.kept.with_name(outcome.kept.name + suffix)
        if not kept.exists():
            kept.write_bytes(b"log" if suffix else b"")
        if suffix not in moved:
            kept.rename(path.with_name(path.name + suffix))
    store, _ = await loaded(path)

    assert outcome.begun.store == store.store
    assert outcome.kept.exists()
    assert take_over(path) is None


async def test_a_store_begun_anew_has_its_own_chain_and_says_what_it_does_not_know(path, backup):
    outcome = start_anew(path, GATEWAY, OCCASION)
    store, state = await loaded(path)

    assert (outcome.begun.store, 0, {}) == (store.store, state.head.seq, state.checkpoints)
    assert "whose last posting is seq 15, was put aside" in state.exceptions[0].reason
    assert verify(path).ok


async def test_what_only_the_replaced_file_has_is_told(path):
    store = await Store.open(path, GATEWAY)
    erp, mes = ConsumerKey(ConsumerKind.SINK, "erp"), ConsumerKey(ConsumerKind.PULLER, "mes")
    await store.register([Registration(erp, required=True), Registration(mes, required=True)], START)
    line = await Line.on(store)
    for batch in (line.staged(), line.posted(15), line.held(3), line.gathered_in(2)):
        await store.commit(batch)
    await store.commit(Batch(consumers={erp: Mark(12, START), mes: Mark(15, START)}))
    await store.close()
    outcome = start_anew(path, GATEWAY, OCCASION)

    said = f"Only {outcome.kept} has: postings 13 to 15 for sink erp, which had 12 of 15; "
    assert said in outcome.begun.notice
    assert "; open exceptions: 1, with 3 units; window " in outcome.begun.notice
    assert "mes" not in outcome.begun.notice


async def test_what_can_no_longer_be_read_of_the_replaced_file_is_told_too(path, backup):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE consumer")
    notice = start_anew(path, GATEWAY, OCCASION).begun.notice

    assert "whose last posting is seq 15" in notice
    assert "What its consumers had not taken, what was held and in open windows could not be read" in notice


async def test_what_a_killed_restore_left_half_made_is_not_taken_up(path, backup):
    for suffix in ("", "-wal", "-journal"):
        shutil.copyfile(backup, path.with_name(f"{path.name}.making{suffix}"))
    start_anew(path, GATEWAY, OCCASION)
    _, state = await loaded(path)

    assert 0 == state.head.seq
    assert verify(path).ok
    assert not [one for one in path.parent.iterdir() if "making" in one.name]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE former_store SET store = 'OTHER'",
        "UPDATE former_store SET last_position = last_position - 1",
        "UPDATE former_store SET last_seq = last_seq + 1",
        "DELETE FROM former_store",
        "INSERT INTO former_store VALUES ('MADEUP', 99, 99, '', '')",
    ],
)
async def test_a_change_to_the_ids_that_the_store_bore_is_found(path, backup, statement):
    restore(path, backup, GATEWAY, OCCASION, silent)
    store = await Store.open(path, GATEWAY)
    await store.transact(lambda raw: raw.execute(statement))
    await store.close()

    assert "bodies" in [one.name for one in verify(path).checks if not one.ok]

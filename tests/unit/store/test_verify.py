import asyncio
import signal
import sqlite3
import subprocess
import sys

import pytest

from gateway.errors import StoreError
from gateway.settings.snapshot import digest
from gateway.store.batch import Batch, Snapshot
from gateway.store.store import Store
from gateway.store.verify import verify
from tests.unit.store.making import Line
from tests.unit.store.samples import START, make_exception

EVERY_CHECK = [
    "integrity",
    "types",
    "readable",
    "sequence",
    "chain",
    "bodies",
    "triggers",
    "records",
    "conservation",
    "counters",
    "master data",
    "lots",
    "requirements",
    "units",
    "reversals",
    "work list",
    "consumers",
    "state",
    "checkpoints",
]


@pytest.fixture
async def grown(store, line) -> Line:
    """Everything that a store can hold.

    Postings 1–10 of one trigger each (the tenth is scrap), triggers 11–13 held; 11 and 12 posted as 11 and 12.
    Then a window of three triggers, of which the newest was reversed (13, 14); a short trigger and what it was
    owed (15, 16); a return and a cycle count (17, 18); a held trigger closed without posting; an open window.
    """
    batch = line.released(await store.held_triggers(1, 2))
    batch.exceptions[1] = make_exception(1, 1)
    await store.commit(batch)
    await store.commit(line.gathered_in(3))
    window = line.documents
    for make in (
        lambda: line.closed(window),
        lambda: line.reversed(window, 1),
        lambda: line.short(3),
        lambda: line.settled(1),
        lambda: line.returned(1, 5),
        lambda: line.counted(2, 900),
        lambda: line.short(4),
        lambda: line.held(2),
    ):
        await store.commit(make())
    await store.commit(line.closed_without_posting(await store.held_triggers(2, 9)))
    await store.commit(line.gathered_in(2))
    await store.commit(line.gathered_in(2, line.documents))
    return line


def tamper(path, *statements):
    connection = sqlite3.connect(path)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def failed(path) -> set[str]:
    return {one.name for one in verify(path).checks if not one.ok}


async def test_an_untouched_store_passes_every_check(path, grown):
    report = verify(path)

    assert [one.name for one in report.checks] == EVERY_CHECK
    assert [one for one in report.checks if not one.ok] == []
    assert report.ok


async def test_an_empty_store_passes(path, store):
    assert verify(path).ok


DOUBLED_POSTING = """
INSERT INTO posting (seq, position, order_no, operation, posting_type, posted_at, body, document_id, item, finished_lot)
SELECT 20, position + 20, order_no, operation, posting_type, posted_at, body, 1, item, finished_lot
FROM posting WHERE seq = 12
"""
ORPHAN_LINE = """
INSERT INTO posting_line (seq, line, use, item, lot, location, quantity, uom, bom_line)
SELECT 99, line, use, item, lot, location, quantity, uom, bom_line FROM posting_line LIMIT 1
"""
OTHERS_LINK = (
    "INSERT INTO link SELECT (SELECT id FROM open_document), trigger_id, units, body FROM link WHERE trigger_id = 3"
)
LOOSE_LINK = "INSERT INTO link SELECT 77, trigger_id, units, body FROM link WHERE trigger_id = 3"
DOUBLED_WINDOW = "INSERT INTO open_document SELECT id + 1, body FROM open_document"
CLOSED_WINDOW = "DELETE FROM open_document"
DOUBLED_SPAN = """
INSERT INTO span SELECT order_no, operation, span_start, span_end, 4, 0, sscc, sealed_at FROM span WHERE trigger_id = 3
"""
BALANCE = "lot_balance SELECT owner_kind, 'L2', item, lot, location, uom, received_at, expires_at, status, staged"
DOUBLED_BALANCE = f"INSERT INTO {BALANCE}, consumed, returned, has_left, facts FROM lot_balance WHERE item = 'ITEM-3'"


def changed_link(old: str, new: str) -> str:
    return f"UPDATE link SET body = replace(body, '{old}', '{new}') WHERE trigger_id = 5"


FLIPPED = 'CAST(replace(CAST(body AS TEXT), \'"good":"1"\', \'"good":"2"\') AS BLOB)'


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DELETE FROM posting WHERE seq = 5", {"sequence", "chain", "triggers", "bodies", "lots"}),
        ("DELETE FROM posting WHERE seq = 19", {"sequence", "chain", "triggers", "bodies", "lots"}),
        (DOUBLED_POSTING, {"sequence", "chain", "triggers", "bodies", "lots"}),
        (f"UPDATE posting SET body = {FLIPPED} WHERE seq = 5", {"chain"}),
        ("UPDATE posting SET body = CAST(substr(CAST(body AS TEXT), 2) AS BLOB) WHERE seq = 5", {"chain", "readable"}),
        ("UPDATE posting SET body = x'7b7d' WHERE seq = 5", {"chain", "readable"}),
        ("UPDATE posting SET posted_at = '2026-11-22T00:00:00.000Z' WHERE seq = 5", {"bodies"}),
        ("UPDATE posting_line SET lot = 'OTHER' WHERE seq = 5 AND line = 2", {"bodies"}),
        ("DELETE FROM posting_line WHERE seq = 5 AND line = 2", {"bodies"}),
        (ORPHAN_LINE, {"bodies"}),
        ("UPDATE lot_balance SET consumed = '11' WHERE item = 'ITEM-3'", {"lots"}),
        ("UPDATE lot_balance SET staged = '5' WHERE item = 'ITEM-3'", {"lots"}),
        ("UPDATE lot_balance SET has_left = 0 WHERE item = 'ITEM-3'", {"lots"}),
        ("UPDATE lot_balance SET staged = 'many' WHERE item = 'ITEM-3'", {"lots"}),
        ("DELETE FROM lot_balance WHERE item = 'ITEM-3'", {"lots"}),
        ("DELETE FROM staging WHERE id = 'S-3'", {"lots"}),
        ("DELETE FROM trigger_log WHERE id = 5", {"triggers", "conservation"}),
        ("DELETE FROM trigger_log WHERE id = 13", {"work list"}),
        ("UPDATE trigger_log SET document_id = 1006 WHERE id = 5", {"triggers"}),
        ("UPDATE trigger_log SET document_id = NULL WHERE id = 5", {"triggers", "conservation"}),
        ("UPDATE trigger_log SET quantity = '2' WHERE id = 5", {"triggers", "conservation"}),
        ("UPDATE trigger_log SET document_id = 1003, exception_id = NULL WHERE id = 13", {"triggers", "conservation"}),
        ("DELETE FROM event WHERE id = 5", {"triggers", "conservation"}),
        ("DELETE FROM event WHERE id = 13", {"conservation"}),
        ("UPDATE event SET source_time = '2026-11-22T00:00:00.000Z' WHERE id = 5", {"triggers"}),
        ("UPDATE event SET order_no = '777' WHERE id = 5", {"triggers"}),
        ("UPDATE trigger_log SET order_no = '777' WHERE id = 5", {"triggers"}),
        ("UPDATE event SET key = 'boot-1:3-5@4' WHERE id = 5", {"triggers", "counters"}),
        ("UPDATE checkpoint SET value = '7'", {"counters"}),
        ("UPDATE checkpoint SET counted = '7'", {"counters", "conservation"}),
        ("UPDATE tally SET posted = '12', held = '0'", {"conservation"}),
        ("DELETE FROM tally", {"conservation"}),
        ("UPDATE requirement SET committed = '99' WHERE bom_line = '0030'", {"requirements"}),
        ("DELETE FROM requirement WHERE bom_line = '0030'", {"requirements"}),
        ("DELETE FROM exception", {"work list"}),
        ("UPDATE exception SET closed_at = '2026-11-22T00:00:00.000Z' WHERE id = 1", {"work list"}),
        ("UPDATE exception SET closed_at = NULL WHERE id = 2", {"work list"}),
        ("UPDATE trigger_log SET closed = 1 WHERE id = 13", {"work list", "conservation"}),
        ("UPDATE trigger_log SET closed = 0 WHERE closed", {"work list", "conservation"}),
        ("UPDATE posting SET document_id = 999 WHERE seq = 5", {"triggers"}),
        ("UPDATE posting SET reverses = 12 WHERE seq = 14", {"bodies"}),
        ("UPDATE posting SET reverses = NULL WHERE seq = 14", {"bodies", "triggers"}),
        ("UPDATE posting SET follows = 1012 WHERE seq = 16", {"bodies"}),
        ("UPDATE posting SET item = 'OTHER' WHERE seq = 5", {"bodies"}),
        ("UPDATE posting_line SET owner = 'L2' WHERE seq = 5 AND line = 2", {"bodies"}),
        ("DELETE FROM link WHERE trigger_id = 5", {"triggers", "requirements"}),
        ("UPDATE link SET units = '2' WHERE trigger_id = 5", {"triggers"}),
        ("UPDATE link SET trigger_id = 1 WHERE trigger_id = 5", {"triggers"}),
        (OTHERS_LINK, {"triggers", "requirements"}),
        (LOOSE_LINK, {"triggers", "requirements"}),
        (changed_link('[[0,"1"]', '[[0,"2"]'), {"triggers"}),
        (changed_link('[[0,"1"]', '[[8,"1"]'), {"triggers"}),
        (changed_link('"1","0",[[2,', '"3","0",[[2,'), {"triggers", "requirements"}),
        (changed_link("[[", "[{"), {"readable"}),
        (CLOSED_WINDOW, {"triggers", "lots"}),
        (DOUBLED_WINDOW, {"triggers", "lots"}),
        ("UPDATE open_document SET body = replace(body, 'LOT-2', 'LOT-3')", {"lots"}),
        ("UPDATE open_document SET body = '{}'", {"triggers"}),
        ("UPDATE open_document SET id = 5", {"triggers"}),
        ("DELETE FROM span WHERE trigger_id = 5", {"units"}),
        ("UPDATE span SET span_end = span_end + 1 WHERE trigger_id = 5", {"units"}),
        ("UPDATE span SET reversed = 1 WHERE trigger_id = 5", {"units"}),
        ("UPDATE span SET reversed = 0", {"units"}),
        ("UPDATE span SET trigger_id = 999 WHERE trigger_id = 5", {"units"}),
        (DOUBLED_SPAN, {"units"}),
        ("UPDATE span SET sscc = '106141412345678908' WHERE trigger_id = 5", {"units"}),
        ("UPDATE span_head SET next = next + 1", {"units"}),
        ("UPDATE span_head SET free = '[]'", {"units"}),
        ("DELETE FROM span_head", {"units"}),
        ("UPDATE posting_line SET quantity = '-4' WHERE seq = 14 AND line = 2", {"bodies", "reversals"}),
        ("UPDATE posting_line SET quantity = '1' WHERE seq = 14 AND line = 2", {"bodies", "reversals"}),
        ("DELETE FROM backlog", {"requirements"}),
        ("UPDATE backlog SET quantity = '2'", {"requirements"}),
        ("UPDATE backlog SET trigger_id = 1", {"requirements"}),
        ("UPDATE backlog SET calculated = 0", {"requirements"}),
        ("DELETE FROM transfer WHERE kind = 'return'", {"lots"}),
        ("UPDATE transfer SET quantity = '6' WHERE kind = 'return'", {"lots"}),
        ("UPDATE transfer SET book = '6' WHERE kind = 'count'", {"lots"}),
        ("UPDATE lot_balance SET returned = '6' WHERE item = 'ITEM-1'", {"lots"}),
        (DOUBLED_BALANCE, {"lots"}),
        ("UPDATE tally SET reversed = '0', held = '4'", {"conservation"}),
        ("DELETE FROM journal", {"chain"}),
        ("UPDATE meta SET value = '18' WHERE key = 'seq'", {"sequence"}),
        ("INSERT INTO consumer VALUES ('puller', 'erp', 20, 0, '2026-11-21T10:00:00.000Z', 1)", {"consumers"}),
    ],
)
async def test_what_was_tampered_with_is_found(path, grown, statement, found):
    tamper(path, statement)

    assert found <= failed(path)


async def test_master_data_that_were_changed_under_their_hash_are_found(path, store, grown):
    await store.commit(Batch(snapshots=[Snapshot(digest(b"{}"), b"{}", START)]))
    assert set() == failed(path)

    tamper(path, "UPDATE snapshot SET body = CAST('[]' AS BLOB)")
    assert {"master data"} == failed(path)


async def test_a_link_may_name_a_line_more_than_once(path, grown):
    tamper(path, changed_link('[2,"1"]', '[2,"0.25"],[2,"0.75"]'))

    assert set() == failed(path)


async def test_one_broken_link_is_not_reported_for_everything_behind_it(path, grown):
    tamper(path, f"UPDATE posting SET body = {FLIPPED} WHERE seq = 5")

    chain = next(one for one in verify(path).checks if one.name == "chain")
    assert chain.detail == "position 6 was changed: its hash is another"


async def test_verification_ends_with_one_moment_of_a_store_that_goes_on(path, store, grown, monkeypatch):
    monkeypatch.setattr("gateway.store.verify._PIECE", 5)
    loop = asyncio.get_running_loop()
    batches = [grown.posted(1) for _ in range(3)]

    def commit_meanwhile(step, number):
        if batches:
            asyncio.run_coroutine_threadsafe(store.commit(batches.pop(0)), loop).result(30)

    report = await asyncio.to_thread(verify, path, commit_meanwhile)
    assert report.ok
    assert [] == batches
    assert "22 postings" in next(one.detail for one in report.checks if one.name == "sequence")
    assert verify(path).ok


async def test_the_store_of_a_killed_process_is_verified_from_its_wal(path):
    code = f"""
import asyncio, pathlib
from gateway.store.store import Store
from tests.unit.store.making import Line
async def main():
    store = await Store.open(pathlib.Path({str(path)!r}), "G")
    line = await Line.on(store)
    await store.commit(line.staged())
    await store.commit(line.posted(20))
    print("posted", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=subprocess.PIPE)
    assert process.stdout
    await process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    await process.wait()

    report = verify(path)
    assert report.ok
    assert "20 postings" in next(one.detail for one in report.checks if one.name == "sequence")


async def test_a_damaged_page_is_a_finding_or_a_store_error(path):
    store = await Store.open(path, "G")
    line = await Line.on(store)
    await store.commit(line.staged())
    await store.commit(line.posted(300))
    await store.close()
    content = bytearray(path.read_bytes())
    for page in range(80, len(content) // 4096):
        content[page * 4096 : page * 4096 + 8] = b"\xff" * 8
    path.write_bytes(content)

    assert not verify(path).ok


def test_a_missing_store_is_an_error_not_a_finding(tmp_path):
    with pytest.raises(StoreError, match="there is no store at"):
        verify(tmp_path / "none.db")


def test_a_file_that_is_no_database_is_an_error(tmp_path):
    file = tmp_path / "x.db"
    file.write_bytes(b"no database at all\n" * 100)

    with pytest.raises(StoreError, match="not a database"):
        verify(file)

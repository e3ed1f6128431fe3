import asyncio
import signal
import sqlite3
import subprocess
import sys

import pytest

from gateway.errors import StoreError
from gateway.store.store import Store
from gateway.store.verify import verify
from tests.unit.store.making import Line, make_exception

EVERY_CHECK = [
    "integrity",
    "readable",
    "sequence",
    "chain",
    "bodies",
    "triggers",
    "conservation",
    "lots",
    "requirements",
    "work list",
    "consumers",
]


@pytest.fixture
async def grown(store, line) -> Line:
    """Twelve postings, two of them released from an exception that still holds one trigger."""
    batch = line.released(await store.held_triggers(1, 2))
    batch.exceptions[1] = make_exception(1, 1)
    await store.commit(batch)
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
INSERT INTO posting SELECT 13, 14, order_no, operation, posting_type, posted_at, body FROM posting WHERE seq = 12
"""
ORPHAN_LINE = """
INSERT INTO posting_line SELECT 99, line, use, item, lot, location, quantity, uom, bom_line FROM posting_line LIMIT 1
"""
FLIPPED = 'CAST(replace(CAST(body AS TEXT), \'"good":"1"\', \'"good":"2"\') AS BLOB)'


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DELETE FROM posting WHERE seq = 5", {"sequence", "chain", "triggers", "bodies", "lots"}),
        ("DELETE FROM posting WHERE seq = 12", {"sequence", "chain", "triggers", "bodies", "lots"}),
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
        ("UPDATE trigger_log SET posting_seq = 6 WHERE id = 5", {"triggers"}),
        ("UPDATE trigger_log SET posting_seq = NULL WHERE id = 5", {"triggers", "conservation"}),
        ("UPDATE trigger_log SET quantity = '2' WHERE id = 5", {"triggers", "conservation"}),
        ("UPDATE trigger_log SET posting_seq = 3, exception_id = NULL WHERE id = 13", {"triggers", "conservation"}),
        ("DELETE FROM event WHERE id = 5", {"triggers", "conservation"}),
        ("DELETE FROM event WHERE id = 13", {"conservation"}),
        ("UPDATE tally SET posted = '12', held = '0'", {"conservation"}),
        ("DELETE FROM tally", {"conservation"}),
        ("UPDATE requirement SET committed = '13' WHERE bom_line = '0030'", {"requirements"}),
        ("DELETE FROM requirement WHERE bom_line = '0030'", {"requirements"}),
        ("DELETE FROM exception", {"work list"}),
        ("UPDATE exception SET closed_at = '2026-11-22T00:00:00.000Z'", {"work list"}),
        ("DELETE FROM journal", {"chain"}),
        ("UPDATE meta SET value = '11' WHERE key = 'seq'", {"sequence"}),
        ("INSERT INTO consumer VALUES ('puller', 'erp', 13, 0, '2026-11-21T10:00:00.000Z')", {"consumers"}),
    ],
)
async def test_what_was_tampered_with_is_found(path, grown, statement, found):
    tamper(path, statement)

    assert found <= failed(path)


async def test_one_broken_link_is_not_reported_for_everything_behind_it(path, grown):
    tamper(path, f"UPDATE posting SET body = {FLIPPED} WHERE seq = 5")

    chain = next(one for one in verify(path).checks if one.name == "chain")
    assert chain.detail == "position 6 was changed: its hash is another"


async def test_a_requirement_in_grams_of_a_stock_in_kilograms_is_no_fault(path, grown):
    tamper(path, "UPDATE requirement SET committed = '12000', uom = 'G' WHERE bom_line = '0030'")

    assert verify(path).ok


async def test_verification_sees_one_moment_of_a_store_that_goes_on(path, store, grown):
    loop = asyncio.get_running_loop()
    batches = [grown.posted(1) for _ in range(3)]

    def commit_meanwhile(step, number):
        if batches:
            asyncio.run_coroutine_threadsafe(store.commit(batches.pop(0)), loop).result(30)

    report = await asyncio.to_thread(verify, path, commit_meanwhile)
    assert report.ok
    assert len(batches) < 3
    assert "12 postings" in next(one.detail for one in report.checks if one.name == "sequence")
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
    await store.commit(line.posted(200))
    await store.close()
    content = bytearray(path.read_bytes())
    for page in range(20, len(content) // 4096):
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

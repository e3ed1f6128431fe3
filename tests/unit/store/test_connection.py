import asyncio
import sqlite3
import threading

import pytest

from gateway.errors import StoreError
from gateway.store.connection import Connection, connect_reader, connect_writer


@pytest.fixture
async def connection(tmp_path):
    opened = await Connection(tmp_path / "x.db", connect_writer).open()
    await opened.transact(lambda raw: raw.execute("CREATE TABLE t (x INTEGER PRIMARY KEY, y BLOB)"))
    yield opened
    await opened.close()


async def rows(connection):
    return await connection.run(lambda raw: [x for (x,) in raw.execute("SELECT x FROM t ORDER BY x")])


async def test_a_unit_of_work_that_raises_leaves_nothing(connection):
    def work(raw):
        raw.execute("INSERT INTO t (x) VALUES (1)")
        raise LookupError

    with pytest.raises(LookupError):
        await connection.transact(work)
    assert await rows(connection) == []


async def test_sqlite_errors_come_out_as_store_errors_with_a_hint(connection):
    def work(raw):
        raw.execute("INSERT INTO t (x) VALUES (1)")
        raw.execute("INSERT INTO t (x) VALUES (1)")

    with pytest.raises(StoreError, match="UNIQUE") as caught:
        await connection.transact(work)
    assert "load the state again" in caught.value.hint
    assert isinstance(caught.value.__cause__, sqlite3.Error)
    assert await rows(connection) == []


async def test_a_full_disk_is_reported_although_it_has_rolled_back_already(connection):
    await connection.run(lambda raw: raw.execute("PRAGMA max_page_count = 3").fetchall())

    with pytest.raises(StoreError, match="full") as caught:
        await connection.transact(lambda raw: raw.execute("INSERT INTO t (y) VALUES (zeroblob(100000))"))
    assert "free some space" in caught.value.hint

    await connection.run(lambda raw: raw.execute("PRAGMA max_page_count = 100000").fetchall())
    await connection.transact(lambda raw: raw.execute("INSERT INTO t (x) VALUES (2)"))

    assert await rows(connection) == [2]


async def test_a_cancelled_caller_waits_for_the_end_of_the_work(connection):
    begun, go_on = threading.Event(), threading.Event()

    def work(raw):
        begun.set()
        go_on.wait(10)
        raw.execute("INSERT INTO t (x) VALUES (1)")

    task = asyncio.create_task(connection.transact(work))
    await asyncio.to_thread(begun.wait, 10)
    for _ in range(3):
        task.cancel()
        await asyncio.wait([task], timeout=0.01)
        assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await rows(connection) == [1]


async def test_a_closed_connection_says_so(connection):
    await connection.close()

    with pytest.raises(StoreError, match="is not open"):
        await connection.transact(lambda raw: raw.execute("SELECT 1"))


async def test_a_reader_cannot_write(connection, tmp_path):
    reader = await Connection(tmp_path / "x.db", connect_reader).open()
    with pytest.raises(StoreError, match="readonly"):
        await reader.run(lambda raw: raw.execute("INSERT INTO t (x) VALUES (1)"))
    await reader.close()


async def test_a_missing_file_is_a_store_error(tmp_path):
    with pytest.raises(StoreError, match=r"unable to open.*correct store.path"):
        await Connection(tmp_path / "none.db", connect_reader).open()

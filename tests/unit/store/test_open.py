import asyncio
import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from gateway.errors import StoreError
from gateway.store.store import Store


async def test_a_new_store_gets_its_folder_and_an_id_of_its_own(tmp_path):
    first = await Store.open(tmp_path / "a" / "deep" / "gateway.db", "G")
    second = await Store.open(tmp_path / "b" / "gateway.db", "G")
    await first.close()
    await second.close()

    assert first.store != second.store
    assert len(first.store) == len(second.store) == 8


async def test_a_new_store_is_not_for_everybody_to_read(path):
    before = os.umask(0o022)
    try:
        store = await Store.open(path, "G")
        modes = [one.stat().st_mode & 0o777 for one in (path, path.with_name(f"{path.name}-wal"))]
        await store.close()
    finally:
        os.umask(before)

    assert [0o640, 0o640] == modes


async def test_an_existing_store_keeps_its_id(path):
    first = await Store.open(path, "G")
    await first.close()
    again = await Store.open(path, "G")
    await again.close()

    assert first.store == again.store


async def test_a_second_opening_is_refused_with_the_owners_pid(store, path):
    with pytest.raises(StoreError, match=f"in use by process {os.getpid()}"):
        await Store.open(path, "PLANT1-L1")


async def test_the_lock_of_a_killed_process_is_free(path):
    code = f"""
import asyncio, pathlib
from gateway.store.store import Store
async def main():
    await Store.open(pathlib.Path({str(path)!r}), "G")
    print("open", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=subprocess.PIPE)
    assert process.stdout
    await process.stdout.readline()
    with pytest.raises(StoreError, match=f"process {process.pid}"):
        await Store.open(path, "G")
    process.send_signal(signal.SIGKILL)
    await process.wait()

    await (await Store.open(path, "G")).close()


async def test_the_store_of_another_gateway_is_refused(path):
    await (await Store.open(path, "PLANT1-L1")).close()

    with pytest.raises(StoreError, match="belongs to gateway PLANT1-L1, this is PLANT1-L2"):
        await Store.open(path, "PLANT1-L2")


async def test_a_refused_store_is_not_left_locked(path):
    await (await Store.open(path, "PLANT1-L1")).close()
    with pytest.raises(StoreError):
        await Store.open(path, "PLANT1-L2")

    await (await Store.open(path, "PLANT1-L1")).close()


async def test_a_file_that_is_no_sqlite_database_is_refused_with_a_hint(tmp_path):
    file = tmp_path / "gateway.db"
    file.write_bytes(b"this is a text, and a long one at that\n" * 100)

    with pytest.raises(StoreError, match=r"not a database.*no SQLite file"):
        await Store.open(file, "G")


async def test_another_programs_database_is_refused_and_left_as_it_was(tmp_path):
    file = tmp_path / "gateway.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = file.read_bytes()

    with pytest.raises(StoreError, match="another program's"):
        await Store.open(file, "G")
    assert before == file.read_bytes()


async def test_a_newer_schema_is_refused(path):
    await (await Store.open(path, "G")).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(StoreError, match=r"schema version 99, this gateway knows \d"):
        await Store.open(path, "G")


async def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="can't create"):
        await Store.open(tmp_path / "file" / "gateway.db", "G")


async def test_commits_are_synchronous_full_in_wal_mode(store):
    mode = await store.transact(lambda raw: raw.execute("PRAGMA journal_mode").fetchone()[0])
    synchronous = await store.transact(lambda raw: raw.execute("PRAGMA synchronous").fetchone()[0])

    assert (mode, synchronous) == ("wal", 2)

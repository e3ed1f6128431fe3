"""A store of the version before documents, links and owners goes on as if it had always had them."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from gateway.domain.event import EventKind
from gateway.formats import chain
from gateway.store.batch import Batch, ConsumerKey, ConsumerKind, Head, Mark
from gateway.store.migrate import migrations
from gateway.store.retention import prune
from gateway.store.statements import TRIGGER
from gateway.store.store import Registration, Store
from gateway.store.verify import verify
from gateway.store.write import table_rows
from tests.unit.store.making import Line
from tests.unit.store.samples import START

ERP = ConsumerKey(ConsumerKind.SINK, "erp")


def faults(path) -> list:
    return [one for one in verify(path).checks if not one.ok]


def write_as_before(connection: sqlite3.Connection, line: Line, batch: Batch) -> None:
    """Write what the first schema had columns for; a trigger's posting stood where its document stands now."""
    for insert, rows in table_rows(batch):
        names = [one.strip() for one in insert.columns.split(",")]
        known = {row[1] for row in connection.execute(f"PRAGMA table_info({insert.table})")}
        for row in rows:
            values = dict(zip(names, row, strict=True))
            if insert is TRIGGER:
                values["posting_seq"] = line.seqs.get(values["document_id"])
            kept = {name: value for name, value in values.items() if name in known}
            if kept:
                marks = ",".join("?" * len(kept))
                statement = f"INSERT OR REPLACE INTO {insert.table} ({','.join(kept)}) VALUES ({marks})"
                connection.execute(statement, tuple(kept.values()))


@pytest.fixture
def old(path) -> Line:
    """Ten postings and three held triggers in a store of schema 1; no line says whose stock it took."""
    path.parent.mkdir()
    line = Line("G", "0LDST0RE", Head(0, chain.genesis("G", "0LDST0RE"), 0), says_owner=False)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(f"{migrations()[0][1]} PRAGMA user_version = 1;")
        identity = (("gateway", "G"), ("store", "0LDST0RE"), ("seq", "0"))
        connection.executemany("INSERT INTO meta VALUES (?, ?)", identity)
        for batch in (line.staged(), line.posted(9), line.posted(1, EventKind.SCRAP_UNITS), line.held(3)):
            write_as_before(connection, line, batch)
        connection.execute("INSERT INTO retained VALUES ('committed', '100045', '0010', '0030', 'EA', '0')")
    line.documents = line.head.seq
    return line


async def test_letters_that_the_pipeline_put_aside_before_are_known_by_their_members(path, old):
    members = b'{"id":"T-1","sequence":null,"total":null,"quantity":"7","uom":"box","order":null,"sscc":null,'
    aside = members + b'"units":null,"stable":true}'
    letters = [("scanned", aside), ("line1/packer", b'{"id":"T-1"}'), ("line1/packer", b"{"), ("x", b"\xff\x00")]
    with closing(sqlite3.connect(path)) as connection, connection:
        rows = [("PACKER-1", source, payload) for source, payload in letters]
        connection.executemany(
            "INSERT INTO dead_letter (device, source, payload, reason, at) VALUES (?, ?, ?, '', '')", rows
        )
    store = await Store.open(path, "G")
    found = await store.transact(lambda raw: raw.execute("SELECT put_aside FROM dead_letter ORDER BY id").fetchall())
    await store.close()

    assert [(1,), (0,), (0,), (0,)] == found


async def test_an_old_store_is_verified_after_its_upgrade(path, old):
    await (await Store.open(path, "G")).close()

    assert faults(path) == []


async def test_an_old_posting_is_a_document_of_its_trigger(path, old):
    store = await Store.open(path, "G")
    posting = await store.posting_at(10)
    (link,) = await store.links_of_document(posting.document)
    await store.close()

    assert (10, 10, tuple((line, 1) for line in range(8)), ()) == (
        posting.document,
        link.trigger,
        link.lines,
        link.draws,
    )


async def test_an_old_store_goes_on(path, old):
    store = await Store.open(path, "G")
    loaded = await store.load()
    old.says_owner, old.placed = True, old.placed._replace(next=0)
    await store.commit(old.posted(3))
    await store.commit(old.released(await store.held_triggers(1, 3)))
    await store.close()

    assert (loaded.ids.document, loaded.ids.trigger) == (11, 14)
    assert faults(path) == []


async def test_what_an_old_store_had_is_deleted_in_its_time(path, old):
    store = await Store.open(path, "G")
    await store.register([Registration(ERP, required=True)], START)
    old.placed = old.placed._replace(next=0)
    await store.commit(old.posted(3))
    await store.commit(Batch(consumers={ERP: Mark(11, START)}))
    deleted = await prune(store, timedelta(0), START + timedelta(seconds=1))
    await store.close()

    assert deleted == 11
    assert faults(path) == []


@pytest.mark.parametrize("statement", ["DELETE FROM posting WHERE seq = 5", "DELETE FROM link WHERE trigger_id = 5"])
async def test_tampering_with_what_is_old_shows(path, old, statement):
    store = await Store.open(path, "G")
    await store.transact(lambda raw: raw.execute(statement))
    await store.close()

    assert "triggers" in {one.name for one in faults(path)}

"""A value of a type that nobody wrote there: found at the start and by verify, in every column of every table."""

import asyncio
import re
import shutil
import sqlite3
from contextlib import closing

import pytest

from gateway.errors import StoreDamaged
from gateway.store.columns import mistyped
from gateway.store.migrate import migrate
from gateway.store.store import Store
from gateway.store.verify import verify
from tests.unit.store.making import Line

GATEWAY = "PLANT1-L1"
WRONG = {"text": b"\xff\x00", "blob": "text", "integer": "no number"}


def schema() -> dict[str, list[tuple[str, str]]]:
    """Return the columns (name, type) of every table, without those that SQLite itself keeps integer."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return {table: columns(connection, table) for (table,) in tables.fetchall()}


def columns(connection, table):
    found = connection.execute(f"SELECT name, lower(type), pk FROM pragma_table_info('{table}')").fetchall()
    alone = sum(pk > 0 for *_, pk in found) == 1
    return [(name, kind) for name, kind, pk in found if not (pk and alone and kind == "integer")]


SCHEMA = schema()


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "gateway.db"

    async def make():
        store = await Store.open(path, GATEWAY)
        line = await Line.on(store)
        for batch in (line.staged(), line.posted(5), line.held(2)):
            await store.commit(batch)
        await store.close()

    asyncio.run(make())
    return path


@pytest.fixture
def path(sound, tmp_path):
    for suffix in ("", ".head"):
        shutil.copyfile(f"{sound}{suffix}", tmp_path / f"{sound.name}{suffix}")
    return tmp_path / sound.name


def change(path, statement, values=()):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def put_in_wrong(path, table):
    names = ", ".join(name for name, _ in SCHEMA[table])
    places = ", ".join("?" * len(SCHEMA[table]))
    change(path, f"INSERT INTO {table} ({names}) VALUES ({places})", [WRONG[kind] for _, kind in SCHEMA[table]])


async def opened(path):
    store = await Store.open(path, GATEWAY)
    try:
        await store.load()
    finally:
        await store.close()


def found(path):
    return {one.name: one.detail for one in verify(path).checks if not one.ok}


@pytest.mark.parametrize("table", SCHEMA)
def test_each_column_with_a_value_of_another_type_is_named(path, table):
    put_in_wrong(path, table)
    with closing(sqlite3.connect(path)) as connection:
        named = [one.rpartition(": ")[2] for one in mistyped(connection, logs=True)]

    actual = {"text": "blob", "blob": "text", "integer": "text"}
    assert [f"{name} is {actual[kind]}, not {kind}" for name, kind in SCHEMA[table]] == named


@pytest.mark.parametrize("table", SCHEMA)
async def test_a_start_with_such_a_value_says_that_the_store_is_damaged(path, table):
    put_in_wrong(path, table)

    with pytest.raises(StoreDamaged, match=rf"is damaged: {table} .* not \w+"):
        await opened(path)


@pytest.mark.parametrize("table", SCHEMA)
def test_verify_tells_such_a_value_in_a_sentence(path, table):
    put_in_wrong(path, table)
    said = found(path)

    assert said["types"].startswith(f"{table} ")
    assert not re.search(r"[A-Z]\w+Error|<class|not supported between|object", str(said))


STATEMENTS = {
    "UPDATE posting SET body = CAST(body AS TEXT) WHERE seq = 5": "posting 5: body is text, not blob",
    "UPDATE journal SET body = CAST(body AS TEXT)": "journal 1: body is text, not blob",
    "UPDATE posting SET body = 7 WHERE seq = 1": "posting 1: body is integer, not blob",
    "UPDATE posting SET position = 'x' WHERE seq = 5": "posting 5: position is text, not integer",
}


@pytest.mark.parametrize(("statement", "said"), STATEMENTS.items())
async def test_a_row_that_sql_gave_another_type_is_named_at_the_start_and_by_verify(path, statement, said):
    change(path, statement)

    assert said == found(path)["types"]
    with pytest.raises(StoreDamaged, match=said):
        await opened(path)


@pytest.mark.parametrize("statement", [one for one in STATEMENTS if one.startswith("UPDATE posting SET body")])
async def test_where_not_every_type_is_looked_at_the_chain_still_finds_it(path, statement, monkeypatch):
    monkeypatch.setattr("gateway.store.damage._TYPED", 0)
    change(path, statement)

    with pytest.raises(StoreDamaged, match="the entry is not stored as bytes"):
        await opened(path)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE tally SET counted = 'many'", "a row can't be read, a value is not what belongs there"),
        ("UPDATE exception SET opened_at = 'once'", "a row can't be read, a value is not what belongs there"),
        ("UPDATE tally SET uom = CAST(x'ff' AS TEXT)", "Could not decode to UTF-8"),
        ("UPDATE meta SET value = 'x' WHERE key = 'position'", "a value is not what belongs there"),
        ("DELETE FROM meta WHERE key = 'hash'", "'hash' is missing"),
    ],
)
async def test_what_is_of_its_type_and_still_nothing_is_damage_too(path, statement, said):
    change(path, statement)

    assert found(path)
    with pytest.raises(StoreDamaged, match=said):
        await opened(path)


async def test_a_table_of_somebody_else_is_nobodys_business(path):
    change(path, "CREATE TABLE noted (said ANY, at REAL)")
    change(path, "INSERT INTO noted VALUES ('x', 1.5)")
    await opened(path)

    assert {} == found(path)

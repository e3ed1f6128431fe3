"""What stands at store.path isn't a store that this program reads: every command that reads says what it is."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.store.store import Store

READING = (
    *(("status",), ("exceptions",), ("letters",), ("refused",), ("lots",), ("windows",), ("verify",), ("measures",)),
    *(("explain", 5), ("genealogy", "--lot", "K-5502"), ("full-documents", "100045")),
)
every_reader = pytest.mark.parametrize("command", READING, ids=lambda one: one[0])


@pytest.fixture
def path(daemon) -> Path:
    daemon.is_away()
    return daemon.config / "var" / "gateway.db"


def found(path: Path, *statements: str) -> None:
    """Found a store, and change it."""
    asyncio.run(_found(path))
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)


async def _found(path: Path) -> None:
    await (await Store.open(path, "PLANT1-L1")).close()


@pytest.fixture
def outcome(gateway, daemon, command):
    """Run the command once its store is as the test made it."""
    name, *others = command
    return lambda: gateway(name, daemon.config, *others)


@every_reader
def test_an_empty_file_is_said_to_be_empty(path, outcome):
    path.touch()
    said = outcome()

    assert 1 == said.code
    assert "the store is empty: its founding broke off, or what was in it is lost" in said.error
    assert "`gateway run` tells which" in said.error


@every_reader
def test_the_store_of_a_newer_program_is_not_read(path, outcome):
    found(path, "PRAGMA user_version = 99")
    said = outcome()

    assert 1 == said.code
    assert "the store has schema version 99" in said.error


@every_reader
def test_another_programs_file_is_not_read(path, outcome):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE meta (a)")
    said = outcome()

    assert 1 == said.code
    assert "this is another program's SQLite file" in said.error


@every_reader
def test_a_folder_is_said_to_be_no_file(path, outcome):
    path.mkdir()
    said = outcome()

    assert 1 == said.code
    assert f"store {path} is no file\n→ correct store.path" in said.error


def test_another_programs_file_is_not_put_aside(path, daemon, gateway):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE meta (a)")
    before = path.read_bytes()
    said = gateway("new-store", daemon.config, "--reason", "a try")

    assert (1, before) == (said.code, path.read_bytes())
    assert "this is another program's SQLite file\n→ correct store.path" in said.error


def test_a_store_that_says_an_older_version_than_it_has_is_damaged(path, daemon, gateway):
    found(path, "PRAGMA user_version = 2")
    said = gateway("run", daemon.config)

    assert 65 == said.code
    assert "the store says it has schema version 2, but hasn't" in said.error
    assert f"gateway restore {daemon.config} BACKUP" in said.error

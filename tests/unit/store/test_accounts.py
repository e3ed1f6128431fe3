import sqlite3

import pytest

from gateway.store.accounts import read_books
from tests.unit.store.making import Line
from tests.unit.store.samples import GOOD


@pytest.fixture
async def books(store, line) -> Line:
    """Nine good units and a scrapped one posted, two in an open window, one reversed, two held, one closed."""
    await store.commit(line.gathered_in(2))
    await store.commit(line.reversed(1004))
    await store.commit(line.closed_without_posting(await store.held_triggers(1, 1)))
    return line


def account(path):
    found = read_books(path).accounts[GOOD]
    return tuple(map(int, (found.posted, found.scrapped, found.held, found.reversed, found.doubled)))


async def test_the_books_say_where_every_unit_is(path, books):
    assert (10, 1, 2, 2, 0) == account(path)


async def test_a_deleted_posting_is_missing_in_the_books(path, books):
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM posting WHERE seq = 5")
    connection.close()

    assert (9, 1, 2, 2, 0) == account(path)


async def test_a_posting_that_is_there_twice_is_doubled(path, books):
    columns = "position, order_no, operation, posting_type, posted_at, body"
    with sqlite3.connect(path) as connection:
        connection.execute(f"INSERT INTO posting (seq, {columns}) SELECT 99, {columns} FROM posting WHERE seq = 5")
    connection.close()

    assert (10, 1, 2, 2, 1) == account(path)


async def test_every_posting_has_its_hash_in_the_books(path, books):
    hashes = read_books(path).hashes

    assert list(range(1, 12)) == [seq for _, seq in hashes]
    assert all(one.startswith("sha256:") for one in hashes.values())

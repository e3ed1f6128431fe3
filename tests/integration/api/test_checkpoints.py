"""The signed checkpoints, for whoever keeps them."""

import json
import shutil
import sqlite3
from contextlib import closing

import orjson
import pytest

from gateway.store.signing import check
from gateway.store.verification.against import against, read_kept
from gateway.store.verify import verify
from simulators.books import Books
from simulators.puller import Puller, PullSettings
from tests.unit.store.making import Line
from tests.unit.store.vouching import introduced, vouched


async def test_checkpoints_are_read_behind_a_position_with_the_keys_that_signed_them(site):
    key = await introduced(site.writer.store)
    signed = await vouched(site.writer.store, key)

    answer = (await site.client("erp").get("/api/v1/checkpoints")).json()
    (item,), (known,) = answer["items"], answer["keys"]
    assert {"id": key.id, "public": key.public} == known
    assert check(known["public"], item["body"].encode(), item["signature"])
    assert (signed.position, False) == (orjson.loads(item["body"])["position"], answer["has_more"])


async def test_behind_the_last_one_there_is_nothing(site):
    signed = await vouched(site.writer.store, await introduced(site.writer.store))

    answer = (await site.client("viewer").get("/api/v1/checkpoints", params={"after": signed.position})).json()
    assert [] == answer["items"]


async def test_a_wrong_position_is_told(site):
    answer = await site.client("erp").get("/api/v1/checkpoints", params={"after": -1})

    assert 422 == answer.status_code


@pytest.fixture
async def puller(site, tmp_path):
    """The ERP, with what it books; it asks when it is told to."""
    token = tmp_path / "token"
    token.write_text("token of erp")
    books = Books(tmp_path / "erp.db")
    made = Puller(books, PullSettings("", token))
    made.ask = lambda: made._page(site.client(None))
    made.books = books
    yield made
    books.close()


async def test_an_erp_that_keeps_checkpoints_finds_a_store_that_was_cut_off(site, puller, tmp_path):
    writer = site.writer
    key = await introduced(writer.store)
    line = await Line.on(writer.store, components=2)
    await writer.store.commit(line.staged())
    await writer.store.commit(line.posted(3))
    await vouched(writer.store, key)
    cut = tmp_path / "cut.db"
    await writer.store.transact(lambda raw: raw.execute("SELECT 1"))
    for suffix in ("", "-wal"):
        shutil.copy(f"{writer.path}{suffix}", f"{cut}{suffix}")
    await writer.store.commit(line.posted(2))
    await vouched(writer.store, key, since=True)
    writer.log.announce(5)

    await puller.ask()
    file = tmp_path / "kept.json"
    file.write_text(json.dumps(puller.books.checkpoints()))

    assert verify(cut).ok
    assert "it was cut off" in against(cut, read_kept(file)).detail
    assert against(writer.path, read_kept(file)).ok


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DELETE FROM signed_checkpoint", "checkpoint 1 is gone: the store was cut off"),
        (
            "UPDATE signed_checkpoint SET body = replace(body, 'sha256:', 'sha256:0')",
            "checkpoint 1 is another one: the store was written anew",
        ),
    ],
)
async def test_an_erp_says_once_what_contradicts_the_checkpoint_it_has(site, puller, statement, found):
    store = site.writer.store
    await vouched(store, await introduced(store))
    site.writer.log.announce(1)  # so that nobody waits for a posting
    await puller.ask()
    await store.transact(lambda raw: raw.execute(statement))
    for _ in range(2):
        await puller.ask()

    with closing(sqlite3.connect(store.path.with_name("erp.db"))) as connection:
        assert [(found,)] == connection.execute("SELECT reason FROM refused").fetchall()

"""Signed checkpoints: who signed what, what an incremental verification goes on from, and what it must not believe."""

import asyncio
import sqlite3
from contextlib import closing

import orjson
import pytest

from gateway.store import checkpoints
from gateway.store import verify as verifying
from gateway.store.batch import Batch, ConsumerKey, ConsumerKind, Mark
from gateway.store.retention import prune
from gateway.store.signing import check, key_path
from gateway.store.store import Registration
from gateway.store.verification import signatures
from gateway.store.verify import verify
from tests.unit.store.making import Line
from tests.unit.store.samples import START, make_exception
from tests.unit.store.test_retention import KEEP, LATER
from tests.unit.store.vouching import faults, introduced, place_of, vouched

ERP = ConsumerKey(ConsumerKind.SINK, "erp")
FLIPPED = 'CAST(replace(CAST(body AS TEXT), \'"good":"1"\', \'"good":"2"\') AS BLOB)'


@pytest.fixture
async def line(store, key):
    made = await Line.on(store)
    for batch in (made.staged(), made.posted(10), made.held(3)):
        await store.commit(batch)
    return made


def said(path) -> str:
    return next(one.detail for one in verify(path, since_checkpoint=True).checks if one.name == "checkpoints")


async def execute(store, *statements):
    for statement in statements:
        await store.transact(lambda raw, one=statement: raw.execute(one))


async def test_a_key_is_chained_once(store, key):
    await introduced(store)

    rows = await store.transact(lambda raw: raw.execute("SELECT kind, body FROM journal").fetchall())
    assert [("key", key.public)] == [(kind, orjson.loads(body)["public"]) for kind, body in rows]


async def test_the_body_is_signed_as_it_stands_and_says_where_the_chain_stood(store, line, key):
    signed = await vouched(store, key)

    body = orjson.loads(signed.body)
    assert check(key.public, signed.body.encode(), signed.signature)
    assert (line.head.position, 10, f"sha256:{line.head.hash.hex()}") == (body["position"], body["seq"], body["hash"])


async def test_only_what_came_behind_the_checkpoint_is_looked_at(store, path, line, key):
    await vouched(store, key)
    await store.commit(line.posted(2))

    report = verify(path, since_checkpoint=True)
    assert report.ok
    assert "2 postings, the last is 12" in [one.detail for one in report.checks]
    assert (10, 12) == (report.since.seq, report.reached.head.seq)


async def test_a_counter_that_counted_nothing_since_stands_where_it_stood_then(store, path, line, key):
    await vouched(store, key)
    await execute(store, "UPDATE checkpoint SET value = '7'")

    assert {"counters"} == faults(path, since=True).keys()


async def test_a_change_before_the_checkpoint_is_left_to_the_whole_verification(store, path, line, key):
    await vouched(store, key)
    await execute(store, f"UPDATE posting SET body = {FLIPPED} WHERE seq = 5")

    assert ({}, {"chain", "triggers"}) == (faults(path, since=True), set(faults(path, since=False)))


async def test_without_a_checkpoint_everything_is_verified(store, path, line):
    assert "there is none to go on from: everything is verified" == said(path)


async def test_a_checkpoint_by_a_key_that_is_not_trusted_vouches_for_nothing(store, path, line, key):
    await vouched(store, key)

    report = verify(path, since_checkpoint=True, trusted="another")
    assert report.ok
    assert report.since is None


async def test_a_lost_key_is_followed_by_a_new_one_and_each_signature_says_whose_it_is(path, store, line, key, caplog):
    await vouched(store, key)
    key_path(path).unlink()
    second = await introduced(store)

    assert f"signs with another key from now on: {second.id}, before {key.id}" in caplog.text

    await vouched(store, second, since=True)

    detail = verify(path).checks[-1].detail
    assert f"2 signed checkpoints: 1 by key {key.id}, 1 by key {second.id}" == detail


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE signed_checkpoint SET body = replace(body, '\"seq\":10', '\"seq\":9')", "does not hold"),
        ("UPDATE signed_checkpoint SET signature = replace(signature, '0', '1')", "does not hold"),
        ("UPDATE signed_checkpoint SET seq = 9", "its row says something else"),
        ("UPDATE signed_checkpoint SET body = 'x'", "it can't be read"),
        ("DELETE FROM signing_key", "none of the store's"),
        ("UPDATE signing_key SET public = replace(public, '0', '1')", "is not the one that was chained"),
        ("UPDATE signing_key SET position = 2", "is not the one that was chained"),
    ],
)
@pytest.mark.usefixtures("line")
async def test_a_forged_checkpoint_is_found_and_not_gone_on_from(store, path, key, statement, found):
    await vouched(store, key)
    await execute(store, statement)

    for since in (True, False):
        assert found in faults(path, since=since)["checkpoints"]
    assert verify(path, since_checkpoint=True).since is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE verified_total SET quantity = '9' WHERE kind = 'posted'",
        "DELETE FROM verified_total WHERE kind = 'consumed'",
        "UPDATE signed_checkpoint SET state = replace(state, '\"event\":13', '\"event\":12')",
        "UPDATE signed_checkpoint SET state = NULL",
        "UPDATE signed_checkpoint SET state = '{}'",
    ],
)
async def test_totals_that_were_not_signed_are_not_gone_on_from(store, path, line, key, statement):
    await vouched(store, key)
    await execute(store, statement)

    report = verify(path, since_checkpoint=True)
    assert report.since is None
    assert "the totals kept with it are not those that were signed" in report.checks[0].detail


async def test_the_entry_at_the_checkpoint_has_to_be_the_one_that_was_signed(store, path, line, key):
    await vouched(store, key)
    resealed = f"CAST(replace(CAST(body AS TEXT), '{line.head.hash.hex()}', '{'0' * 64}') AS BLOB)"
    await execute(store, f"UPDATE posting SET body = {resealed} WHERE seq = 10")

    assert "the store has another entry there" in faults(path, since=True)["checkpoints"]


async def test_retention_behind_the_checkpoint_changes_nothing_and_beyond_it_everything_is_verified(
    store, path, line, key
):
    await store.register([Registration(ERP, required=True)], START)
    await vouched(store, key)
    await store.commit(line.posted(5))
    await store.commit(Batch(consumers={ERP: Mark(6, START)}))
    assert 6 == await prune(store, KEEP, LATER)
    behind = verify(path, since_checkpoint=True)
    await store.commit(Batch(consumers={ERP: Mark(12, START)}))
    assert 6 == await prune(store, KEEP, LATER)

    assert behind.ok
    assert (10, "the newest is older than what retention deleted: everything is verified") == (
        behind.since.seq,
        said(path),
    )
    assert verify(path).ok


async def test_a_checkpoint_that_is_signed_while_its_predecessor_is_read_changes_nothing(
    store, path, line, key, monkeypatch
):
    await vouched(store, key)
    await store.commit(line.posted(5))
    prepared = checkpoints.prepare(path, verify(path, since_checkpoint=True).reached, key, place_of(store))
    keys = signatures._keys

    def meanwhile(*given):
        monkeypatch.setattr(signatures, "_keys", keys)
        with closing(sqlite3.connect(path, isolation_level="IMMEDIATE")) as other, other:
            other.execute("BEGIN IMMEDIATE")
            checkpoints.write(other, prepared)
        return keys(*given)

    monkeypatch.setattr(signatures, "_keys", meanwhile)

    assert ({}, {}) == (faults(path, since=True), faults(path, since=True))
    assert signatures._keys is keys


async def test_retention_beyond_the_checkpoint_just_after_it_was_read_has_everything_verified(
    store, path, line, key, monkeypatch
):
    await store.register([Registration(ERP, required=True)], START)
    await vouched(store, key)
    await store.commit(line.posted(5))
    await store.commit(Batch(consumers={ERP: Mark(12, START)}))
    loop, restrict = asyncio.get_running_loop(), verifying.restrict

    def meanwhile(*given):
        monkeypatch.setattr(verifying, "restrict", restrict)
        deleted.append(asyncio.run_coroutine_threadsafe(prune(store, KEEP, LATER), loop).result(30))
        restrict(*given)

    deleted = []
    monkeypatch.setattr(verifying, "restrict", meanwhile)
    report = await asyncio.to_thread(verify, path, since_checkpoint=True)

    assert ([12], True, None) == (deleted, report.ok, report.since)


async def test_what_was_held_at_the_checkpoint_is_looked_at_again(store, path, line, key):
    await vouched(store, key)
    batch = line.released(await store.held_triggers(1, 3))
    batch.exceptions[1] = make_exception(1, 0, closed_at=START, close_reason="posted")
    await store.commit(batch)
    assert verify(path, since_checkpoint=True).ok
    await execute(store, "UPDATE trigger_log SET document_id = NULL WHERE id = 12")

    assert {"triggers", "conservation"} <= faults(path, since=True).keys()


async def test_a_page_goes_on_behind_a_position(store, line, key):
    first = await vouched(store, key)
    await store.commit(line.posted(1))
    second = await vouched(store, key, since=True)

    pages = [await store.transact(lambda raw, at=at: checkpoints.page(raw, at, 1)) for at in (0, first.position)]
    assert [((first,), True), ((second,), False)] == [(one.items, one.has_more) for one in pages]
    assert ((key.id, key.public),) == pages[0].keys


async def test_a_key_that_is_no_hex_ends_no_verification(store, path, line, key):
    await vouched(store, key)
    await store.transact(lambda raw: raw.execute("UPDATE signing_key SET public = 'no hex'"))

    found = {one.name: one.detail for one in verify(path, since_checkpoint=True).checks if not one.ok}
    assert {"checkpoints": "a row can't be read: a value is not what belongs there"} == found

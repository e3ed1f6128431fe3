from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.domain.event import SignalId
from gateway.domain.lot import LotFacts, LotStatus, Owner, Staging
from gateway.domain.posting import Variance
from gateway.errors import StoreError
from gateway.store.batch import (
    Batch,
    DeadLetter,
    EventRow,
    Snapshot,
    StagingRow,
    VarianceRow,
)
from gateway.store.codec import staging_hash
from gateway.store.lookups import BALANCES, HELD_TRIGGERS, KNOWN_EVENTS, STAGED
from tests.unit.store.samples import GOOD, START, lot_key, make_event

MICROSECOND = timedelta(microseconds=1)
ONE = Decimal(1)


def make_staging(**changes) -> Staging:
    staging = Staging("S-1", lot_key(1), Decimal(100), "EA", START, START + timedelta(days=9))
    return replace(staging, **changes)


async def test_a_snapshot_is_kept_as_it_was_first(store):
    for body in (b"first", b"second"):
        await store.commit(Batch(snapshots=[Snapshot("sha256:9f2c", body, START)]))

    assert [(b"first",)] == await store.transact(lambda raw: raw.execute("SELECT body FROM snapshot").fetchall())


async def test_a_variance_is_there_once_however_often_it_is_booked(store):
    for actual in (ONE, Decimal(2)):
        variance = Variance("0010", "CAP-28", "EA", ONE, actual, ONE, ONE, ONE, ONE, "usage")
        await store.commit(Batch(variances=[VarianceRow("100045", "L1", variance, START)]))

    assert [("2",)] == await store.transact(lambda raw: raw.execute("SELECT actual FROM variance").fetchall())


async def test_a_trigger_closed_without_posting_is_held_no_more(store, line):
    await store.commit(line.closed_without_posting(await store.held_triggers(1, 2)))

    assert [13] == [one.id for one in await store.held_triggers(1, 10)]


async def test_nothing_of_a_batch_that_fails_is_stored(store, line):
    before = await store.load()
    batch = line.posted(2)
    batch.postings[1] = batch.postings[0]
    with pytest.raises(StoreError, match="UNIQUE"):
        await store.commit(batch)

    assert before == await store.load()


async def test_after_a_failure_the_store_reopens_and_goes_on(store, line):
    with pytest.raises(StoreError):
        await store.commit(Batch(events=[EventRow(1, make_event(1), "COUNT")]))
    await store.reopen()
    await store.commit(line.posted(1))

    assert (await store.load()).head.seq == 11


async def test_a_store_that_cannot_be_reopened_stays_closed_and_can_be_tried_again(store, path, line):
    moved = path.with_name("moved")
    path.rename(moved)
    path.mkdir()
    with pytest.raises(StoreError):
        await store.reopen()
    with pytest.raises(StoreError, match="not open"):
        await store.load()
    path.rmdir()
    moved.rename(path)
    await store.reopen()

    assert line.head == (await store.load()).head


async def test_known_events_are_found_by_device_signal_and_key(store):
    key = ("PACKER-1", "case_sealed", "case-1")
    event = make_event(1)._replace(signal=SignalId(*key[:2]), key=key[2])
    await store.commit(Batch(events=[EventRow(1, event, "NEW", "abc"), EventRow(2, make_event(2), "COUNT")]))
    counter = (*GOOD, make_event(2).key)

    assert {key: "abc", counter: None} == await store.known_events([key, counter, ("PACKER-1", "x", "case-1")])


async def test_held_triggers_come_back_whole_and_oldest_first(store, line):
    held = await store.held_triggers(1, 2)

    assert [one.id for one in held] == [11, 12]
    assert make_event(11) == held[0].event
    assert (
        held[0].rule,
        held[0].rule_version,
        held[0].line,
        held[0].order,
        held[0].operation,
    ) == ("fill-good", 1, "L1", "100045", "0010")


async def test_a_released_trigger_is_held_no_more(store, line):
    await store.commit(line.released(await store.held_triggers(1, 2)))

    assert [one.id for one in await store.held_triggers(1, 10)] == [13]


async def test_applied_transfers_are_known_by_their_content(store):
    await store.commit(Batch(stagings=[StagingRow(make_staging(), START, staging_hash(make_staging()))]))

    assert {"S-1": staging_hash(make_staging())} == await store.staged(["S-1", "S-2"])


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"quantity": Decimal("100.00")}, True),
        ({"received_at": START + MICROSECOND}, True),
        ({"quantity": Decimal(101)}, False),
        ({"key": lot_key(2)}, False),
        ({"key": lot_key(1)._replace(owner=Owner("order", "L1"))}, False),
        ({"uom": "KG"}, False),
        ({"expires_at": None}, False),
        ({"status": LotStatus.BLOCKED}, False),
        ({"facts": LotFacts(staged_at=START, scanned_at=START)}, True),
        ({"facts": LotFacts("ACME")}, False),
        ({"facts": LotFacts(density=Decimal("0.97"))}, False),
        ({"scanned": True}, False),
    ],
)
def test_a_transfers_hash_is_of_what_it_moves(change, same):
    assert same == (staging_hash(make_staging()) == staging_hash(make_staging(**change)))


async def test_batches_of_any_size_are_written(store, line):
    for size in (1, 127, 128, 129, 300):
        await store.commit(line.posted(size))

    lines = await store.transact(lambda raw: raw.execute("SELECT count(*) FROM posting_line").fetchone()[0])
    assert lines == (10 + 1 + 127 + 128 + 129 + 300) * 8


async def test_a_dead_letter_keeps_its_bytes(store):
    letter = DeadLetter("PACKER-1", "line1/packer", b"\xff\x00{", "no JSON", START)
    await store.commit(Batch(dead_letters=[letter]))

    row = await store.transact(lambda raw: raw.execute("SELECT source, payload, at FROM dead_letter").fetchone())
    assert row == ("line1/packer", b"\xff\x00{", "2026-11-21T10:00:00.123Z")


@pytest.mark.parametrize("question", [KNOWN_EVENTS, HELD_TRIGGERS, STAGED, BALANCES])
async def test_questions_are_answered_by_index(store, question):
    parameters = (1, 0, 1) if question == HELD_TRIGGERS else ("[]",)
    plan = await store.transact(lambda raw: raw.execute(f"EXPLAIN QUERY PLAN {question}", parameters).fetchall())

    scans = [row[3] for row in plan if row[3].startswith("SCAN") and "wanted" not in row[3]]
    assert scans == []

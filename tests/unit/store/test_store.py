from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.counting.counter import Suspect
from gateway.counting.messages import Watermark
from gateway.domain.document import Backlog
from gateway.domain.event import LotMention, SignalId, Trigger
from gateway.domain.exception import ExceptionKind
from gateway.domain.line import LineOrder, LineState
from gateway.domain.lot import LotBalance, LotFacts, LotKey, LotStatus, Owner, Staging
from gateway.domain.order import OrderState, Pin, Progress
from gateway.domain.posting import Variance
from gateway.domain.requirement import Requirement, RequirementKey
from gateway.errors import StoreError
from gateway.store.batch import (
    Batch,
    DeadLetter,
    EventRow,
    InputRow,
    ShadowKey,
    ShadowTotal,
    Snapshot,
    SpanHead,
    StagingRow,
    Tally,
    TriggerRow,
    VarianceRow,
)
from gateway.store.codec import staging_hash
from gateway.store.lookups import BALANCES, HELD_TRIGGERS, KNOWN_EVENTS, STAGED
from tests.unit.store.making import GOOD, START, checkpoint, lot_key, make_document, make_event, make_exception

MICROSECOND = timedelta(microseconds=1)
ONE = Decimal(1)
REQUIRED = RequirementKey("100045", "0010", "0030", "KG")


def make_balance(**changes) -> LotBalance:
    balance = LotBalance(lot_key(1), "EA", START, None, LotStatus.UNRESTRICTED, staged=ONE)
    return balance._replace(**changes)


def make_staging(**changes) -> Staging:
    staging = Staging("S-1", lot_key(1), Decimal(100), "EA", START, START + timedelta(days=9))
    return replace(staging, **changes)


def make_suspect() -> Suspect:
    """A value beyond 64 bits in every number, whatever else a suspect comes to remember."""
    return Suspect(**{one.name: 2**64 - 1 if one.type is int else "b7c1" for one in fields(Suspect)})


async def test_an_empty_store_begins_at_the_genesis(store):
    loaded = await store.load()

    assert (loaded.head.position, loaded.head.seq) == (0, 0)
    assert (loaded.next_event, loaded.next_trigger, loaded.next_exception) == (1, 1, 1)
    assert not loaded.lots


async def test_what_was_committed_is_loaded(store, line):
    loaded = await store.load()

    assert line.head == loaded.head
    assert line.lots == loaded.lots
    assert line.requirements == loaded.requirements
    assert {GOOD: line.tally} == loaded.tallies
    assert (loaded.next_event, loaded.next_trigger, loaded.next_exception) == (14, 14, 2)
    assert (make_exception(1, 3),) == loaded.exceptions


@pytest.mark.parametrize(
    "stored",
    [
        checkpoint(),
        checkpoint(suspect=make_suspect(), slack=12),
        checkpoint(2**64 - 1)._replace(epoch=None, source_time=START + MICROSECOND, order=None, counted=10**30),
    ],
)
async def test_a_checkpoint_comes_back_exactly(store, stored):
    await store.commit(Batch(checkpoints={GOOD: stored}))

    assert {GOOD: stored} == (await store.load()).checkpoints


@pytest.mark.parametrize(
    "stored",
    [
        Watermark(),
        Watermark(4711, Decimal("12.500"), ((3, 4), (9, 9)), START + MICROSECOND),
    ],
)
async def test_a_message_watermark_comes_back_exactly(store, stored):
    await store.commit(Batch(watermarks={GOOD: stored}))

    assert {GOOD: stored} == (await store.load()).watermarks


async def test_figures_of_an_order_come_back_exactly(store):
    key = RequirementKey("100045", "0010", "0030", "EA")
    requirement = Requirement(10**40 + 1, 3 * 10**39, Decimal("3.334"))
    progress = Progress(Decimal("1000000000000.5"), Decimal(2), Decimal(0))
    await store.commit(Batch(requirements={key: requirement}, progress={("100045", "0010"): progress}))
    loaded = await store.load()

    assert {key: requirement} == loaded.requirements
    assert {("100045", "0010"): progress} == loaded.progress


async def test_a_used_up_lot_is_not_loaded_but_found_when_asked_for(store):
    key = LotKey(Owner("order", "100045"), "CAP-28", "CP-1", "L1-CAP")
    lot = LotBalance(
        key, "EA", START, START + MICROSECOND, LotStatus.BLOCKED, Decimal("5.00"), Decimal("4.5"), Decimal("0.5")
    )
    await store.commit(Batch(lots={key: lot}))

    assert not (await store.load()).lots
    assert {key: lot} == await store.balances([key, lot_key(3)])


async def test_closed_exceptions_are_not_loaded(store):
    closed = make_exception(2, 0, closed_at=START, close_reason="posted", closed_by="gateway")
    await store.commit(Batch(exceptions={1: make_exception(1, 1), 2: closed}))
    loaded = await store.load()

    assert [one.id for one in loaded.exceptions] == [1]
    assert loaded.next_exception == 3
    assert loaded.exceptions[0].kind is ExceptionKind.TRIGGER


async def test_what_an_event_has_beside_its_columns_comes_back(store):
    lot = LotMention("CAP-28", "CP-1", "L1-CAP", "0010", START, "ACME")
    event = make_event(1)._replace(temperature=Decimal("21.50"), lot=lot, edited=(("0010", ONE),), person="anna")
    trigger = Trigger(1, event, "issue", 1, "L1", "100045", "0010")
    held = EventRow(1, event, "NEW", "abc", ("no-rule", "no rule", ""))
    await store.commit(Batch(events=[held], triggers=[TriggerRow(1, 1, trigger, None, 1)]))

    assert [trigger] == await store.triggers([1])


@pytest.mark.parametrize(
    ("member", "loaded", "stored"),
    [
        ("documents", "documents", {7: make_document(7, triggers=(1,), reach=((0, 12), None), follows=3)}),
        ("span_heads", "span_heads", {("100045", "0010"): SpanHead(10**15, ((0, 12), (24, 36)))}),
        ("backlogs", "backlogs", {3: Backlog(3, 1, 7, REQUIRED, Decimal("0.250"))}),
        ("orders", "order_states", {"100045": OrderState(START, True, ONE, (Pin(START, "4"),), frozenset({1, 2}))}),
        ("lines", "line_states", {"L1": LineState((LineOrder(START, "100045"),), "100045")}),
        ("shadows", "shadows", {ShadowKey(REQUIRED, "4"): ShadowTotal("CAP-28", Requirement(10**40, 7, ONE, True))}),
        ("requirements", "requirements", {REQUIRED: Requirement(1, 3, ONE, True)}),
        ("tallies", "tallies", {GOOD: Tally("EA", Decimal(5), ONE, ONE, ONE, Decimal(2))}),
        ("lots", "lots", {lot_key(1): make_balance(facts=LotFacts("ACME", 1, Decimal("0.97"), scanned_at=START))}),
        ("exceptions", "exceptions", {1: make_exception(1, 1, owner="quality")}),
    ],
)
async def test_a_member_of_a_batch_is_loaded_as_it_was(store, member, loaded, stored):
    await store.commit(Batch(**{member: stored}))

    found = getattr(await store.load(), loaded)
    assert stored == (found if isinstance(found, dict) else {one.id: one for one in found})


async def test_a_closed_document_and_a_settled_backlog_are_gone_and_their_ids_stay_given(store):
    await store.commit(Batch(documents={7: make_document(7)}, backlogs={3: Backlog(3, 1, 7, REQUIRED, ONE)}))
    await store.commit(Batch(documents={7: None, 8: None}, backlogs={3: None}))
    loaded = await store.load()

    assert ({}, {}) == (loaded.documents, loaded.backlogs)
    assert loaded.next_backlog == 4


async def test_ids_go_on_behind_the_greatest(store, line):
    await store.commit(line.gathered_in(1))
    await store.commit(Batch(inputs=[InputRow(5, 13, "tick", b"{}")]))
    loaded = await store.load()

    assert (line.documents + 1, 6) == (loaded.next_document, loaded.next_input)


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
    parameters = (1, 1) if question == HELD_TRIGGERS else ("[]",)
    plan = await store.transact(lambda raw: raw.execute(f"EXPLAIN QUERY PLAN {question}", parameters).fetchall())

    scans = [row[3] for row in plan if row[3].startswith("SCAN") and "wanted" not in row[3]]
    assert scans == []

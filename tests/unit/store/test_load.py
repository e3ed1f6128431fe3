from dataclasses import fields
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.counting.counter import Suspect
from gateway.counting.messages import Settled, Watermark
from gateway.domain.document import Backlog
from gateway.domain.event import LotMention, Trigger
from gateway.domain.exception import ExceptionKind
from gateway.domain.line import LineOrder, LineState
from gateway.domain.lot import LotBalance, LotFacts, LotKey, LotStatus, Owner
from gateway.domain.order import OrderState, Pin, Progress
from gateway.domain.requirement import Requirement, RequirementKey
from gateway.store.batch import (
    Batch,
    EventRow,
    InputRow,
    ShadowKey,
    ShadowTotal,
    SpanHead,
    Tally,
    TriggerRow,
)
from tests.unit.store.samples import GOOD, START, checkpoint, lot_key, make_document, make_event, make_exception

MICROSECOND = timedelta(microseconds=1)
ONE = Decimal(1)
REQUIRED = RequirementKey("100045", "0010", "0030", "KG")


def make_balance(**changes) -> LotBalance:
    balance = LotBalance(lot_key(1), "EA", START, None, LotStatus.UNRESTRICTED, staged=ONE)
    return balance._replace(**changes)


def make_suspect() -> Suspect:
    """A value beyond 64 bits in every number, whatever else a suspect comes to remember."""
    return Suspect(**{one.name: 2**64 - 1 if one.type is int else "b7c1" for one in fields(Suspect)})


async def test_an_empty_store_begins_at_the_genesis(store):
    loaded = await store.load()

    assert (loaded.head.position, loaded.head.seq) == (0, 0)
    assert (loaded.ids.event, loaded.ids.trigger, loaded.ids.exception) == (1, 1, 1)
    assert not loaded.lots


async def test_what_was_committed_is_loaded(store, line):
    loaded = await store.load()

    assert line.head == loaded.head
    assert line.lots == loaded.lots
    assert line.requirements == loaded.requirements
    assert {GOOD: line.tally} == loaded.tallies
    assert (loaded.ids.event, loaded.ids.trigger, loaded.ids.exception) == (14, 14, 2)
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
        Watermark(None, Decimal("30.10"), unreported=((Decimal("6.30"), Decimal(12)), (Decimal(18), Decimal(24)))),
        Watermark(7, settled=(Settled(3, 4, 1, "anna", START), Settled(None, None, 2, "eva", START + MICROSECOND))),
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
    assert loaded.ids.exception == 3
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
        ("backlogs", "backlogs", {3: Backlog(3, 1, 7, REQUIRED, ONE, calculated=False)}),
        ("orders", "order_states", {"100045": OrderState(START, True, ONE, (Pin(START, "4"),), frozenset({1, 2}))}),
        ("lines", "line_states", {"L1": LineState((LineOrder(START, "100045"),), (LineOrder(START, "100045"),))}),
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
    assert loaded.ids.backlog == 4


async def test_ids_go_on_behind_the_greatest(store, line):
    await store.commit(line.gathered_in(1))
    await store.commit(Batch(inputs=[InputRow(5, 13, "tick", b"{}")]))
    loaded = await store.load()

    assert (line.documents + 1, 6) == (loaded.ids.document, loaded.ids.input)


async def test_what_only_a_closed_orders_postings_need_is_not_loaded(store, line):
    closed = await store.load()
    await store.commit(Batch(orders={"100045": OrderState(closed_at=START)}))
    loaded = await store.load()

    assert closed.requirements
    assert ({}, {}, {}) == (loaded.requirements, loaded.progress, loaded.span_heads)
    assert loaded.order_states["100045"].closed_at == START

from decimal import Decimal

import pytest

from gateway.domain.document import Span
from gateway.store import documents, order_sums
from gateway.store.lookups import BALANCES_OF_LOTS, TRANSFERS, TRIGGERS
from tests.unit.store.samples import PLACE, lot_key, make_event

ONE = Decimal(1)


@pytest.fixture
async def window(store, line) -> int:
    """A posted document (seq 11) of the triggers 14 to 16, of which the newest was reversed (seq 12)."""
    await store.commit(line.gathered_in(3))
    window = line.documents
    await store.commit(line.closed(window))
    await store.commit(line.reversed(window, 1))
    return window


async def test_a_posting_is_found_by_its_seq(store, line, window):
    found = await store.posting_at(11)

    assert (11, window, None, None) == (found.seq, found.document, found.follows, found.reverses)
    assert await store.posting_at(99) is None


async def test_documents_are_found_that_were_posted(store, line, window):
    await store.commit(line.gathered_in(1))

    assert [11] == [one.seq for one in await store.postings_of([window, line.documents])]


async def test_an_orders_postings_are_summed(store, window):
    found = await store.order_sums("100045")
    other = await store.order_sums("100046")

    assert {"0010": (11, 1, 0)} == {
        one.operation: (one.output.good, one.output.scrap, one.output.rework) for one in found.outputs
    }
    assert 12 == sum(one.quantity for one in found.lines if one.item == "ITEM-3")
    assert ((), ()) == other


async def test_a_posting_knows_what_reversed_it(store, window):
    assert [(12, 11)] == [(one.seq, one.reverses) for one in await store.reversed_by(11)]


async def test_what_was_owed_follows_its_document(store, line):
    await store.commit(line.short(3))
    main = line.documents
    await store.commit(line.settled(1))

    assert [(12, main)] == [(one.seq, one.follows) for one in await store.documents_following(main)]


async def test_links_come_by_document_and_by_trigger(store, line, window):
    of_document = await store.links_of_document(window)
    of_newest = await store.links_of_triggers([16])

    assert line.links[window] == of_document
    assert [(window, ONE), (window + 1, -ONE)] == [(one.document, one.units) for one in of_newest]


async def test_reversed_units_are_nobodys(store, window):
    assert [Span(*PLACE, 11, 12, 15)] == await store.spans_of([15, 16])


async def test_a_span_is_reversed_in_part(store, line):
    await store.commit(line.gathered_in(1))
    whole = line.spans[14]
    await store.transact(lambda raw: raw.execute("UPDATE span SET span_end = span_end + 9 WHERE trigger_id = 14"))
    batch = line.gathered_in(1)
    batch.reversed_spans = [whole._replace(start=whole.start + 3, end=whole.start + 5)]
    await store.commit(batch)

    assert [(10, 13), (15, 20)] == [(one.start, one.end) for one in await store.spans_of([14])]


async def test_triggers_come_in_the_order_asked_for(store, line):
    found = await store.triggers([13, 2])

    assert [make_event(13), make_event(2)] == [one.event for one in found]


async def test_a_lots_balances_are_found_whosever_they_are(store, line):
    assert {lot_key(3): line.lots[lot_key(3)]} == await store.balances_of_lots(
        [("ITEM-3", "LOT-3"), ("ITEM-3", "LOT-4")]
    )


async def test_applied_returns_and_counts_are_known(store, line):
    await store.commit(line.returned(1, 5))

    assert {"return-1": "5f3c"} == await store.transfers(["return-1", "count-1"])


@pytest.mark.parametrize(
    "question",
    [
        documents.AT,
        documents.OF_DOCUMENTS,
        documents.FOLLOWING,
        documents.REVERSED_BY,
        documents.LINKS_OF_DOCUMENT,
        documents.LINKS_OF_TRIGGERS,
        documents.SPANS,
        BALANCES_OF_LOTS,
        TRANSFERS,
        TRIGGERS,
    ],
)
async def test_questions_are_answered_by_index(store, question):
    parameters = ("[]",) * question.count("?")
    plan = await store.transact(lambda raw: raw.execute(f"EXPLAIN QUERY PLAN {question}", parameters).fetchall())

    scans = [row[3] for row in plan if row[3].startswith("SCAN") and "wanted" not in row[3]]
    assert scans == []


@pytest.mark.parametrize("question", [order_sums.OUTPUTS, order_sums.LINES, order_sums.ONCE_HOLDERS])
async def test_only_an_orders_own_postings_are_summed(store, question):
    parameters = ("100045",) * question.count("?")
    plan = await store.transact(lambda raw: raw.execute(f"EXPLAIN QUERY PLAN {question}", parameters).fetchall())

    assert [] == [row[3] for row in plan if "posting" in row[3] and "posting_order (order_no=?)" not in row[3]]
    assert any("posting_order (order_no=?)" in row[3] for row in plan)

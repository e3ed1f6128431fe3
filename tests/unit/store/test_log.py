import asyncio

import pytest

from gateway.errors import StoreError
from gateway.store.batch import Batch, ConsumerKey, ConsumerKind, Mark
from gateway.store.log import PostingLog
from gateway.store.store import Registration
from tests.unit.store.samples import START

ERP = ConsumerKey(ConsumerKind.PULLER, "erp")
ERP_SINK = ConsumerKey(ConsumerKind.SINK, "erp")


@pytest.fixture
async def log(path, line):
    opened = await PostingLog.open(path)
    yield opened
    await opened.close()


def seqs(page):
    return [one.seq for one in page.documents]


async def test_the_log_knows_whose_it_is(log, store):
    assert (store.gateway, store.store) == (log.gateway, log.store)


async def test_pages_follow_each_other_by_watermark(log):
    first = await log.page(0, None, 6)
    second = await log.page(first.next_after, None, 6)

    assert (seqs(first), first.next_after, first.has_more) == ([1, 2, 3, 4, 5, 6], 6, True)
    assert (seqs(second), second.next_after, second.has_more) == ([7, 8, 9, 10], 10, False)


async def test_a_page_carries_the_stored_bytes(log, store):
    page = await log.page(3, None, 1)

    stored = await store.transact(lambda raw: raw.execute("SELECT body FROM posting WHERE seq = 4").fetchone()[0])
    assert stored == page.documents[0].body


async def test_a_bounded_page_is_the_same_after_more_was_posted(log, store, line):
    before = await log.page(4, 8, 10)
    await store.commit(line.posted(5))

    assert before == await log.page(4, 8, 10)
    assert (seqs(before), before.has_more) == ([5, 6, 7, 8], False)


async def test_a_page_behind_the_end_is_empty_and_stays_where_it_is(log):
    page = await log.page(10, None, 5)

    assert (page.documents, page.next_after, page.has_more) == ((), 10, False)


async def test_last_and_first_are_those_of_the_store(log, store, line):
    await store.commit(line.posted(1))

    assert (await log.last(), await log.first_available()) == (11, 1)


async def test_news_wakes_whoever_waits(log):
    waiting = asyncio.create_task(log.wait_beyond(10, 30))
    await asyncio.sleep(0)
    log.announce(11)

    assert await waiting


async def test_old_news_do_not_wake(log):
    assert await log.wait_beyond(9, 30)
    assert not await log.wait_beyond(10, 0)


async def test_closing_the_log_wakes_whoever_waits(path, line):
    log = await PostingLog.open(path)
    waiting = asyncio.create_task(log.wait_beyond(10, 30))
    await asyncio.sleep(0)
    await log.close()

    assert not await waiting


async def test_a_watermark_never_moves_back(log, store):
    for through in (5, 3):
        await store.commit(Batch(consumers={ERP: Mark(through, START)}))

    (erp,) = await log.consumers()
    assert (erp.name, erp.kind, erp.through, erp.required, erp.updated_at) == ("erp", "puller", 5, False, START)


async def test_a_sink_and_a_puller_of_one_name_are_two(log, store):
    await store.commit(Batch(consumers={ERP: Mark(5, START), ERP_SINK: Mark(2, START)}))

    assert [(one.kind, one.through) for one in await log.consumers()] == [("puller", 5), ("sink", 2)]


async def test_what_is_no_longer_configured_is_not_required(log, store):
    await store.register([Registration(ERP, required=True)], START)
    await store.commit(Batch(consumers={ERP: Mark(5, START)}))
    await store.register([Registration(ERP_SINK, required=True)], START)

    assert [(one.kind, one.through, one.required) for one in await log.consumers()] == [
        ("puller", 5, False),
        ("sink", 0, True),
    ]


async def test_there_is_no_log_without_a_store(tmp_path):
    with pytest.raises(StoreError, match="unable to open"):
        await PostingLog.open(tmp_path / "none.db")


async def test_who_waits_for_another_try_goes_on_when_the_log_is_closed(path, line):
    closing = await PostingLog.open(path)
    await closing.close()

    await asyncio.wait_for(closing.wait_asked(closing.asked), timeout=5)

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.store.batch import Batch, ConsumerKey, ConsumerKind, DeadLetter, Mark, Rejection
from gateway.store.views import _CLOSED, Views
from tests.unit.store.samples import GOOD, START, make_exception


@pytest.fixture
async def views(path, line):
    opened = await Views.open(path)
    yield opened
    await opened.close()


async def test_tallies_add_up(views):
    (one,) = await views.tallies()

    assert one.signal == GOOD
    assert one.tally == ("", 13, 9, 1, 3, 0)


async def test_open_exceptions_come_oldest_first(views, store):
    await store.commit(Batch(exceptions={3: make_exception(3, 0), 2: make_exception(2, 0)}))

    assert [one.id for one in await views.exceptions(2)] == [1, 2]
    assert [one.id for one in await views.exceptions(2, after=2)] == [3]


async def test_closed_exceptions_come_newest_first(views, store):
    closed = [replace(make_exception(number, 0), closed_at=START + timedelta(number % 5)) for number in (2, 3, 4, 5)]
    await store.commit(Batch(exceptions={one.id: one for one in closed}))

    assert [one.id for one in await views.exceptions_closed(3)] == [4, 3, 2]
    assert [one.id for one in await views.exceptions_closed(3, after=2)] == [5]


async def test_the_closed_exceptions_are_not_all_looked_at(views):
    plan = await views.read(lambda raw: raw.execute(f"EXPLAIN QUERY PLAN {_CLOSED}", (3,)).fetchall())

    assert ["SEARCH exception USING INDEX exception_closed (closed_at>?)"] == [step[-1] for step in plan]


async def test_open_exceptions_are_counted(views):
    assert 1 == await views.exceptions_open()


async def test_a_buffer_is_what_a_consumer_has_not_acknowledged(views, store):
    sink = ConsumerKey(ConsumerKind.SINK, "erp")
    refused = Rejection("erp", 2, "unknown lot", START)
    await store.commit(Batch(consumers={sink: Mark(4, START)}, rejections=[refused, refused]))

    (one,) = await views.buffers()
    assert (one.name, one.through, one.waiting, one.rejected) == ("erp", 4, 6, 1)


async def test_dead_letters_are_numbered(views, store):
    letter = DeadLetter("PACKER-1", "t", b"{", "no JSON", START)
    await store.commit(Batch(dead_letters=[letter, letter]))

    assert await views.dead_letters() == 2


async def test_the_wal_has_a_size(views):
    assert views.wal_size() > 0

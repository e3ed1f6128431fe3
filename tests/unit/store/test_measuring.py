"""The measures' cache: nobody waits for another's reading."""

import asyncio
import threading

import pytest

from gateway.errors import StoreError
from gateway.store import measuring
from gateway.store.batch import Batch
from gateway.store.views import Views


@pytest.fixture
async def views(store):
    await store.commit(Batch())
    opened = await Views.open(store.path)
    yield opened
    await opened.close()


@pytest.fixture
def always_old(monkeypatch):
    monkeypatch.setattr(measuring, "_FRESH", 0)
    monkeypatch.setattr(measuring, "_REST", 0)


@pytest.fixture
def slow(monkeypatch):
    """A reading that ends when this is set; `begun` is set once it waits."""
    begun, end, quick = threading.Event(), threading.Event(), measuring.measures

    def read(connection):
        begun.set()
        assert end.wait(30)
        return quick(connection)

    monkeypatch.setattr(measuring, "measures", read)
    yield begun, end
    end.set()


async def test_measures_that_take_long_hold_up_no_other_read(views, slow):
    begun, end = slow
    asked = asyncio.create_task(views.measured())
    assert await asyncio.to_thread(begun.wait, 30)

    assert [] == await views.lots()

    end.set()
    await asked


async def test_older_measures_are_shown_while_new_ones_take_long(views, always_old, monkeypatch, request):
    first = await views.measured()
    monkeypatch.setattr(measuring, "_PATIENCE", 0)
    request.getfixturevalue("slow")

    assert await views.measured() is first


async def test_everybody_waits_for_the_same_reading(views, slow):
    begun, end = slow
    asked = [asyncio.create_task(views.measured()) for _ in range(3)]
    assert await asyncio.to_thread(begun.wait, 30)
    end.set()

    one, *others = await asyncio.gather(*asked)

    assert all(other is one for other in others)


async def test_fresh_measures_are_not_read_again(views):
    assert await views.measured() is await views.measured()


async def test_old_measures_are_read_again(views, always_old):
    assert await views.measured() is not await views.measured()


async def test_measures_say_how_old_they_are(views, monkeypatch):
    measured = await views.measured()
    monkeypatch.setattr(measuring, "monotonic", lambda: measured.read_at + 7)

    assert measured.age == 7


async def test_measures_that_could_never_be_read_are_an_error(views, monkeypatch):
    def fail(_):
        raise StoreError("disk I/O error")

    monkeypatch.setattr(measuring, "measures", fail)

    with pytest.raises(StoreError):
        await views.measured()

"""Whatever the order of batches, failures and restarts: disk is what memory says, and it verifies."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.event import EventKind
from gateway.errors import StoreError
from gateway.store.store import Store
from gateway.store.verify import verify
from tests.unit.store.making import GOOD, Line

COUNT = st.integers(1, 5)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), COUNT),
        st.tuples(st.just("scrap"), COUNT),
        st.tuples(st.just("hold"), COUNT),
        st.tuples(st.just("fail"), COUNT),
        st.tuples(st.just("restart"), st.just(0)),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_the_store_is_what_was_committed(steps):
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_run(Path(folder) / "gateway.db", steps))


async def _run(path, steps):
    store = await Store.open(path, "G")
    line = await Line.on(store, components=2)
    await store.commit(line.staged())
    for name, count in steps:
        store = await _step(path, store, line, name, count)
    loaded = await store.load()
    await store.close()

    assert (line.head, line.lots, line.requirements) == (loaded.head, loaded.lots, loaded.requirements)
    assert line.tally == loaded.tallies.get(GOOD)
    assert [one for one in verify(path).checks if not one.ok] == []


async def _step(path, store, line, name, count):
    if name == "restart":
        await store.close()
        return await Store.open(path, "G")
    if name == "fail":
        await _fail(store, count)
        await store.reopen()
    elif name == "hold":
        await store.commit(line.held(count))
        await store.commit(line.released(await store.held_triggers(line.exceptions, count)))
    else:
        kind = EventKind.SCRAP_UNITS if name == "scrap" else EventKind.GOOD_UNITS
        await store.commit(line.posted(count, kind))
    return store


async def _fail(store, count):
    doubled = (await Line.on(store, components=2)).staged()
    doubled.stagings *= 1 + count
    with pytest.raises(StoreError):
        await store.commit(doubled)

"""Whatever the order of batches, failures and restarts: disk is what memory says, and it verifies."""

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.event import EventKind
from gateway.errors import StoreError
from gateway.store.accounts import read_books
from gateway.store.batch import Batch, ConsumerKey, ConsumerKind, Mark
from gateway.store.retention import prune
from gateway.store.store import Registration, Store
from gateway.store.verify import verify
from tests.unit.store.making import Line
from tests.unit.store.samples import GOOD, START

ERP = ConsumerKey(ConsumerKind.SINK, "erp")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_store_is_what_was_committed(data):
    steps = data.draw(st.lists(st.tuples(st.sampled_from(["restart", *STEP]), st.integers(1, 5)), max_size=16))
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_run(Path(folder) / "gateway.db", steps))


async def _run(path, steps):
    store = await Store.open(path, "G")
    await store.register([Registration(ERP, required=True)], START)
    line = await Line.on(store, components=4)
    await store.commit(line.staged())
    for name, count in steps:
        if name == "restart":
            await store.close()
            store = await Store.open(path, "G")
        else:
            await STEP[name](store, line, count)
    loaded = await store.load()
    await store.close()

    assert (line.head, line.lots, line.requirements) == (loaded.head, loaded.lots, loaded.requirements)
    assert (line.open, line.owed) == (loaded.documents, loaded.backlogs)
    assert line.tally == loaded.tallies.get(GOOD, line.tally)
    assert [one for one in verify(path).checks if not one.ok] == []
    account = read_books(path).accounts.get(GOOD)
    assert account is None or line.tally[2:] == (account.posted, account.scrapped, account.held, account.reversed)


async def _post(store, line, count):
    await store.commit(line.posted(count))


async def _scrap(store, line, count):
    await store.commit(line.posted(count, EventKind.SCRAP_UNITS))


async def _hold(store, line, count):
    await store.commit(line.held(count))
    await store.commit(line.released(await store.held_triggers(line.exceptions, count)))


async def _dismiss(store, line, count):
    await store.commit(line.held(count))
    await store.commit(line.closed_without_posting(await store.held_triggers(line.exceptions, count)))


async def _gather(store, line, count):
    await store.commit(line.gathered_in(count, next(iter(line.open), None)))


async def _close(store, line, _):
    for document in list(line.open):
        await store.commit(line.closed(document))


async def _reverse(store, line, count):
    """Reverse the newest units of the last document that can be."""
    for document in reversed(line.links):
        seq = line.seqs.get(document, 0)
        if line.mirrors(document) and await store.posting_at(seq) and not await store.reversed_by(seq):
            await store.commit(line.reversed(document, count))
            return


async def _short(store, line, count):
    await store.commit(line.short(count % 4))


async def _settle(store, line, _):
    if line.owed:
        await store.commit(line.settled(next(iter(line.owed))))


async def _prune(store, line, count):
    await store.commit(Batch(consumers={ERP: Mark(max(0, line.head.seq - count), START)}))
    await prune(store, timedelta(0), START + timedelta(seconds=1))


async def _fail(store, line, count):
    doubled = (await Line.on(store, components=2)).staged()
    doubled.stagings *= 1 + count
    with pytest.raises(StoreError):
        await store.commit(doubled)
    await store.reopen()


STEP = {
    "post": _post,
    "scrap": _scrap,
    "hold": _hold,
    "dismiss": _dismiss,
    "gather": _gather,
    "close": _close,
    "reverse": _reverse,
    "short": _short,
    "settle": _settle,
    "prune": _prune,
    "fail": _fail,
}

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.domain.event import EventKind
from gateway.store.copying import copy_store
from gateway.store.signing import SigningKey
from gateway.store.store import Store
from gateway.store.verify import silent
from tests.unit.store.making import Line
from tests.unit.store.samples import START
from tests.unit.store.vouching import introduced


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "var" / "gateway.db"


@pytest.fixture
async def store(path) -> AsyncIterator[Store]:
    opened = await Store.open(path, "PLANT1-L1")
    yield opened
    await opened.close()


@pytest.fixture
async def line(store) -> Line:
    """A line with stock, ten postings (one of them scrap) and three held triggers."""
    made = await Line.on(store)
    for batch in (made.staged(), made.posted(9), made.posted(1, EventKind.SCRAP_UNITS), made.held(3)):
        await store.commit(batch)
    return made


@pytest.fixture
def backup(path, tmp_path, line) -> Path:
    """A backup of it, made at the start."""
    copy = tmp_path / "backup.db"
    copy_store(path, copy, "backup", START, silent)
    return copy


@pytest.fixture
async def key(store) -> SigningKey:
    """The store's key, chained."""
    return await introduced(store)

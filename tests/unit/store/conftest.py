from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.domain.event import EventKind
from gateway.store.store import Store
from tests.unit.store.making import Line


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

"""Retention's archives: what can't be said just now never stops it."""

import pytest

from gateway.domain.command import ClearAlarm, RaiseAlarm
from gateway.errors import StoreError, TransientError
from gateway.runtime.archiving import Archiving
from gateway.store.store import Store
from tests.unit.store.samples import START


class Paused:
    """A pipeline that takes no command just now."""

    def __init__(self):
        self.asked = []

    async def execute(self, command, author):
        self.asked.append((type(command), author.person))
        raise TransientError("the store is broken just now")


@pytest.fixture
def archiving(tmp_path):
    return Archiving(tmp_path, tmp_path / "archive", Paused())


async def test_a_paused_pipeline_does_not_hide_why_nothing_could_be_archived(archiving, tmp_path):
    with pytest.raises(StoreError):
        await archiving.through(tmp_path / "missing.db", START)

    assert [(RaiseAlarm, "gateway")] == archiving.commands.asked


async def test_a_paused_pipeline_does_not_keep_retention_from_its_work(archiving, path, store):
    through = await archiving.through(path, START)

    assert 0 == through
    assert [(ClearAlarm, "gateway")] == archiving.commands.asked


@pytest.fixture
def path(tmp_path):
    return tmp_path / "line.db"


@pytest.fixture
async def store(path):
    opened = await Store.open(path, "G")
    yield opened
    await opened.close()

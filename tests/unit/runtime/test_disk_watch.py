"""What the watch reads, tells, and takes back."""

import asyncio
from unittest.mock import AsyncMock

import pytest

from gateway.domain.command import RaiseAlarm
from gateway.domain.exception import ExceptionKind
from gateway.domain.signature import Author
from gateway.errors import TransientError
from gateway.pipeline.pipeline import DISK_FULL
from gateway.runtime import disk_watch
from gateway.runtime.disk_rules import Limits, Reading
from gateway.runtime.disk_watch import FAILING, DiskWatch, held_up
from gateway.runtime.supervisor import Supervisor
from gateway.store.batch import ConsumerKey, ConsumerKind
from gateway.store.space import Room
from gateway.store.store import Registration
from gateway.store.views import Buffer, Views
from tests.unit.pipeline.plant import Plant

GIB = 1 << 30
LIMITS = Limits(budget=None, wal=64 << 20, commit=2.0)


class Parts(Supervisor):
    """A supervisor that says which parts are tripped."""

    failing: dict[str, str]

    def tripped(self) -> dict[str, str]:
        return self.failing


@pytest.fixture
async def plant(tmp_path):
    made = Plant(tmp_path / "gateway.db")
    await made.open()
    made.run()
    yield made
    await made.close()


@pytest.fixture
async def watch(plant, monkeypatch):
    views = await Views.open(plant.store.path)
    parts = Parts()
    parts.failing = {}
    monkeypatch.setattr(disk_watch, "room", lambda _: Room(100 * GIB, 50 * GIB))
    yield DiskWatch(plant.store.path, LIMITS, views, plant.pipeline, parts)
    await views.close()


async def told(plant, watch) -> set[tuple[str, str]]:
    """Return the open alarms after a look."""
    await watch.look()
    await asyncio.wait([watch._telling])
    return {one.scope for one in plant.state.exceptions.values() if one.kind is ExceptionKind.ALARM}


async def test_while_all_is_well_nothing_is_written(plant, watch):
    before = plant.pipeline.writer.batches

    assert set() == await told(plant, watch)
    assert before == plant.pipeline.writer.batches


async def test_a_disk_that_runs_low_is_told_until_it_has_room(plant, watch, monkeypatch):
    monkeypatch.setattr(disk_watch, "room", lambda _: Room(100 * GIB, GIB // 2))
    low = await told(plant, watch)
    monkeypatch.setattr(disk_watch, "room", lambda _: Room(100 * GIB, 50 * GIB))

    assert {("gateway", "disk-low")} == low
    assert set() == await told(plant, watch)


async def test_a_part_that_fails_is_told_by_its_name_until_it_runs(plant, watch):
    watch.supervisor.failing = {"sink erp": "failed 5 times"}
    failing = await told(plant, watch)

    assert {"sink erp": "failed 5 times"} == watch.troubles()

    watch.supervisor.failing = {}

    assert {("sink erp", FAILING)} == failing
    assert set() == await told(plant, watch)


async def test_what_cannot_be_committed_is_logged_once_until_it_is_over(plant, watch, monkeypatch, caplog):
    refused = AsyncMock(side_effect=TransientError("the store is away"))
    monkeypatch.setattr(plant.pipeline.commands, "execute", refused)
    for failing in ({"sink erp": "failed"}, {"sink erp": "failed"}, {}, {"sink erp": "failed"}):
        watch.supervisor.failing = failing
        await told(plant, watch)

    assert 3 == refused.await_count
    assert 2 == caplog.text.count("sink erp failed")


async def reasons(plant, watch) -> list[str]:
    await told(plant, watch)
    return [one.reason for one in plant.state.exceptions.values() if one.kind is ExceptionKind.ALARM]


async def test_an_open_alarm_says_what_holds_by_now(plant, watch, monkeypatch, caplog):
    watch.limits = LIMITS._replace(budget=1)
    mes = ConsumerKey(ConsumerKind.PULLER, "mes")
    await plant.store.register([Registration(mes, required=True)], plant.clock.now().wall)
    monkeypatch.setattr(DiskWatch, "_read", AsyncMock(return_value=Reading(8 << 20, 0, 50 * GIB, 100 * GIB)))
    (begun,) = await reasons(plant, watch)
    await plant.store.register([], plant.clock.now().wall)
    plant.clock.advance(3600)
    (later,) = await reasons(plant, watch)
    batches = plant.pipeline.writer.batches
    monkeypatch.setattr(DiskWatch, "_read", AsyncMock(return_value=Reading(9 << 20, 0, 50 * GIB, 100 * GIB)))
    plant.clock.advance(3600)

    assert "more than its budget of 1 B" in begun
    assert "nothing is ever deleted while no sink or consumer is required" in later
    assert [later] == await reasons(plant, watch)
    assert batches == plant.pipeline.writer.batches
    assert 2 == caplog.text.count("the store takes")


async def test_an_alarm_that_a_crash_left_open_is_taken_back(plant, watch):
    await plant.pipeline.commands.execute(RaiseAlarm(DISK_FULL, "the disk is full"), Author("gateway"))

    assert set() == await told(plant, watch)


async def test_an_alarm_of_others_is_left_alone(plant, watch):
    await plant.pipeline.commands.execute(RaiseAlarm("another", "of another part"), Author("gateway"))

    assert {("gateway", "another")} == await told(plant, watch)


async def test_a_commit_that_takes_long_shows_while_it_is_under_way(plant, watch):
    watch.limits = LIMITS._replace(commit=0.0)
    with plant.pipeline.writer.latency.measured():
        await asyncio.sleep(0)

        assert "the disk is slow" in watch.troubles()["disk"]


@pytest.mark.parametrize(
    ("readers", "said"),
    [
        ([], "nothing is ever deleted while no sink or consumer is required"),
        ([("mes", False, 7)], "nothing is ever deleted while no sink or consumer is required"),
        ([("erp", True, 0)], "what is old is acknowledged: shorten retention.keep"),
        ([("erp", True, 3), ("mes", True, 5)], "what is old is acknowledged: shorten retention.keep"),
        ([("erp", True, 3), ("mes", True, 9)], "retention waits for sink mes, which has acknowledged nothing after"),
    ],
)
def test_whom_retention_waits_for_is_named(readers, said):
    buffers = [
        Buffer(ConsumerKind.SINK, name, required, 10 - waiting, waiting, 0) for name, required, waiting in readers
    ]

    assert said in held_up(buffers, deleted=1)

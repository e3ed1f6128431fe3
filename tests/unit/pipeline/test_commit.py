"""The batch is the transaction: what a failed commit, a crash and a stop leave behind."""

import pytest

from gateway.errors import StoreError
from gateway.signals.sample import Scan
from tests.factories import make_staging
from tests.unit.pipeline.plant import CASE, GOOD


async def test_nothing_is_acknowledged_before_it_is_committed(plant):
    receipt = await plant.send(id="c1")
    commit, seen = plant.store.commit, []

    async def watched(batch):
        seen.append(list(plant.drivers["PACKER-1"].acknowledged))
        await commit(batch)

    plant.store.commit = watched
    await plant.turn()

    assert [[]] == seen
    assert [receipt] == plant.drivers["PACKER-1"].acknowledged


async def test_a_failed_commit_leaves_memory_as_it_was(plant):
    before = plant.state.tallies.copy(), plant.state.head
    plant.read(good=110)
    await plant.send(id="c1")
    plant.store.failing = 1
    with pytest.raises(StoreError):
        await plant.turn()

    assert before == (plant.state.tallies, plant.state.head)
    assert [] == plant.drivers["PACKER-1"].acknowledged


async def test_after_a_failed_commit_the_sources_are_asked_again(plant):
    plant.run()
    await plant.settled()
    plant.drivers["PACKER-1"].redelivered = 0
    plant.store.failing = 2
    plant.read(good=110)
    await plant.send(id="c1")
    while not plant.drivers["PACKER-1"].redelivered:
        await plant.settled()

    assert {"good", "reject", "total", "spare"} == set(plant.drivers["FILLER-1"].asked)
    assert [] == plant.drivers["PACKER-1"].acknowledged


@pytest.mark.parametrize("too_late", [False, True], ids=["not written", "written, but reported as failed"])
async def test_after_a_failed_commit_what_comes_again_counts_exactly_once(plant, too_late):
    plant.run()
    await plant.settled()
    plant.store.failing, plant.store.too_late = 1, too_late
    plant.read(good=110)
    await plant.send(id="c1")
    while plant.store.failing or plant.pipeline.failure:
        await plant.settled()
    plant.read(good=110)
    receipt = await plant.send(id="c1")
    await plant.settled()

    assert ("10", "10", "0", "0") == plant.tally(GOOD)
    assert ("1", "1", "0", "0") == plant.tally(CASE)
    assert [receipt] == plant.drivers["PACKER-1"].acknowledged


async def test_the_first_reading_of_a_counter_is_asked_for_again_when_its_commit_failed(empty):
    empty.run()
    await empty.settled()
    empty.drivers["FILLER-1"].asked.clear()
    empty.store.failing = 1
    empty.read(good=100)
    while not empty.drivers["FILLER-1"].asked:
        await empty.settled()

    assert "good" in empty.drivers["FILLER-1"].asked


async def test_the_reason_is_shown_until_commits_go_through_again(plant):
    plant.store.failing = 3
    plant.read(good=110)
    plant.run()
    seen = set()
    while not (seen and not plant.pipeline.failure):
        seen.add(plant.pipeline.failure)
        await plant.settled()

    assert "store gateway.db: disk I/O error" in seen


async def test_a_run_that_broke_off_asks_the_sources_again_when_it_is_started_again(plant):
    await plant.send(id="c1")
    known, plant.store.known_events = plant.store.known_events, None
    with pytest.raises(TypeError):
        await plant.run()
    plant.store.known_events = known
    plant.drivers["PACKER-1"].redelivered = 0
    plant.run()
    await plant.settled()

    assert 1 == plant.drivers["PACKER-1"].redelivered


async def test_a_store_that_cant_be_opened_again_is_tried_until_it_can(plant):
    plant.run()
    await plant.settled()
    reopen, tried = plant.store.reopen, []

    async def second_time():
        tried.append(1)
        if len(tried) == 1:
            raise StoreError("store gateway.db: unable to open database file")
        await reopen()

    plant.store.reopen, plant.store.failing = second_time, 1
    plant.read(good=110)
    while len(tried) < 2 or plant.pipeline.failure:
        await plant.settled()
    plant.read(good=110)
    await plant.settled()

    assert ("10", "10", "0", "0") == plant.tally()


async def test_a_doubtful_reading_of_a_device_without_a_driver_is_kept_as_doubtful(plant):
    plant.pipeline._drivers.clear()
    plant.read(good=40_000)
    await plant.turn()

    assert 40_000 == plant.state.checkpoints[GOOD].suspect.value


async def test_a_crash_before_the_commit_loses_no_unit(plant):
    plant.read(good=110)
    await plant.crash()
    plant.read(good=112)
    await plant.turn()

    assert ("12", "12", "0", "0") == plant.tally()


async def test_a_crash_after_the_commit_doubles_no_unit(plant):
    plant.read(good=110)
    await plant.send(id="c1")
    await plant.turn()
    await plant.crash()
    plant.read(good=110)
    await plant.send(id="c1")
    await plant.turn()

    assert ("10", "10", "0", "0") == plant.tally(GOOD)
    assert ("1", "1", "0", "0") == plant.tally(CASE)


async def test_a_stop_commits_and_acknowledges_what_waits(plant):
    receipt = await plant.send(id="c1")
    running = plant.run()
    plant.pipeline.stop()
    await running

    assert [receipt] == plant.drivers["PACKER-1"].acknowledged


async def test_a_backlog_is_worked_off_batch_by_batch(plant):
    plant.pipeline._most = 2
    receipts = [await plant.send(id=f"c{number}") for number in range(7)]
    running = plant.run()
    plant.pipeline.stop()
    await running

    assert receipts == plant.drivers["PACKER-1"].acknowledged


async def test_a_receipt_of_a_device_that_is_gone_is_dropped(plant):
    await plant.pipeline.intake.put(Scan("GONE-1", plant.clock.now(), receipt=1))
    await plant.turn()

    assert [] == plant.drivers["PACKER-1"].acknowledged


async def test_what_waits_for_stock_is_tried_again_after_a_commit_failed_between_staging_and_posting(empty):
    await empty.send(id="c1")
    await empty.turn()
    empty.run()
    await empty.settled()
    commit, commits = empty.store.commit, []

    async def second_fails(batch):
        commits.append(batch)
        if len(commits) == 2:
            raise StoreError("store gateway.db: disk I/O error")
        await commit(batch)

    empty.store.commit = second_fails
    with pytest.raises(StoreError):
        await empty.pipeline.commands.stage(make_staging("S-1", "5", item="CARTON-12"), "operator")
    await empty.settled()

    assert ("1", "1", "0", "0") == empty.tally(CASE)

"""Open windows on the disk: nothing of them is lost in a crash, and what closes them posts once."""

from datetime import timedelta
from decimal import Decimal

import orjson
import pytest

from gateway.domain.line import Cumulation
from gateway.errors import StoreError
from tests.unit.pipeline.plant import GOOD, REJECT, Plant, make_line_master, make_model

MINUTE = Cumulation(window=timedelta(seconds=60))


@pytest.fixture
async def plant(tmp_path):
    """A plant whose filler's units are posted by the minute; it has to be consistent at the end."""
    plant = Plant(tmp_path / "gateway.db", make_model(cumulate=MINUTE))
    await plant.open()
    try:
        await plant.stage("S-1", "1000")
        await plant.stage("S-2", "100", item="CARTON-12", lot="C-1")
        plant.read(good=100, reject=0)
        await plant.turn()
        yield plant
        while plant.pipeline.failure:
            await plant.settled()
        await plant.check()
    finally:
        await plant.close()


async def fill(plant, *values):
    for value in values:
        plant.read(good=value)
        await plant.turn()


async def later(plant, seconds: int) -> None:
    plant.clock.advance(seconds)
    await plant.turn()


async def bodies(plant) -> list[dict]:
    return [orjson.loads(body) for (body,) in await plant.rows("SELECT body FROM posting ORDER BY seq")]


async def test_many_triggers_are_one_posting_with_the_sum_of_their_lines(plant):
    await fill(plant, 110, 115, 122)
    await later(plant, 60)

    (posting,) = await bodies(plant)

    assert ("22", ["22"]) == (posting["output"]["good"], [one["quantity"] for one in posting["lines"]])
    assert [1, 2, 3] == [one["id"] for one in posting["triggers"]]
    assert [("10",), ("5",), ("7",)] == await plant.rows("SELECT units FROM link ORDER BY trigger_id")


async def test_units_in_an_open_window_count_as_posted(plant):
    await fill(plant, 110)

    assert ("10", "10", "0", "0") == plant.tally(GOOD)
    assert [] == await bodies(plant)


async def test_a_trigger_names_its_document_before_that_is_a_posting(plant):
    await fill(plant, 110)
    open_ones = await plant.rows("SELECT document_id FROM trigger_log")
    await later(plant, 60)

    assert [(1,)] == open_ones == await plant.rows("SELECT document_id FROM posting")


async def test_a_crash_while_a_window_is_open_loses_nothing_of_it(plant):
    await fill(plant, 110, 115)
    await plant.crash()
    await fill(plant, 122)
    await later(plant, 60)

    (posting,) = await bodies(plant)

    assert ("22", ["22"], [1, 2, 3]) == (
        posting["output"]["good"],
        [one["quantity"] for one in posting["lines"]],
        [one["id"] for one in posting["triggers"]],
    )


async def test_a_window_that_became_due_while_the_gateway_was_off_closes_at_the_first_turn(plant):
    await fill(plant, 110)
    plant.clock.advance(3600)
    await plant.crash()
    await plant.turn()

    assert ["time"] == [one["window"]["why"] for one in await bodies(plant)]


async def test_a_failed_commit_leaves_the_window_as_it_was(plant):
    await fill(plant, 110)
    plant.read(good=115)
    plant.store.failing = 1
    with pytest.raises(StoreError):
        await plant.turn()

    assert Decimal(10) == plant.state.documents[1].output.good
    assert 1 == len(plant.state.gathered[1])

    plant.read(good=115)
    await plant.turn()


async def test_a_stop_closes_no_window(plant):
    await fill(plant, 110)
    running = plant.run()
    plant.pipeline.stop()
    await running

    assert [1] == list(plant.state.documents)


async def test_an_idle_pipeline_closes_what_is_due_by_itself(plant, monkeypatch):
    monkeypatch.setattr("gateway.pipeline.pipeline._PERIOD", 0.01)
    await fill(plant, 110)
    plant.run()
    plant.clock.advance(60)
    await plant.log.wait_beyond(0, timeout=60)

    assert ["time"] == [one["window"]["why"] for one in await bodies(plant)]


async def test_other_master_data_close_what_is_open(plant):
    await fill(plant, 110)
    model = make_model(make_line_master(hash="sha256:new"), cumulate=MINUTE)
    await plant.asked(plant.pipeline.commands.activate(model))

    assert ["master data"] == [one["window"]["why"] for one in await bodies(plant)]


async def test_what_waited_is_posted_in_one_document_too(plant):
    await plant.asked(plant.pipeline.commands.activate(make_model(active=None, cumulate=MINUTE)))
    await fill(plant, 103, 104)
    plant.read(good=105, order="100045")
    await plant.turn()
    await later(plant, 60)

    assert ["1"] == [one["output"]["good"] for one in await bodies(plant)]
    assert ("5", "1", "0", "4") == plant.tally(GOOD)


async def test_a_shortage_that_clears_joins_the_open_window(plant):
    await fill(plant, *range(190, 1190, 90))  # 1,080 units, and 1,000 bottles
    await plant.stage("S-9", "500", lot="B-9")
    await later(plant, 60)

    (posting,) = await bodies(plant)

    assert ["1000", "80"] == [one["quantity"] for one in posting["lines"]]


async def test_rejects_gather_in_a_window_of_their_own(plant):
    for rejected in (1, 3):
        plant.read(reject=rejected)
        await plant.turn()
    await later(plant, 60)

    assert ["3"] == [one["output"]["scrap"] for one in await bodies(plant)]
    assert ("3", "0", "3", "0") == plant.tally(REJECT)


async def test_the_content_of_the_master_data_is_written_once(plant):
    await fill(plant, 110)
    await plant.crash()
    await fill(plant, 111)

    assert [("sha256:5f3c", b"{}")] == await plant.rows("SELECT hash, body FROM snapshot")


async def test_a_sequence_of_windows_counts_every_unit_once(plant):
    await fill(plant, *range(101, 140))
    await later(plant, 60)
    postings = await bodies(plant)

    assert 39 == sum(int(one["output"]["good"]) for one in postings)
    assert 39 == sum(int(line["quantity"]) for one in postings for line in one["lines"])

"""Counter readings through the pipeline."""

import pytest

from gateway.domain.exception import ExceptionKind
from tests.unit.pipeline.plant import GOOD, REJECT, SPARE, TOTAL


async def test_counted_units_are_posted_with_what_they_consumed(plant):
    plant.read(good=105)
    await plant.turn()

    assert ("5", "5", "0", "0") == plant.tally()
    assert [("BOTTLE-500", "5")] == await plant.rows("SELECT item, quantity FROM posting_line")


async def test_rejects_are_posted_as_scrap_and_consume_too(plant):
    plant.read(reject=2)
    await plant.turn()

    assert ("2", "0", "2", "0") == plant.tally(REJECT)
    assert [("2",)] == await plant.rows("SELECT quantity FROM posting_line")


async def test_a_total_makes_no_event(plant):
    plant.read(total=150)
    await plant.turn()

    assert ("0", "0", "0", "0") == plant.tally(TOTAL)
    assert 150 == plant.state.checkpoints[TOTAL].value


async def test_a_counter_nobody_made_a_rule_for_is_held(plant):
    plant.read(spare=1)
    plant.read(spare=4)
    await plant.turn()

    assert ["no-rule"] == [one.code for one in plant.exceptions(ExceptionKind.COUNTER)]
    assert ("3", "0", "0", "3") == plant.tally(SPARE)


async def test_an_idle_counter_never_commits_by_itself(plant):
    batches = plant.pipeline.writer.batches
    for _ in range(3):
        plant.read(good=100, reject=0, total=100)
        await plant.turn()

    assert batches == plant.pipeline.writer.batches
    assert plant.clock.now() == plant.state.checkpoints[GOOD].seen
    assert plant.clock.now() != plant.state.stored[GOOD].seen


async def test_an_idle_counters_time_goes_to_the_disk_with_the_next_batch(plant):
    plant.read(good=100)
    await plant.turn()
    idle = plant.clock.now()
    plant.read(reject=1)
    await plant.turn()

    assert idle == plant.state.stored[GOOD].seen


async def test_an_idle_counters_time_goes_to_the_disk_when_it_is_due(plant):
    plant.read(good=100, seconds=70)
    await plant.turn()

    assert plant.clock.now() == plant.state.stored[GOOD].seen


async def test_a_doubtful_reading_is_read_again(plant):
    plant.read(good=40_000)
    await plant.turn()

    assert ["good"] == plant.drivers["FILLER-1"].asked
    assert ("0", "0", "0", "0") == plant.tally()


async def test_a_bad_reading_counts_nothing_and_the_next_good_one_catches_up(plant):
    plant.read(good=None)
    await plant.turn()
    plant.read(good=103)
    await plant.turn()

    assert ("3", "3", "0", "0") == plant.tally()


async def test_a_held_segment_is_an_exception_with_its_candidates(plant):
    for _ in range(3):
        plant.read(good=40_000)
        await plant.turn()
    held = plant.exceptions(ExceptionKind.COUNTER)

    assert [("implausible", GOOD, '{"candidates":[0,39900],"key":"plc-1:100-40000@0/')] == [
        (one.code, one.scope, one.detail[: one.detail.index("/") + 1]) for one in held
    ]
    assert 40_000 == plant.state.checkpoints[GOOD].value


async def test_a_reset_leaves_a_notice_of_what_nobody_saw(plant):
    for _ in range(3):
        plant.read(good=4, epoch="plc-2")
        await plant.turn()

    assert ("4", "4", "0", "0") == plant.tally()
    assert ["reset"] == [one.code for one in plant.exceptions(ExceptionKind.NOTICE)]


async def test_a_rollover_that_was_only_inferred_is_flagged(empty):
    for value in (65_530, 10, 10, 10):
        empty.read(good=value, epoch=None)
        await empty.turn()

    assert [("16", "ROLLOVER_INFERRED")] == await empty.rows("SELECT quantity, flag FROM event")


async def test_the_order_the_device_shows_comes_before_the_active_one(plant):
    plant.read(good=101, order="100099")
    await plant.turn()

    assert [("100099", "0010")] == [one.scope for one in plant.exceptions(ExceptionKind.TRIGGER)]


async def test_a_gap_across_a_change_of_order_is_held_for_a_person(plant):
    plant.read(good=120, order="100099", seconds=60)
    await plant.turn()

    assert ["gap_held"] == [one.code for one in plant.exceptions(ExceptionKind.COUNTER)]
    assert ("20", "0", "0", "20") == plant.tally()


@pytest.mark.parametrize("signal", ["unknown", "boot"])
async def test_signals_that_count_nothing_make_no_event(plant, signal):
    plant.read(**{signal: 7})
    await plant.turn()

    assert [] == await plant.rows("SELECT * FROM event")

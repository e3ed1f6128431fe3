"""A counter that is read but can't be used is told of, and no longer once it can."""

from dataclasses import replace

import pytest

from gateway.domain.exception import ExceptionKind
from gateway.domain.health import Health, Link
from gateway.errors import StoreError
from gateway.runtime.devices import with_faults
from gateway.signals.sample import Sample, Scan
from tests.property.replaying import replayed
from tests.unit.pipeline.plant import CASE, GOOD, make_model

OUTSIDE = "70000 is outside 0 … 65535 (modulus 65536), nothing is counted until it is inside: check modulus"


async def read(plant, value, *, times: int, seconds: int = 1) -> None:
    for _ in range(times):
        plant.read(good=value, seconds=seconds)
        await plant.turn()


def told(plant) -> list[str]:
    return [one.reason for one in plant.exceptions(ExceptionKind.ALARM)]


def shown(plant) -> list[str]:
    return plant.pipeline.unusable.outside("FILLER-1")


async def closed(plant) -> list[tuple]:
    return await plant.rows("SELECT kind, code, close_reason, closed_by FROM exception WHERE closed_at IS NOT NULL")


async def test_a_value_that_stays_outside_the_modulus_is_an_alarm(plant):
    await read(plant, 70_000, times=6)

    assert [f"FILLER-1.good, since 2026-11-21T12:00:02.000Z: {OUTSIDE} and data type"] == told(plant)
    assert ("0", "0", "0", "0") == plant.tally()


async def test_the_devices_health_names_the_newest_value(plant):
    await read(plant, 69_999, times=6)
    await read(plant, 70_000, times=1)

    assert [f"good: {OUTSIDE} and data type"] == shown(plant)
    assert [] == plant.pipeline.unusable.outside("CAPPER-1")


async def test_a_value_below_zero_is_outside_as_well(plant):
    await read(plant, -1, times=6)

    assert "-1 is outside 0 … 65535" in told(plant)[0]


async def test_a_counter_that_was_never_read_well_is_told_of(plant):
    for _ in range(6):
        plant.read(spare=70_000)
        await plant.turn()

    assert [f"FILLER-1.spare, since 2026-11-21T12:00:02.000Z: {OUTSIDE} and data type"] == told(plant)


@pytest.mark.parametrize(("times", "seconds"), [(5, 1), (2, 60)])
async def test_a_few_readings_or_a_short_time_outside_are_none(plant, times, seconds):
    await read(plant, 70_000, times=times, seconds=seconds)

    assert [] == told(plant)
    assert [] == shown(plant)


async def test_readings_outside_have_to_be_in_a_row(plant):
    for _ in range(4):
        await read(plant, 70_000, times=2, seconds=2)
        await read(plant, 100, times=1)

    assert [] == told(plant)


async def test_it_is_told_once(plant):
    await read(plant, 70_000, times=6)
    batches = plant.pipeline.writer.batches
    await read(plant, 70_001, times=6)

    assert 1 == len(told(plant))
    assert batches == plant.pipeline.writer.batches


async def test_bad_quality_is_told_of_once_it_makes_a_gap(plant):
    await read(plant, None, times=30)
    before = told(plant)
    await read(plant, None, times=1)

    why = "no usable reading (BadNoData), nothing is counted until there is one"

    assert [] == before
    assert [f"FILLER-1.good, since 2026-11-21T12:00:02.000Z: {why}"] == told(plant)
    assert [] == shown(plant)  # its driver says so


async def test_a_good_reading_closes_it_and_catches_up(plant):
    await read(plant, 70_000, times=6)
    await read(plant, 120, times=1)

    assert [] == told(plant)
    assert [] == shown(plant)
    assert [("alarm", "unusable", "FILLER-1.good is read again, after 0:00:01", "gateway")] == await closed(plant)
    assert ("20", "20", "0", "0") == plant.tally()


async def test_a_replay_tells_of_it_as_well(plant, tmp_path):
    await read(plant, 70_000, times=6)
    await replayed(plant, tmp_path / "again.db", state := {})

    assert 1 == len(told(plant))
    assert plant.state.exceptions == state["exceptions"]


async def test_what_was_told_before_a_restart_is_closed_after_it(plant):
    await read(plant, 70_000, times=6)
    await plant.crash()
    await read(plant, 120, times=1)

    assert [] == told(plant)


async def test_what_a_restart_still_finds_is_not_told_twice(plant):
    await read(plant, 70_000, times=6)
    await plant.crash()
    await read(plant, 70_000, times=6)

    assert 1 == len(told(plant))


async def test_one_that_is_no_counter_any_more_is_told_of_no_longer(plant):
    await read(plant, 70_000, times=6)
    points = {name: point for name, point in plant.model.points.items() if name != GOOD}
    await plant.pipeline.commands.activate_now(replace(make_model(), points=points))
    await plant.turn()

    assert [] == told(plant)
    assert [] == shown(plant)


async def test_one_whose_alarm_could_not_be_closed_is_closed_later(plant):
    await read(plant, 70_000, times=6)
    plant.read(good=100)  # the checkpoint's own value: nothing to commit but the alarm's end
    plant.store.failing = 1
    with pytest.raises(StoreError):
        await plant.turn()
    await plant.turn()

    assert [] == told(plant)


async def test_what_a_message_reports_is_no_counter(plant):
    for _ in range(6):
        plant.clock.advance(10)
        bad = Sample(CASE.signal, None, "BadNoData")
        plant.pipeline.intake.offer(Scan(CASE.device, plant.clock.now(), (bad, Sample("unknown", 70_000))))
        await plant.turn()

    assert [] == told(plant)


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        (Health(Link.CONNECTED), Health(Link.DEGRADED, "good: 7 is outside")),
        (Health(Link.DEGRADED, "order: Bad"), Health(Link.DEGRADED, "order: Bad; good: 7 is outside")),
        (Health(Link.DISCONNECTED, "gone"), Health(Link.DISCONNECTED, "gone")),
    ],
)
def test_a_device_that_answers_is_degraded_by_it(health, expected):
    assert expected == with_faults(health, ["good: 7 is outside"])


def test_a_device_without_such_a_counter_is_as_its_driver_says():
    assert Health(Link.CONNECTED) == with_faults(Health(Link.CONNECTED), [])

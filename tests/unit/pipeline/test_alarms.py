"""What the gateway tells of itself."""

from datetime import timedelta

import pytest

from gateway.domain.command import ClearAlarm, RaiseAlarm
from gateway.domain.exception import ExceptionKind
from gateway.domain.signature import Author
from gateway.pipeline.commands.alarms import says_else

GATEWAY = Author("gateway")
WAL = RaiseAlarm("wal", "the log has grown to 70 MiB")


async def told(plant, command):
    return await plant.asked(plant.pipeline.commands.execute(command, GATEWAY))


def opened(plant):
    return [one for one in plant.state.exceptions.values() if one.kind is ExceptionKind.ALARM]


async def test_an_alarm_is_an_entry_of_the_work_list(plant):
    number = await told(plant, WAL)

    assert [(number, ("gateway", "wal"), "the log has grown to 70 MiB")] == [
        (one.id, one.scope, one.reason) for one in opened(plant)
    ]


async def test_what_is_told_already_is_not_written_again(plant):
    first = await told(plant, WAL)
    batches = plant.pipeline.writer.batches

    assert first == await told(plant, RaiseAlarm("wal", "the log has grown to 80 MiB"))
    assert batches == plant.pipeline.writer.batches


@pytest.mark.parametrize(
    ("told", "reason", "expected"),
    [
        ("70 MiB (limit 64 MiB)", "1.5 GiB (limit 64 MiB)", False),
        ("full in 9 days, 3 refused.", "full in 10 days, 12 refused.", False),
        ("grows by 900 B a day", "grows by 2 KiB a day", False),
        ("how fast is known after an hour", "grows by 2 KiB a day", True),
        ("retention waits for sink erp-1", "retention waits for sink erp-2", True),
        ("10.0.0.1:502 is away", "10.0.0.2:502 is away", True),
        ("ends 2026-11-22 10:00:00Z", "ends 2026-11-23 10:00:00Z", True),
    ],
)
def test_other_numbers_alone_say_nothing_else(told, reason, expected):
    assert expected == says_else(told, reason)


async def test_what_says_something_else_replaces_what_was_told(plant):
    number = await told(plant, WAL)
    plant.clock.advance(600)
    again = await told(plant, RaiseAlarm("wal", "the log has grown to 80 MiB, and the disk is full"))
    (one,) = opened(plant)
    await plant.crash()
    (loaded,) = opened(plant)

    assert number == again == one.id
    assert "the log has grown to 80 MiB, and the disk is full" == one.reason == loaded.reason
    assert timedelta(minutes=10) == one.last_event - one.opened_at


async def test_what_is_on_the_edge_is_not_told_again_and_again(plant):
    await told(plant, WAL)
    plant.clock.advance(599)
    await told(plant, RaiseAlarm("wal", "it is long"))

    assert [WAL.reason] == [one.reason for one in opened(plant)]


async def test_alarms_of_other_parts_or_kinds_stand_beside_it(plant):
    for command in (WAL, RaiseAlarm("failing", "no", "sink erp"), RaiseAlarm("failing", "no", "sink mes")):
        await told(plant, command)

    assert {("gateway", "wal"), ("sink erp", "failing"), ("sink mes", "failing")} == {
        one.scope for one in opened(plant)
    }


async def test_cleared_it_says_how_long_it_took(plant):
    number = await told(plant, WAL)
    plant.clock.advance(603)
    cleared = await told(plant, ClearAlarm("wal", "it is short again"))
    rows = await plant.store.transact(
        lambda raw: raw.execute("SELECT close_reason, closed_by FROM exception WHERE id = ?", (number,)).fetchall()
    )

    assert cleared
    assert [("it is short again, after 0:10:03", "gateway")] == rows
    assert [] == opened(plant)


async def test_what_was_never_told_cannot_be_over(plant):
    assert not await told(plant, ClearAlarm("wal", "it is short again"))


async def test_it_is_still_told_after_a_crash(plant):
    await told(plant, WAL)
    await plant.crash()

    assert ["wal"] == [one.code for one in opened(plant)]

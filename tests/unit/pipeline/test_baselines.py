"""Where a counter began: kept with its first reading, signed by a person, and asked for in regulated mode."""

from dataclasses import replace

import pytest

from gateway.counting.counter import Baseline
from gateway.domain.command import SignBaseline
from gateway.domain.exception import ExceptionKind
from gateway.errors import CommandRefused
from tests.unit.pipeline.held import held_line, make_held_model
from tests.unit.pipeline.office import ANNA
from tests.unit.pipeline.plant import GOOD, REJECT

SIGN = SignBaseline("FILLER-1", "good", 100)


@pytest.fixture
async def line(tmp_path):
    async with held_line(tmp_path) as plant:
        yield plant


@pytest.fixture
async def regulated(tmp_path):
    async with held_line(tmp_path, make_held_model(regulated=True)) as plant:
        yield plant


async def test_the_first_reading_of_a_counter_is_its_baseline(line):
    first = Baseline(100, "plc-1", line.clock.now().wall)

    assert first == line.state.baselines[GOOD]
    assert {GOOD, REJECT} == line.state.baselines.keys()


async def test_a_signature_confirms_it_once(line):
    answers = [await line.ask(SIGN), await line.ask(SIGN)]
    (said,) = await line.entries("baseline")

    assert [True, False] == answers
    assert ("anna", line.clock.now().wall) == line.state.baselines[GOOD][3:]
    assert ("FILLER-1", "good", "100", "anna") == (
        said["device"],
        said["signal"],
        said["value"],
        said["signature"]["user"],
    )


async def test_a_value_that_is_not_there_is_not_signed(line):
    with pytest.raises(CommandRefused, match=r"FILLER-1\.good began at 100, not at 101"):
        await line.ask(replace(SIGN, value=101))

    assert "" == line.state.baselines[GOOD].signed_by


async def test_a_counter_that_never_began_is_not_signed(line):
    with pytest.raises(CommandRefused, match=r"FILLER-1\.spare has no baseline"):
        await line.ask(replace(SIGN, signal="spare"))


async def test_it_takes_a_signature(line):
    with pytest.raises(CommandRefused, match="baseline needs a signature"):
        await line.ask(SIGN, ANNA._replace(signature=None))


async def test_elsewhere_units_post_although_nobody_has_signed(line):
    line.read(good=105)
    await line.turn()

    assert ("5", "5", "0", "0", "0") == line.totals()


async def test_in_regulated_mode_units_wait_for_the_signature_and_say_how_to_give_it(regulated):
    regulated.read(good=105)
    await regulated.turn()
    waiting = regulated.only(ExceptionKind.TRIGGER)

    assert ("5", "0", "0", "5", "0") == regulated.totals()
    assert ("baseline", True) == (
        waiting.code,
        "`gateway sign-baseline CONFIG_DIR FILLER-1.good --value 100`" in waiting.reason,
    )


async def test_they_post_as_soon_as_it_is_signed(regulated):
    regulated.read(good=105)
    await regulated.turn()
    await regulated.ask(SIGN)

    assert ("5", "5", "0", "0", "0") == regulated.totals()


async def test_messages_have_no_baseline(regulated):
    await regulated.send(id="case-1")
    await regulated.turn()

    assert [] == regulated.exceptions(ExceptionKind.TRIGGER)


async def test_a_signature_outlives_a_crash(regulated):
    await regulated.ask(SIGN)
    await regulated.crash()
    regulated.read(good=105)
    await regulated.turn()

    assert ("5", "5", "0", "0", "0") == regulated.totals()

"""What the engine wrote, changed by hand where no posting's hash covers it: a verification finds it."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from gateway.counting.counter import Counts
from gateway.domain.command import SignBaseline
from gateway.domain.event import EventKind, SignalId
from gateway.domain.exception import ExceptionKind
from gateway.pipeline.model import LineModel
from gateway.store.verify import verify
from tests.unit.pipeline.held import held_line
from tests.unit.pipeline.plant import GOOD, TOTAL, make_counter, make_rule


@pytest.fixture
async def line(tmp_path):
    async with held_line(tmp_path) as plant:
        await plant.ask(SignBaseline("FILLER-1", "good", 100))
        plant.read(good=105)
        await plant.turn()
        plant.read(good=40_000)
        await plant.turn()
        plant.read(good=40_000)
        await plant.turn()
        plant.read(good=40_003, seconds=5)
        await plant.turn()
        yield plant


def failed(plant, *statements) -> set[str]:
    """Return what a verification finds in a copy on which the statements were run."""
    copy = plant.path.with_name("changed.db")
    with closing(sqlite3.connect(plant.path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        for statement in statements:
            assert target.execute(statement).rowcount
        target.commit()
    return {one.name for one in verify(copy).checks if not one.ok}


async def test_nothing_is_found_in_what_was_not_changed(line):
    assert set() == failed(line)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE checkpoint SET value = '105' WHERE signal = 'good'", {"counters"}),
        ("UPDATE checkpoint SET value = '0' WHERE signal = 'good'", {"counters"}),
        ("UPDATE baseline SET value = '90' WHERE signal = 'good'", {"counters", "records"}),
        ("UPDATE baseline SET signed_by = 'emma' WHERE signal = 'good'", {"records"}),
        ("UPDATE baseline SET signed_by = '', signed_at = NULL WHERE signal = 'good'", {"records"}),
        ("UPDATE baseline SET signed_by = 'emma' WHERE signal = 'reject'", {"records"}),
        ("DELETE FROM baseline WHERE signal = 'good'", {"records"}),
        ("UPDATE exception SET reason = 'tested'", {"records"}),
        ("UPDATE exception SET closed_at = opened_at, closed_by = 'emma', close_reason = 'tested'", {"records"}),
        ("UPDATE exception SET quantity = '1'", {"records"}),
        ("DELETE FROM exception", {"records"}),
    ],
)
async def test_a_row_that_was_changed_is_found(line, statement, found):
    assert found == failed(line, statement)


async def test_a_counter_that_began_again_at_zero_was_not_changed(line):
    for value in (0, 0, 4):
        line.read(good=value, epoch="plc-2", seconds=5)
        await line.turn()
        assert set() == failed(line)

    assert {"counters"} == failed(line, "UPDATE checkpoint SET value = '2' WHERE signal = 'good'")


async def test_a_counter_that_began_again_in_the_epoch_that_it_was_in_counted_twice(line):
    again = "UPDATE event SET verdict = 'RESET' WHERE id = (SELECT max(id) FROM event)"

    assert {"counters"} == failed(line, again)


def as_total(line, signal: SignalId) -> LineModel:
    """Return the line with the counter as one that others are only compared with."""
    return changed(line, signal, counter=make_counter(Counts.TOTAL), rule=None)


def changed(line, signal: SignalId, **fields) -> LineModel:
    return replace(line.model, points={**line.model.points, signal: replace(line.model.points[signal], **fields)})


async def restarted(line, model: LineModel, *values: int) -> set[str]:
    """Start again with another configuration, read; return what a verification finds."""
    line.model = model
    await line.crash()
    for value in values:
        line.read(good=value, total=value, seconds=5)
        await line.turn()
    await line.crash()
    return failed(line)


@pytest.mark.parametrize("values", [(40_010, 40_020), (39_000, 39_000)], ids=["goes on", "is preset"])
async def test_a_counter_that_was_a_total_for_a_time_was_not_changed(line, values):
    before = line.model
    meanwhile = await restarted(line, as_total(line, GOOD), *values)
    after = await restarted(line, before, values[-1] + 5, values[-1] + 10)

    assert (set(), set()) == (meanwhile, after)


@pytest.mark.parametrize("values", [(5010, 5020), (20, 20)], ids=["goes on", "is preset"])
async def test_a_total_that_is_counted_from_now_on_was_not_changed(line, values):
    counted = {"counter": make_counter(Counts.GOOD), "rule": make_rule(TOTAL, EventKind.GOOD_UNITS, "0010")}
    meanwhile = await restarted(line, line.model, 5000, 5000, *values)
    after = await restarted(line, changed(line, TOTAL, **counted), values[-1] + 5, values[-1] + 10)

    assert (set(), set()) == (meanwhile, after)


async def test_a_counter_that_has_another_modulus_now_was_not_changed(line):
    counter = replace(line.model.points[GOOD].counter, modulus=10_000)
    held = await restarted(line, changed(line, GOOD, counter=counter), 3)
    after = await restarted(line, line.model, 5)

    assert (set(), set()) == (held, after)
    assert "The modulus was changed since" in line.exceptions(ExceptionKind.COUNTER)[-1].reason


async def test_a_message_is_not_taken_for_a_counter_whatever_its_id(line):
    await line.send(id="L1:3-7@99", sequence=1)
    await line.turn()
    counter_before = """
    INSERT INTO checkpoint SELECT 'PACKER-1', 'case_sealed', '0', epoch, seen_wall, seen_boot, seen_boottime,
        source_time, order_no, '0', suspect, slack, doubt FROM checkpoint WHERE signal = 'good'
    """

    assert "counters" not in failed(line, counter_before)

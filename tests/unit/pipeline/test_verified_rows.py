"""What the engine wrote, changed by hand where no posting's hash covers it: a verification finds it."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from gateway.counting.counter import Counts
from gateway.domain.command import SignBaseline
from gateway.domain.event import EventKind
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


async def test_a_counter_that_was_a_total_for_a_time_was_not_changed(line):
    before, found = line.model, []
    for signal, counts, rule in (
        (TOTAL, Counts.GOOD, make_rule(TOTAL, EventKind.GOOD_UNITS, "0010")),
        (GOOD, Counts.TOTAL, None),
        (GOOD, Counts.GOOD, before.points[GOOD].rule),
    ):
        point = replace(before.points[signal], counter=make_counter(counts), rule=rule)
        line.model = replace(before, points={**before.points, signal: point})
        await line.crash()
        for _ in range(2):
            shown = line.state.checkpoints[GOOD].value + 5
            line.read(good=shown, total=shown, seconds=5)
            await line.turn()
        found.append(failed(line))

    assert [set()] * 3 == found

"""Settlements and baselines done again from the recording, and after retention has deleted their postings."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.domain.command import SignBaseline
from gateway.domain.exception import ExceptionKind
from gateway.errors import CommandRefused
from gateway.store.batch import Batch, ConsumerKey, ConsumerKind, Mark
from gateway.store.retention import prune
from gateway.store.store import Registration
from tests.property.replaying import replayed, replayed_with
from tests.unit.pipeline.held import OTHER, held_line, make_held_model
from tests.unit.pipeline.plant import CASE, GOOD

ERP = ConsumerKey(ConsumerKind.SINK, "erp")


@pytest.fixture
async def line(tmp_path):
    async with held_line(tmp_path, make_held_model(regulated=True)) as plant:
        yield plant


async def happened(line) -> None:
    """Settle a segment and a gap, in vain and in fact; let a message come too late."""
    held = await line.leap(5_000)
    with pytest.raises(CommandRefused, match="whole pieces"):
        await line.settle(held, "2.5")
    with pytest.raises(CommandRefused, match="began at 100"):
        await line.ask(SignBaseline("FILLER-1", "good", 7))
    await line.settle(held, "12", f"5@{OTHER}")
    await line.ask(SignBaseline("FILLER-1", "good", 100))
    await line.settle(await line.lose(), "1")
    await line.send(sequence=3, id="case-3")
    await line.turn()
    await line.settle(line.only(ExceptionKind.COUNTER), "1")
    line.read(good=5_003)
    await line.turn()


async def test_a_replay_makes_the_same_postings_entries_and_totals(line, tmp_path):
    await happened(line)
    bodies = [body for (body,) in await line.rows("SELECT body FROM posting ORDER BY seq")]

    assert bodies == await replayed(line, tmp_path / "again.db", again := {})
    assert (line.state.exceptions, line.state.tallies) == (again["exceptions"], again["tallies"])


async def test_another_configuration_settles_the_same_holds(line, tmp_path):
    await happened(line)
    points = dict(line.model.points)
    rule = points[GOOD].rule
    points[GOOD] = replace(points[GOOD], rule=replace(rule, rule="another", version=2))
    posted, warnings = await replayed_with(
        line, replace(line.model, points=points, regulated=False), tmp_path / "again.db"
    )
    good = sum(Decimal(one["output"]["good"]) for one in posted if one["operation"] == "0010")

    assert Decimal(20) == good
    assert ["SettleHold", "SignBaseline"] == [one.split()[2] for one in warnings]  # refused then, and refused again


async def test_after_retention_the_rest_still_adds_up(line):
    await happened(line)
    await line.store.register([Registration(ERP, required=True)], line.clock.now().wall)
    last = line.state.head.seq
    await line.store.commit(Batch(consumers={ERP: Mark(last - 1, line.clock.now().wall)}))
    later = line.clock.now().wall + timedelta(days=91)

    assert last - 1 == await prune(line.store, timedelta(days=90), later)
    await line.check()
    line.read(good=5_010)
    await line.turn()

    assert ("27", "27", "0", "0", "0") == line.totals()
    assert "4" == line.totals(CASE)[0]

"""Deferred issues and backlogs survive a restart, and post by themselves when their time or their stock comes."""

from contextlib import asynccontextmanager
from datetime import timedelta
from fractions import Fraction

import orjson
import pytest

from gateway.domain.bom import BomOperation, Method, Shortage
from gateway.domain.exception import ExceptionKind
from gateway.domain.line import Cumulation
from tests.factories import make_bom, make_component, make_master
from tests.unit.pipeline.plant import Plant, make_model

MINUTE = Cumulation(window=timedelta(seconds=60))


@asynccontextmanager
async def running(path, cumulate, *, defer: timedelta | None = None, stock: str = "1000"):
    """A plant that may split bottles and defers the filler's issues by `defer`."""
    operations = (
        BomOperation("0010", "bottle", Fraction(12), defer=defer),
        BomOperation("0030", "EA", receipt=True),
        BomOperation("0040", "kg", Fraction(6)),
    )
    bom = make_bom(
        make_component(on_shortage=Shortage.SPLIT),
        make_component("DRINK", "6", line="0030", operation="0040", uom="kg", method=Method.MEASURED),
        operations=operations,
    )
    master = make_master(bom=bom, stocked_in={"DRINK": "kg"})
    plant = Plant(path / "gateway.db", make_model(master, cumulate=cumulate))
    await plant.open()
    try:
        await plant.stage("S-1", stock)
        plant.read(good=0)
        await plant.turn()
        yield plant
        await plant.check()
    finally:
        await plant.close()


async def bodies(plant) -> list[dict]:
    return [orjson.loads(body) for (body,) in await plant.rows("SELECT body FROM posting ORDER BY seq")]


async def fill(plant, *values):
    for value in values:
        plant.read(good=value)
        await plant.turn()


@pytest.mark.parametrize("cumulate", [None, MINUTE])
async def test_deferred_issues_survive_a_restart_and_post_at_their_time(tmp_path, cumulate):
    async with running(tmp_path, cumulate, defer=timedelta(minutes=10)) as plant:
        await fill(plant, 5)
        plant.clock.advance(60)
        await plant.turn()
        await plant.crash()
        plant.clock.advance(600)
        await plant.turn()
        received, issued = await bodies(plant)

        assert ("5", [], None) == (received["output"]["good"], received["lines"], received["follows"])
        assert ("0", ["5"], 1) == (
            issued["output"]["good"],
            [one["quantity"] for one in issued["lines"]],
            issued["follows"],
        )


@pytest.mark.parametrize("cumulate", [None, MINUTE])
async def test_a_backlog_survives_a_restart_and_is_settled_by_a_staging(tmp_path, cumulate):
    async with running(tmp_path, cumulate, stock="7") as plant:
        await fill(plant, 5, 10)
        await plant.crash()
        await plant.stage("S-2", "100", lot="B-2")
        postings = await bodies(plant)

        assert ["B-2", "3"] == [postings[-1]["lines"][0][name] for name in ("lot", "quantity")]
        assert postings[-1]["follows"] == postings[-2]["seq"]
        assert [] == plant.exceptions(ExceptionKind.BACKLOG)


async def test_a_staging_that_is_not_enough_settles_what_it_can_and_says_the_rest(tmp_path):
    async with running(tmp_path, None, stock="7") as plant:
        await fill(plant, 5, 10)
        await plant.stage("S-2", "1", lot="B-2")

        assert ["order 100045 is owed at operation 0010: 2 EA of BOTTLE-500 (BOM line 0010)"] == [
            one.reason for one in plant.exceptions(ExceptionKind.BACKLOG)
        ]


async def test_units_that_are_owed_components_count_as_posted(tmp_path):
    async with running(tmp_path, None, stock="7") as plant:
        await fill(plant, 5, 10)

        assert ("10", "10", "0", "0") == plant.tally()

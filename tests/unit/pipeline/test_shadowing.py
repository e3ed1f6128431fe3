"""Shadow BOM versions and rules beside the live ones, over a real store."""

from dataclasses import replace
from decimal import Decimal

from gateway.domain.command import Reverse
from gateway.domain.event import EventKind
from gateway.pipeline import shadowing
from gateway.pipeline.model import LineModel, Point
from tests.factories import make_component, make_event
from tests.unit.pipeline.office import make_packed, make_packers, make_packing, office
from tests.unit.pipeline.plant import CASE, SPARE, WEIGHT, make_rule

CARTONS = {"quantity": "100"}
WOULD_BE = "SELECT source, item, would_be FROM shadow ORDER BY source"


def make_trial() -> LineModel:
    """Return packers with a shadow version that takes two cartons a case."""
    component = make_component("CARTON-12", "2", operation="0030")
    return make_packers(make_packed(more=(make_packing(component, version="4", approved=False, shadow=True),)))


def make_rules(signal=CASE, **changes) -> LineModel:
    rule = make_rule(signal, EventKind.GOOD_UNITS, "0030", shadow=True)
    return replace(make_packers(), shadow_rules={signal: (replace(rule, rule="by-weight", **changes),)})


async def test_a_shadow_version_is_calculated_beside_the_live_one(tmp_path):
    async with office(tmp_path, make_trial(), CARTONS) as plant:
        await plant.pack("3", "4")

        assert [("BOM 4", "CARTON-12", "14")] == await plant.rows(WOULD_BE)
        assert 93 == plant.left()


async def test_what_is_reversed_is_taken_out_of_the_shadow(tmp_path):
    async with office(tmp_path, make_trial(), CARTONS) as plant:
        await plant.pack("3", "4")
        await plant.ask(Reverse(2, "miscount", Decimal(3)))

        assert [("BOM 4", "CARTON-12", "8")] == await plant.rows(WOULD_BE)


async def test_a_shadow_rule_is_calculated_beside_the_live_one(tmp_path):
    async with office(tmp_path, make_rules(), CARTONS) as plant:
        await plant.pack("3")

        assert [("rule by-weight", "CARTON-12", "3")] == await plant.rows(WOULD_BE)


def make_pilot() -> LineModel:
    """Return packers whose scale is on trial: nothing of it posts."""
    model = make_rules(WEIGHT)
    return replace(model, points={**model.points, WEIGHT: Point(WEIGHT, "L1", is_event=True)})


async def test_a_signal_with_nothing_but_a_rule_on_trial_is_only_calculated(tmp_path):
    async with office(tmp_path, make_pilot(), CARTONS) as plant:
        await plant.pack("3", signal=WEIGHT)

        assert [("rule by-weight", "CARTON-12", "3")] == await plant.rows(WOULD_BE)
        assert (100, {}) == (plant.left(), plant.state.exceptions)


async def test_a_rule_on_trial_draws_by_its_own_kind_of_event(tmp_path):
    salvage = make_component("GLUE", "2", line="0020", operation="0030", rework=True)
    master = make_packed(make_component("CARTON-12", "1", operation="0030"), salvage)
    model = replace(make_rules(event=EventKind.REWORK_UNITS), master=master)
    async with office(tmp_path, model, CARTONS) as plant:
        await plant.pack("3")

        assert [("rule by-weight", "GLUE", "6")] == await plant.rows(WOULD_BE)
        assert 97 == plant.left()


async def test_a_counter_goes_live_after_its_trial(empty):
    live = empty.model
    trial = make_rule(SPARE, EventKind.GOOD_UNITS, "0010", shadow=True)
    await empty.asked(empty.pipeline.commands.activate(replace(live, shadow_rules={SPARE: (trial,)})))
    await empty.stage("S-1", "100")
    empty.read(spare=100)
    empty.read(spare=107)
    await empty.turn()
    points = {**live.points, SPARE: replace(live.points[SPARE], rule=replace(trial, shadow=False))}
    await empty.asked(empty.pipeline.commands.activate(replace(live, points=points)))
    empty.read(spare=110)
    await empty.turn()

    assert [("7",)] == await empty.rows("SELECT would_be FROM shadow")
    assert ("3", "3", "0", "0") == empty.tally(SPARE)


async def test_a_rule_on_trial_needs_an_order_that_is_known(tmp_path):
    async with office(tmp_path, make_rules(fallback_active=False)) as plant:
        work = plant.pipeline.writer.working_copy()

        assert shadowing.tried(work, make_event("3", signal=CASE), "L1")
        assert {} == work.shadows.changed


async def test_a_signal_without_a_rule_on_trial_has_none(tmp_path):
    async with office(tmp_path, make_rules(), CARTONS) as plant:
        assert not shadowing.tried(plant.pipeline.writer.working_copy(), make_event("3", signal=WEIGHT), "L1")

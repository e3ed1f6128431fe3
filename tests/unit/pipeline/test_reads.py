"""What the pipeline wrote can be traced, explained and measured."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from gateway.domain.command import Reverse, SetLotStatus
from gateway.domain.line import Cumulation
from gateway.domain.lot import LotStatus
from gateway.domain.quantity import Rounding
from gateway.domain.signature import Author, Signature
from gateway.settings.snapshot import Content, Conversion
from gateway.store.explanation import explain
from gateway.store.genealogy import genealogy
from gateway.store.measures import measures
from gateway.store.reading import read
from gateway.store.statistics import full_documents
from tests.factories import NOON, make_bom, make_component, make_master
from tests.unit.pipeline.plant import GOOD, Plant, make_model
from tests.unit.store.by_hand import check_by_hand

FIRST, SECOND = "106141412345678908", "106141412345678915"
SIGNED = Author("sam", Signature("sam", "Sam", "supervisor", "reversal approved", NOON, "sha256:0"))


def make_content() -> Content:
    bom = make_bom(
        make_component("BOTTLE-500", "12"),
        make_component("CO2", "0.06", line="0015", uom="kg", component_scrap=Fraction(15, 1000), rounding=Rounding(3)),
        make_component("CARTON-12", "1", line="0020", operation="0030"),
        make_component("GLUE", "2.5", line="0030", operation="0030", uom="g"),
    )
    master = make_master(bom=bom, stocked_in={"GLUE": "kg", "CO2": "kg"})
    units = (Conversion(None, "g", "kg", Fraction(1, 1000)),)
    items, orders = tuple(master.items.values()), tuple(master.orders.values())
    return Content(items, units, (bom,), orders, (), (), {"wrong": "counted wrong"})


@pytest.fixture
async def plant(tmp_path):
    """The filler cumulates by the minute, the packer posts each case."""
    content = make_content()
    model = make_model(content.master())
    point = model.points[GOOD]
    rule = replace(point.rule, cumulate=Cumulation(window=timedelta(seconds=60)))
    points = {**model.points, GOOD: replace(point, rule=rule)}
    plant = Plant(tmp_path / "gateway.db", replace(model, points=points, snapshot=content.encoded()))
    await plant.open()
    stock = {"BOTTLE-500": ("EA", "14", "1000"), "CO2": ("kg", "0.01", "10"), "CARTON-12": ("EA", "50", "50")}
    stock["GLUE"] = ("kg", "1", "1")
    for item, (uom, *quantities) in stock.items():
        for number, quantity in enumerate(quantities, 1):
            await plant.stage(f"S-{item}-{number}", quantity, item=item, lot=f"{item}-{number}", uom=uom)
    plant.read(good=100)
    await plant.turn()
    yield plant
    await plant.check()
    await plant.close()


async def fill_and_pack(plant: Plant) -> None:
    """Twenty-five bottles in three counts, two cases."""
    for value in (107, 119, 125):
        plant.read(good=value)
        await plant.turn()
    for code in (FIRST, SECOND):
        await plant.send(sscc=code, sequence=len(plant.made) + 1, units=Decimal(12))
        await plant.turn()


def lots_of(plant: Plant, sscc: str) -> dict[str, Decimal]:
    (case,) = read(plant.path, lambda raw: genealogy(raw, sscc=sscc)).cases
    sums: dict[str, Decimal] = {}
    for operation in case.operations:
        for component in operation.components:
            for lot in component.lots:
                if not lot.reversed:
                    sums[lot.lot] = sums.get(lot.lot, Decimal(0)) + lot.quantity
    return sums


async def test_a_case_is_traced_through_the_open_window(plant):
    await fill_and_pack(plant)

    assert lots_of(plant, FIRST)["BOTTLE-500-1"] == Decimal("9.916666666667")
    assert sum(quantity for lot, quantity in lots_of(plant, SECOND).items() if lot.startswith("BOTTLE")) == 12


async def test_closing_the_window_changes_no_answer_but_the_seq(plant):
    await fill_and_pack(plant)
    before = lots_of(plant, FIRST), lots_of(plant, SECOND)
    plant.read(seconds=120, good=126)
    await plant.turn()

    assert before == (lots_of(plant, FIRST), lots_of(plant, SECOND))


async def test_a_lot_names_its_cases_and_back(plant):
    await fill_and_pack(plant)

    found = read(plant.path, lambda raw: genealogy(raw, lot="BOTTLE-500-1", finished_lot="C261121-1"))
    (finished,) = found.lots[0].orders[0].finished_lots

    assert [one["sscc"] for one in finished.cases] == [FIRST, SECOND]
    assert {one.lot for one in found.finished_lots[0].components} >= {"BOTTLE-500-1", "CARTON-12-1", "GLUE-1"}


async def test_every_posting_can_be_recomputed_by_hand(plant):
    await fill_and_pack(plant)
    plant.read(seconds=120, good=126)
    await plant.turn()

    explained = [read(plant.path, lambda raw, seq=seq: explain(raw, seq)) for seq in range(1, plant.state.head.seq + 1)]

    assert [(1, 2), (1, 2), (3, 6)] == [(len(one["triggers"]), check_by_hand(one)) for one in explained]


async def test_a_reversal_is_linked_both_ways_and_marked(plant):
    await fill_and_pack(plant)
    seq = await plant.asked(plant.pipeline.commands.execute(Reverse(1, "wrong"), SIGNED))

    original, mirror = (read(plant.path, lambda raw, seq=seq: explain(raw, seq)) for seq in (1, plant.state.head.seq))
    (case,) = read(plant.path, lambda raw: genealogy(raw, sscc=FIRST)).cases

    assert seq
    assert (original["reversed_by"], mirror["reverses"]) == ([mirror["seq"]], 1)
    assert case.reversed


async def test_measures_and_full_documents_read_what_was_made(plant):
    await fill_and_pack(plant)

    found = read(plant.path, measures)
    full = read(plant.path, lambda raw: full_documents(raw, "100045"))

    assert [(one["operation"], one["difference"]) for one in found["counted_against_sealed"]] == [("0010", "1.0000")]
    assert [one["percent"] for one in found["genealogy_completeness"]] == ["100.0000"]
    assert (full["received"], full["open"], len(full["windows"])) == ("2", "998", 1)


async def test_a_case_holds_what_is_left_of_a_count_and_the_next_one_what_took_the_place_of_the_rest(plant):
    plant.read(good=114)
    await plant.turn()
    plant.clock.advance(60)
    await plant.send(sscc=FIRST, sequence=1, units=Decimal(7))
    await plant.turn()
    await plant.asked(plant.pipeline.commands.execute(Reverse(1, "wrong", Decimal(7)), SIGNED))
    await plant.asked(
        plant.pipeline.commands.execute(SetLotStatus("BOTTLE-500", "BOTTLE-500-1", LotStatus.BLOCKED, "wrong"), SIGNED)
    )
    plant.read(good=121)
    await plant.turn()
    await plant.send(sscc=SECOND, sequence=2, units=Decimal(7))
    await plant.turn()
    bottles = [
        {lot: quantity for lot, quantity in lots_of(plant, sscc).items() if lot.startswith("BOTTLE")}
        for sscc in (FIRST, SECOND)
    ]
    found = read(plant.path, lambda raw: genealogy(raw, lot="BOTTLE-500-2"))
    (finished,) = found.lots[0].orders[0].finished_lots

    assert [{"BOTTLE-500-1": 7}, {"BOTTLE-500-2": 7}] == bottles
    assert [SECOND] == [one["sscc"] for one in finished.cases]

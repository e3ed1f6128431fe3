from decimal import Decimal

import pytest

from gateway.domain.document import Draw, Pick
from gateway.domain.order import Progress
from gateway.domain.requirement import NOTHING, Requirement, RequirementKey
from gateway.store.batch import ShadowKey, ShadowTotal
from gateway.store.reading import read
from gateway.store.shadow_report import shadow_report
from gateway.store.statistics import full_documents
from tests.unit.store.bottling import FIRST, Bottling, used

NONE = Requirement(0, 1, Decimal(0))


@pytest.fixture
def plant(store) -> Bottling:
    return Bottling(store)


async def make_day(plant: Bottling) -> None:
    """Two fillings, one of them reversed, and a case; the next window is open."""
    first = plant.count("0010", 12, used("BOTTLE", "B-1", "12"))
    plant.count("0010", 12, used("BOTTLE", "B-2", "12"))
    plant.count("0030", 1, used("CARTON", "K-1", "1"), sscc=FIRST)
    plant.batch.progress = {("100045", "0030"): Progress(Decimal(1))}
    await plant.commit()
    plant.reverse(first, 1)
    plant.gather("0010", (5, (used("BOTTLE", "B-2", "5"),)))
    await plant.commit()


def roll_up(plant: Bottling, day: str | None = None):
    return read(plant.store.path, lambda raw: full_documents(raw, "100045", day))


async def test_individual_documents_roll_up_by_order_and_day(plant):
    await make_day(plant)

    (one,) = roll_up(plant)["documents"]

    assert (one["day"], one["postings"], one["reversals"], one["triggers"]) == ("2026-11-21", 4, 1, 3)
    assert [(line["operation"], line["item"], line["lot"], line["quantity"]) for line in one["lines"]] == [
        ("0010", "BOTTLE", "B-1", "0"),
        ("0010", "BOTTLE", "B-2", "12"),
        ("0030", "CARTON", "K-1", "1"),
    ]


async def test_receipts_reduce_the_open_quantity(plant):
    await make_day(plant)

    found = roll_up(plant)

    assert (found["planned"], found["received"], found["open"], found["uom"]) == ("1000", "1", "999", "EA")


async def test_open_windows_stand_beside_them(plant):
    await make_day(plant)

    (window,) = roll_up(plant)["windows"]

    assert (window["operation"], window["good"], window["triggers"]) == ("0010", "5", 1)


async def test_another_day_has_none(plant):
    await make_day(plant)

    assert roll_up(plant, "2026-11-22")["documents"] == []


async def test_an_order_with_only_an_open_window_knows_what_is_planned(plant):
    plant.gather("0010", (5, (used("BOTTLE", "B-2", "5"),)))
    await plant.commit()

    assert (roll_up(plant)["planned"], roll_up(plant)["open"]) == ("1000", "1000")


async def test_a_shadow_is_compared_with_what_was_consumed(plant):
    await make_day(plant)
    key = RequirementKey("100045", "0010", "0010", "EA")
    plant.batch.shadows = {ShadowKey(key, "BOM 4"): ShadowTotal("BOTTLE", Requirement(16, 1, Decimal(16)))}
    await plant.commit()

    (one,) = read(plant.store.path, shadow_report)

    assert (one.source, one.item, one.would_be, one.live, one.difference) == ("BOM 4", "BOTTLE", "16", "17", "-1")
    assert one.percent == "-5.8824"


async def make_weighed(plant: Bottling, drawn_in: str) -> None:
    """Twelve litres of a lot whose own density says that they were ten kilograms; a shadow reckoned eleven."""
    plant.count("0010", 12, used("BOTTLE", "B-1", "12"))
    key = RequirementKey("100045", "0010", "0010", drawn_in)
    draw = Draw(
        key, "BOTTLE", NONE, NOTHING, NOTHING, Decimal(10), Decimal(0), (Pick(0, Decimal(12), Decimal(10)),), ()
    )
    plant.batch.links[0] = plant.batch.links[0]._replace(draws=(draw,))
    shadow = ShadowKey(RequirementKey("100045", "0010", "0010", "kg"), "BOM 4")
    plant.batch.shadows = {shadow: ShadowTotal("BOTTLE", Requirement(11, 1, Decimal(11)))}
    await plant.commit()


async def test_a_lot_of_its_own_density_is_compared_by_what_its_triggers_drew(plant):
    await make_weighed(plant, "kg")

    (one,) = read(plant.store.path, shadow_report)

    assert (one.uom, one.live, one.difference, one.percent) == ("kg", "10", "1", "10.0000")


async def test_what_was_drawn_in_another_unit_is_not_comparable(plant):
    await make_weighed(plant, "l")

    (one,) = read(plant.store.path, shadow_report)

    assert (one.would_be, one.live, one.difference, one.percent) == ("11", None, None, None)

"""What operators enter by hand: output, and lots they issued."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.domain.command import EditedLine, EnterOutput, IssueLot
from gateway.domain.order import OrderStatus
from gateway.errors import CommandRefused
from tests.factories import NOON, day
from tests.unit.pipeline.panel import give, panel, waits
from tests.unit.pipeline.plant import GOOD


@pytest.fixture
async def plant(tmp_path):
    async with panel(tmp_path) as plant:
        yield plant


ENTRY = EnterOutput("E-1", "100045", "0010", good=Decimal(10), scrap=Decimal(2))


async def made(plant) -> tuple[str, ...]:
    rows = await plant.rows("SELECT good, scrap, rework FROM order_progress")
    return rows[0] if rows else ()


async def test_an_operators_entry_is_booked_like_a_machines_units(plant):
    await give(plant, ENTRY)

    assert ("10", "2", "0") == await made(plant)
    assert [("operator", "L1", "operator")] == await plant.rows(
        "SELECT DISTINCT device, signal, detail ->> 3 FROM event WHERE device = 'operator'"
    )


async def test_an_entry_is_booked_once(plant):
    answers = [await give(plant, ENTRY) for _ in range(2)]

    assert [True, False] == answers
    assert ("10", "2", "0") == await made(plant)


@pytest.mark.parametrize(
    "other", [{"good": Decimal(11)}, {"scrap": Decimal(0)}, {"rework": Decimal(1)}, {"at": NOON - timedelta(hours=1)}]
)
async def test_an_entry_that_comes_again_with_other_content_is_refused(plant, other):
    await give(plant, ENTRY)
    with pytest.raises(CommandRefused, match="entry E-1 was made before with other content"):
        await give(plant, replace(ENTRY, **other))

    assert ("10", "2", "0") == await made(plant)


async def test_an_edited_line_is_issued_as_entered_with_the_standard_beside_it(plant):
    await give(plant, replace(ENTRY, scrap=Decimal(0), lines=(EditedLine("0010", Decimal(11)),)))

    assert [("11", "10")] == await plant.rows("SELECT quantity, standard FROM posting_line WHERE item = 'BOTTLE-500'")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"good": Decimal(0), "scrap": Decimal(0)}, "is no output"),
        ({"good": Decimal(-1)}, "is no output"),
        ({"at": day(1)}, "is yet to come"),
        ({"order": "7"}, "order 7 is not in the master data"),
        ({"operation": "0099"}, "has no operation 0099"),
        ({"lines": (EditedLine("0099", Decimal(1)),)}, "operation 0010 draws no BOM line 0099"),
        ({"lines": (EditedLine("0010", Decimal(-1)),)}, "less than nothing"),
    ],
)
async def test_an_entry_that_cannot_be_is_refused(plant, changes, why):
    with pytest.raises(CommandRefused, match=why):
        await give(plant, replace(ENTRY, **changes))

    assert () == await made(plant)


async def test_an_entry_of_a_held_order_waits_like_a_machines_units(plant):
    held = replace(plant.model.master.orders["100045"], status=OrderStatus.HELD)
    master = replace(plant.model.master, orders={**plant.model.master.orders, "100045": held})
    await plant.asked(plant.pipeline.commands.activate(replace(plant.model, master=master)))
    await give(plant, replace(ENTRY, lines=(EditedLine("0010", Decimal(11)),)))

    assert [("order-status", "100045/0010")] == waits(plant)


ISSUE = IssueLot("I-1", "100045", "0030", "GLUE", "G-1", Decimal(5), "EA")


async def test_a_scanned_lot_is_issued_once(plant):
    answers = [await give(plant, ISSUE) for _ in range(2)]

    assert [True, False] == answers
    assert [("G-1", "5", "scan")] == await plant.rows("SELECT lot, quantity, method FROM posting_line")


async def test_an_issue_that_comes_again_with_other_content_is_refused(plant):
    await give(plant, ISSUE)
    with pytest.raises(CommandRefused, match="issue I-1 was made before with other content"):
        await give(plant, replace(ISSUE, quantity=Decimal(6)))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"item": "PAINT"}, "item PAINT is not in the master data"),
        ({"quantity": Decimal(0)}, "quantity 0 is not above zero"),
        ({"order": "7"}, "order 7 is not in the master data"),
        ({"operation": "0099"}, "has no operation 0099"),
    ],
)
async def test_an_issue_that_cannot_be_is_refused(plant, changes, why):
    with pytest.raises(CommandRefused, match=why):
        await give(plant, replace(ISSUE, **changes))


async def test_an_issue_of_a_lot_that_is_not_there_waits_with_its_reason(plant):
    await give(plant, replace(ISSUE, lot="G-9"))

    assert ["100045/0030 scan"] == [scope for _, scope in waits(plant)]
    assert {GOOD} >= set(plant.state.tallies)

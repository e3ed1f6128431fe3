"""What a scanner's messages do on their way through the pipeline."""

from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.domain.event import EventKind, SignalId
from gateway.domain.exception import ExceptionKind
from gateway.domain.quantity import text
from gateway.pipeline.model import Point
from tests.unit.pipeline.plant import CASE, GOOD, FakeDriver, Plant, make_model, make_rule

STAGED, SCANNED, LABELLED, ISSUED = (
    SignalId("SCANNER-1", one) for one in ("staged", "scanned", "label_approved", "issued")
)
BOTTLES = {"item": "BOTTLE-500", "lot": "B-1", "location": "L1-FILL", "quantity": Decimal(100), "uom": "EA"}


def make_scanner_model():
    model = make_model()
    kinds = {
        STAGED: EventKind.LOT_STAGED,
        SCANNED: EventKind.LOT_SCANNED,
        LABELLED: EventKind.LABEL_APPROVED,
        ISSUED: EventKind.LOT_ISSUED,
    }
    points = {one: Point(one, "L1", rule=make_rule(one, kind, "0030"), is_event=True) for one, kind in kinds.items()}
    return replace(model, points={**model.points, **points})


@pytest.fixture
async def line(tmp_path):
    plant = Plant(tmp_path / "gateway.db", make_scanner_model())
    plant.drivers["SCANNER-1"] = FakeDriver()
    await plant.open()
    plant.read(good=100)
    await plant.turn()
    try:
        yield plant
        await plant.check()
    finally:
        await plant.close()


async def letters(plant) -> list[str]:
    return [reason for (reason,) in await plant.rows("SELECT reason FROM dead_letter")]


async def left(plant) -> list[str]:
    return [text(one.left) for one in plant.state.lots.values()]


async def test_units_that_waited_for_stock_post_when_a_scanner_stages_it(line):
    line.read(good=110)
    await line.turn()
    receipt = await line.send(STAGED, id="T-1", **BOTTLES)
    await line.turn()

    assert ("10", "10", "0", "0") == line.tally(GOOD)
    assert [receipt] == line.drivers["SCANNER-1"].acknowledged
    assert [] == line.exceptions(ExceptionKind.TRIGGER)


async def test_a_transfer_that_is_delivered_twice_is_staged_once_even_after_a_restart(line):
    for _ in range(2):
        await line.send(STAGED, id="T-1", **BOTTLES)
        await line.turn()
    await line.crash()
    await line.send(STAGED, id="T-1", **BOTTLES)
    await line.turn()

    assert ["100"] == await left(line)


async def test_a_lot_that_was_used_up_is_staged_again(line):
    await line.send(STAGED, id="T-1", **{**BOTTLES, "quantity": Decimal(10)})
    await line.turn()
    line.read(good=110)
    await line.turn()
    await line.send(STAGED, id="T-2", **BOTTLES)
    await line.turn()

    assert [("110", "10")] == await line.rows("SELECT staged, consumed FROM lot_balance")


@pytest.mark.parametrize(
    ("signal", "fields", "why"),
    [
        (STAGED, {"id": "T-1", **BOTTLES, "item": "PAINT"}, "item PAINT is not in the master data"),
        (STAGED, {"sequence": 7, **BOTTLES}, "a staging needs an id of its own"),
        (SCANNED, {"id": "1", "item": "BOTTLE-500", "lot": "B-9"}, "lot B-9 of BOTTLE-500 is not staged at line L1"),
        (LABELLED, {"id": "1", "order": "7"}, "order 7 is not in the master data"),
    ],
)
async def test_what_cannot_be_done_is_kept_with_its_reason_and_acknowledged(line, signal, fields, why):
    receipt = await line.send(signal, **fields)
    await line.turn()

    assert [True] == [why in one for one in await letters(line)]
    assert [receipt] == line.drivers["SCANNER-1"].acknowledged


async def test_what_was_refused_may_come_again_once_it_can_be_done(line):
    scan = {"id": "1", "item": "BOTTLE-500", "lot": "B-1"}
    await line.send(SCANNED, **scan)
    await line.turn()
    await line.stage("S-1", "10")
    await line.send(SCANNED, **scan)
    await line.turn()

    assert 1 == len(await letters(line))
    assert [line.clock.now().wall] == [one.facts.scanned_at for one in line.state.lots.values()]


async def test_another_transfer_under_the_same_id_is_kept_apart(line):
    await line.send(STAGED, id="T-1", **BOTTLES)
    await line.send(STAGED, id="T-1", **{**BOTTLES, "lot": "B-2"})
    await line.turn()

    assert ["SCANNER-1.staged sent T-1 again with other content (100 EA)"] == await letters(line)


async def test_a_lost_scan_is_a_gap_without_units(line):
    for number in (1, 4, 2, 3):
        await line.send(LABELLED, id=f"L-{number}", sequence=number)
    await line.turn()
    (gap,) = await line.rows("SELECT count, quantity, close_reason FROM exception WHERE kind = 'gap'")

    assert (0, "0", "the missing messages came late") == gap
    assert LABELLED not in line.state.tallies or not line.state.tallies[LABELLED].counted


async def test_a_wrong_case_number_is_told_and_the_case_posts_without_it(line):
    await line.stage("S-1", "10", item="CARTON-12", lot="C-1")
    for number in ("106141412345678907", "12345"):
        await line.send(CASE, id=number, sscc=number, order="100045")
        await line.turn()
    (notice,) = line.exceptions(ExceptionKind.NOTICE)

    assert ("2", "2") == line.tally(CASE)[:2]
    assert [(None, "INVALID_SSCC 106141412345678907"), (None, "INVALID_SSCC 12345")] == await line.rows(
        "SELECT sscc, flag FROM event ORDER BY id"
    )
    assert (2, "'12345' is no SSCC" in notice.reason) == (notice.count, True)


async def test_a_case_number_is_kept_as_its_18_digits(line):
    await line.stage("S-1", "10", item="CARTON-12", lot="C-1")
    await line.send(CASE, id="c1", sscc="(00)106141412345678908", order="100045")
    await line.turn()

    assert [("106141412345678908", "")] == await line.rows("SELECT sscc, flag FROM event")

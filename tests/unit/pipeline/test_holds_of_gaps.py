"""Lost messages that a person has settled, and those of them that come after all."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.domain.command import SettledPart
from gateway.domain.event import EventKind, SignalId
from gateway.domain.exception import ExceptionKind
from gateway.errors import CommandRefused
from gateway.formats import signed
from gateway.pipeline.model import Point
from gateway.signals.sample import Message
from tests.unit.pipeline.held import OTHER, held_line, make_held_model, part
from tests.unit.pipeline.plant import CASE, WEIGHT, make_rule

ISSUED = SignalId("SCANNER-1", "issued")


@pytest.fixture
async def line(tmp_path):
    async with held_line(tmp_path) as plant:
        yield plant


async def test_a_settled_gap_posts_what_was_really_made(line):
    gap = await line.lose()
    await line.settle(gap, "1", f"2@{OTHER}")

    assert ("5", "5", "0", "0", "0") == line.totals(CASE)
    assert [("100045", "1"), (OTHER, "2")] == (await line.outputs())[2:]
    assert [] == line.exceptions(ExceptionKind.GAP)


async def test_a_gap_that_grew_since_it_was_shown_is_not_settled(line):
    gap = await line.lose()
    await line.send(sequence=8, id="case-8")
    await line.turn()
    before = line.totals(CASE)
    with pytest.raises(CommandRefused, match="has changed since it was signed for"):
        await line.settle(gap, "2", seen=signed.held(gap))

    assert before == line.totals(CASE)
    assert [(gap.id, Decimal(5))] == [(one.id, one.quantity) for one in line.exceptions(ExceptionKind.GAP)]


async def test_a_gap_in_which_nothing_was_made_counts_as_if_it_had_not_been(line):
    await line.settle(await line.lose())

    assert ("2", "2", "0", "0", "0") == line.totals(CASE)


async def test_the_units_of_a_gap_were_made_when_the_last_message_of_it_was_missed(line):
    gap = await line.lose()
    line.clock.advance(60)
    await line.settle(gap, "2")
    ((when,),) = await line.rows("SELECT source_time FROM event WHERE flag = 'SETTLED'")

    assert when.startswith(gap.last_event.strftime("%Y-%m-%dT%H:%M:%S"))


@pytest.mark.parametrize("parts", [(), ("2",)], ids=["as nothing", "as two"])
async def test_a_message_that_comes_after_its_gap_was_settled_is_held(line, parts):
    gap = await line.lose()
    before = line.clock.now().wall
    await line.settle(gap, *parts)
    counted = Decimal(line.totals(CASE)[0])
    line.clock.advance(5)
    await _late(line, 3, before)
    held = line.only(ExceptionKind.COUNTER)

    assert ("too-late", Decimal(1)) == (held.code, held.quantity)
    assert f"came after anna had settled what was missing (exception {gap.id})" in held.reason
    assert (str(counted + 1), str(counted), "0", "1", "0") == line.totals(CASE)


async def test_that_message_can_be_settled_as_counted_already(line):
    gap = await line.lose()
    await line.settle(gap, "2")
    await _late(line, 3, None)
    await line.settle(line.only(ExceptionKind.COUNTER))

    assert ("4", "4", "0", "0", "0") == line.totals(CASE)


async def test_the_same_message_again_is_a_duplicate(line):
    await line.settle(await line.lose(), "2")
    for _ in range(2):
        await _late(line, 3, None)

    assert 1 == len(line.exceptions(ExceptionKind.COUNTER))


async def test_a_later_gap_knows_nothing_of_the_settled_one(line):
    await line.settle(await line.lose(), "2")
    gap = await line.lose(first=5, last=8)
    await _late(line, 3, None)

    assert (Decimal(2), '{"missing":[[6,7]]}') == (gap.quantity, gap.detail)
    assert gap == line.only(ExceptionKind.GAP)


async def test_a_message_of_the_later_gap_only_fills_that(line):
    await line.settle(await line.lose(), "2")
    await line.lose(first=5, last=8)
    await _late(line, 6, None)

    assert Decimal(1) == line.only(ExceptionKind.GAP).quantity
    assert [] == line.exceptions(ExceptionKind.COUNTER)


async def test_what_was_settled_is_known_after_a_crash(line):
    await line.settle(await line.lose(), "2")
    await line.crash()
    await _late(line, 2, None)

    assert ["too-late"] == [one.code for one in line.exceptions(ExceptionKind.COUNTER)]


async def test_a_device_that_numbers_anew_after_it_goes_on_counting(line):
    await line.settle(await line.lose(), "2")
    line.clock.advance(60)
    await line.send(sequence=3, id="anew-3")
    await line.turn()

    assert [] == line.exceptions(ExceptionKind.COUNTER)
    assert ("5", "5", "0", "0", "0") == line.totals(CASE)


async def test_a_loss_that_only_totals_showed_holds_every_message_from_before_it_was_settled(line):
    for total in (1, 5):
        await line.send(total=Decimal(total), id=f"case-{total}")
        line.clock.advance(5)
    await line.turn()
    gap = line.only(ExceptionKind.GAP)
    await line.settle(gap, "3")
    line.made[CASE, Message(id="case-3", total=Decimal(3))] = gap.last_event - timedelta(seconds=1)
    await line.send(total=Decimal(3), id="case-3")
    await line.turn()

    assert ["too-late"] == [one.code for one in line.exceptions(ExceptionKind.COUNTER)]


async def test_parts_of_a_weight_are_in_its_unit(line):
    await line.send(WEIGHT, sequence=1, total=Decimal("1.5"), quantity=Decimal("1.5"), uom="kg")
    await line.send(WEIGHT, sequence=3, total=Decimal("4.5"), quantity=Decimal("1.5"), uom="kg")
    await line.turn()
    await line.settle(line.only(ExceptionKind.GAP), "1.25")

    assert (Decimal("4.25"), Decimal("4.25"), 0, 0, 0) == line.state.tallies[WEIGHT][1:]


@pytest.mark.parametrize("part", ["900000000", "15.001"])
async def test_a_weight_is_not_settled_as_what_nobody_can_have_made(line, part):
    await line.send(WEIGHT, sequence=1, total=Decimal("1.5"), quantity=Decimal("1.5"), uom="kg")
    await line.send(WEIGHT, sequence=3, total=Decimal("4.5"), quantity=Decimal("1.5"), uom="kg")
    await line.turn()
    with pytest.raises(CommandRefused, match="far more than"):
        await line.settle(line.only(ExceptionKind.GAP), part)


async def test_lost_cases_are_not_settled_as_what_nobody_can_have_made(line):
    gap = await line.lose()
    with pytest.raises(CommandRefused, match="far more than"):
        await line.settle(gap, "20001")


async def test_a_lost_scan_holds_no_units_and_one_that_comes_late_waits_for_its_lot_as_ever(tmp_path):
    model = make_held_model()
    scanner = Point(ISSUED, "L1", rule=make_rule(ISSUED, EventKind.LOT_ISSUED, "0030"), is_event=True)
    async with held_line(tmp_path, replace(model, points={**model.points, ISSUED: scanner})) as line:
        line.drivers[ISSUED.device] = line.drivers["PACKER-1"]
        await _scan(line, 1, 3)
        gap = line.only(ExceptionKind.GAP)
        with pytest.raises(CommandRefused, match="counts no units"):
            await line.settle(gap, "1")
        await line.settle(gap)
        await _scan(line, 2)

        assert [] == line.exceptions(ExceptionKind.COUNTER)
        assert [("TOO_LATE",)] == await line.rows("SELECT verdict FROM event WHERE key LIKE '2%'")


async def _scan(line, *numbers):
    for number in numbers:
        await line.send(ISSUED, sequence=number, quantity=Decimal(1), uom="EA", item="CARTON-12", lot="CARTON-12-1")
    await line.turn()


async def _late(line, number, at):
    message = Message(sequence=number, id=f"case-{number}")
    if at is not None:
        line.made[CASE, message] = at - timedelta(seconds=1)
    await line.send(sequence=number, id=f"case-{number}")
    await line.turn()


async def test_a_part_may_have_its_own_time(line):
    gap = await line.lose()
    at = gap.last_event - timedelta(seconds=30)
    await line.settle(gap, SettledPart(Decimal(2), "", at), part("1"))

    assert ("5", "5", "0", "0", "0") == line.totals(CASE)


async def test_a_device_that_took_the_settlements_key_for_itself_is_told(line):
    gap = await line.lose()
    await line.send(id=f"settled:{gap.id}:1")
    await line.turn()
    with pytest.raises(CommandRefused, match=r"PACKER-1\.case_sealed itself sent settled:1:1"):
        await line.settle(gap, "2")

    assert gap == line.only(ExceptionKind.GAP)

"""The work list by hand: retried, accepted, closed without posting; by whom and why."""

from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.domain.bom import LateStage
from gateway.domain.command import AcceptDeviation, CloseException, IssueLot, Retry
from gateway.domain.event import EventKind, SignalId
from gateway.domain.exception import ExceptionKind
from gateway.domain.quantity import text
from gateway.errors import CommandRefused
from gateway.formats import signed
from gateway.pipeline import work_list
from gateway.pipeline.model import Point
from tests.factories import NOON
from tests.unit.pipeline.panel import OPERATOR, SIGNER, entries, give
from tests.unit.pipeline.plant import CASE, GOOD, SPARE, Plant, make_line_master, make_model, make_rule

ISSUED = SignalId("SCANNER-1", "issued")


def make_late_model():
    """Return a line whose bottles need a signature where they came after their use, with a reason code."""
    master = make_line_master(reasons={"LOST": "goods lost"})
    ((key, bom),) = master.boms.items()
    signed = [replace(one, late_stage=LateStage.SIGN) for one in bom.components]
    master = replace(master, boms={key: replace(bom, components=tuple(signed))})
    model = make_model(master)
    issued = Point(ISSUED, "L1", rule=make_rule(ISSUED, EventKind.LOT_ISSUED, "0030"), is_event=True)
    return replace(model, points={**model.points, ISSUED: issued})


@pytest.fixture
async def plant(tmp_path):
    """A line that counted ten units without stock."""
    plant = Plant(tmp_path / "gateway.db", make_late_model())
    await plant.open()
    plant.read(good=100)
    plant.read(good=110)
    await plant.turn()
    try:
        yield plant
        await plant.check()
    finally:
        await plant.close()


def only(plant, kind=ExceptionKind.TRIGGER):
    (record,) = plant.exceptions(kind)
    return record


def totals(plant, signal) -> tuple[str, ...]:
    """Return counted, posted, scrapped, held and reversed."""
    return tuple(text(one) for one in plant.state.tallies[signal][1:])


async def closed(plant) -> list[tuple]:
    return await plant.rows("SELECT close_reason, closed_by FROM exception WHERE closed_at IS NOT NULL ORDER BY id")


async def test_a_retry_says_what_is_still_missing(plant):
    answer = await give(plant, Retry(only(plant).id))

    assert answer == only(plant).reason
    assert "BOTTLE-500" in answer


async def test_a_retry_of_everything_is_recorded_for_a_replay(plant):
    await give(plant, Retry())

    assert [("Retry",)] == await plant.rows("SELECT body ->> 'command' FROM input WHERE kind = 'command'")


@pytest.mark.parametrize("command", [Retry(99), AcceptDeviation(99), CloseException(99, "LOST")])
async def test_an_entry_that_is_not_open_is_refused(plant, command):
    with pytest.raises(CommandRefused, match="there is no open exception 99"):
        await give(plant, command, SIGNER)


async def test_an_accepted_deviation_lets_the_first_trigger_post_and_no_other(plant):
    plant.read(good=115)
    await plant.turn()
    plant.clock.advance(60)
    await plant.stage("S-1", "100")
    before = only(plant).code
    await give(plant, AcceptDeviation(only(plant).id), SIGNER)

    assert "staged-after-use" == before
    assert ("15", "10", "0", "5", "0") == totals(plant, GOOD)
    assert ["anna"] == await entries(plant, "deviation")


async def test_a_shortage_cannot_be_accepted(plant):
    with pytest.raises(CommandRefused, match="waits for something else"):
        await give(plant, AcceptDeviation(only(plant).id), SIGNER)


async def test_closed_triggers_count_as_reversed_and_never_post(plant):
    plant.read(good=115)
    await plant.turn()
    await give(plant, CloseException(only(plant).id, "LOST: fell off the belt"), SIGNER)
    await plant.stage("S-1", "100", received_at=NOON)

    assert ("15", "0", "0", "0", "15") == totals(plant, GOOD)
    assert [] == plant.exceptions(ExceptionKind.TRIGGER)
    assert [("LOST: goods lost: fell off the belt", "anna")] == await closed(plant)
    assert ["anna"] == await entries(plant, "closed")


async def test_units_after_a_closed_entry_post_again(plant):
    await give(plant, CloseException(only(plant).id, "LOST"), SIGNER)
    await plant.stage("S-1", "100")
    plant.read(good=111)
    await plant.turn()

    assert ("11", "1", "0", "0", "10") == totals(plant, GOOD)


async def test_a_held_counter_segment_that_is_closed_counts_as_reversed(plant):
    plant.read(spare=1)
    plant.read(spare=4)
    await plant.turn()
    await give(plant, CloseException(only(plant, ExceptionKind.COUNTER).id, "LOST"), SIGNER)

    assert ("3", "0", "0", "0", "3") == totals(plant, SPARE)


async def test_lost_messages_that_are_closed_count_as_reversed(plant):
    await plant.stage("S-2", "100", item="CARTON-12", lot="C-1")
    for number in (1, 4):
        await plant.send(CASE, id=f"c{number}", sequence=number, order="100045")
    await plant.turn()
    await give(plant, CloseException(only(plant, ExceptionKind.GAP).id, "LOST"), SIGNER)

    assert ("4", "2", "0", "0", "2") == totals(plant, CASE)


@pytest.mark.parametrize("kind", [ExceptionKind.NOTICE, ExceptionKind.ALERT, ExceptionKind.CLEARANCE])
async def test_an_entry_that_holds_nothing_is_only_closed(plant, kind):
    work = plant.pipeline.writer.working_copy()
    work_list.enter(work, kind, GOOD, code="x", reason="look", quantity=Decimal(0), uom="", at=NOON)
    await plant.pipeline.writer.finish(work)
    before = totals(plant, GOOD)
    await give(plant, CloseException(only(plant, kind).id, "LOST"), SIGNER)

    assert [("LOST: goods lost", "anna")] == await closed(plant)
    assert before == totals(plant, GOOD)


async def scan_what_is_no_component(plant):
    await plant.send(ISSUED, id="I-1", item="PAINT", lot="P-1", quantity=Decimal(5), uom="L", order="100045")
    await plant.turn()
    return next(one for one in plant.exceptions(ExceptionKind.TRIGGER) if one.scope[1] == "0030 scan")


async def test_a_lot_that_a_machine_scanned_waits_apart_and_holds_up_no_units(plant):
    waiting = await scan_what_is_no_component(plant)

    assert ("no-component", Decimal(0), 1) == (waiting.code, waiting.quantity, waiting.count)
    assert [] == [one for one in plant.exceptions(ExceptionKind.TRIGGER) if one.scope[1] == "0030"]


async def test_a_closed_issue_counted_no_units(plant):
    waiting = await scan_what_is_no_component(plant)
    await give(plant, CloseException(waiting.id, "LOST"), SIGNER)

    assert ISSUED not in plant.state.tallies


async def test_an_issue_that_can_never_post_is_refused_at_once(plant):
    with pytest.raises(CommandRefused, match="issues no BOTTLE-500 by scan"):
        await give(plant, IssueLot("I-1", "100045", "0010", "BOTTLE-500", "B-9", Decimal("0.25"), "kg"))


async def test_the_first_of_an_entry_is_closed_alone_and_the_others_are_tried_again(plant):
    plant.read(good=115)
    await plant.turn()
    number = only(plant).id
    await give(plant, CloseException(number, "LOST", first=True), SIGNER)

    assert (number, Decimal(5), 1) == (only(plant).id, only(plant).quantity, only(plant).count)
    assert ("15", "0", "0", "5", "10") == totals(plant, GOOD)


async def test_what_joined_an_entry_since_it_was_signed_for_is_not_closed_with_it(plant):
    seen = signed.held(only(plant))
    plant.read(good=115)
    await plant.turn()
    with pytest.raises(CommandRefused, match="has changed since it was signed for"):
        await give(plant, CloseException(only(plant).id, "LOST", seen), SIGNER)

    assert ("15", "0", "0", "15", "0") == totals(plant, GOOD)


async def test_an_entry_that_is_still_what_was_signed_for_is_closed(plant):
    await give(plant, CloseException(only(plant).id, "LOST", signed.held(only(plant))), SIGNER)

    assert [] == plant.exceptions(ExceptionKind.TRIGGER)


async def test_what_only_waits_behind_it_changes_no_deviation(plant):
    plant.clock.advance(60)
    await plant.stage("S-1", "100")
    seen = signed.deviation(only(plant))
    plant.read(good=115)
    await plant.turn()
    await give(plant, AcceptDeviation(only(plant).id, seen), SIGNER)

    assert ("15", "15", "0", "0", "0") == totals(plant, GOOD)


async def test_another_deviation_than_the_one_that_was_signed_for_is_not_accepted(plant):
    plant.clock.advance(60)
    await plant.stage("S-1", "100")
    with pytest.raises(CommandRefused, match="has changed since it was signed for"):
        await give(plant, AcceptDeviation(only(plant).id, "sha256:other"), SIGNER)


async def test_an_unknown_reason_code_is_refused(plant):
    with pytest.raises(CommandRefused, match="unknown reason code 'BORED'"):
        await give(plant, CloseException(only(plant).id, "BORED"), SIGNER)


@pytest.mark.parametrize("command", [CloseException(1, "LOST"), AcceptDeviation(1)])
async def test_without_a_signature_nothing_is_closed_or_accepted(plant, command):
    with pytest.raises(CommandRefused, match="needs a signature"):
        await give(plant, command, OPERATOR)

    assert ("10", "0", "0", "10", "0") == totals(plant, GOOD)

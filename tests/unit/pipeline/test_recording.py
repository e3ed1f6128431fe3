"""What the engine is told beside the events is kept in order, and can be told again."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import get_args

import orjson
import pytest

from gateway.domain.clock import ClockTrust
from gateway.domain.command import (
    CloseOrder,
    Command,
    CountLot,
    EditedLine,
    EnterOutput,
    PinBom,
    Residual,
    Reverse,
    SetLotStatus,
    Stage,
)
from gateway.domain.lot import LotFacts, LotStatus
from gateway.domain.signature import Author, Signature
from gateway.errors import CommandRefused
from gateway.formats.canonical import Place
from gateway.pipeline import recording
from gateway.pipeline.commands import HANDLERS
from tests.factories import NOON, day, make_lot, make_staging
from tests.unit.pipeline.plant import CASE

SIGNATURE = Signature("anna", "Anna Ehrlich", "supervisor", "reversal approved", NOON, "sha256:00ff")
FACTS = LotFacts(supplier="GLASS & CO", density=Decimal("0.9980"), scanned_at=NOON)
COMMANDS = [
    Stage(make_staging("S-1", "10.50", expires_at=day(9), facts=FACTS, scanned=True)),
    CountLot("C-1", make_lot().key, Decimal("1E+3"), "EA", "count"),
    SetLotStatus("SYRUP", "L-1", LotStatus.QUARANTINE, "smell"),
    EnterOutput("E-1", "100045", "0010", Decimal(5), lines=(EditedLine("0010", Decimal("4.75")),), at=NOON),
    PinBom("100045", "4", datetime(2026, 11, 21, 12, 0, 0, 123456, UTC)),
    Reverse(7, "wrong count", Decimal(2)),
    CloseOrder("100045", Residual.RETURN, "done"),
]


async def inputs(plant) -> list[tuple[int, str]]:
    return await plant.rows("SELECT after_event, kind FROM input ORDER BY id")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("author", [Author("anna", SIGNATURE), Author("erp")], ids=["signed", "unsigned"])
def test_a_command_can_be_given_again_as_it_was(command, author):
    kept = orjson.loads(recording.dumped(recording.command(command, author)))

    assert recording.Given(command, author) == recording.read_command(kept)


def test_a_tick_says_what_the_clock_said():
    trust = ClockTrust("none", None, "nobody knows")
    kept = orjson.loads(recording.dumped(recording.tick(Place("PLANT1", "S1", day(1), trust))))

    assert (day(1), trust) == recording.read_tick(kept)


async def test_a_committed_batch_has_one_tick_before_its_events(empty):
    empty.read(good=1)
    await empty.turn()
    await empty.turn()
    empty.read(good=3)
    await empty.turn()

    assert [(0, "tick"), (0, "baseline"), (0, "tick")] == (await inputs(empty))[-3:]


async def test_a_command_is_recorded_with_the_transaction_that_carries_it_out(empty):
    before = await inputs(empty)
    await empty.stage("S-1", "10")

    assert [(0, "tick"), (0, "command")] == (await inputs(empty))[len(before) :]


async def test_a_command_that_changed_nothing_is_not_kept(empty):
    await empty.stage("S-1", "10")
    before = await inputs(empty)
    await empty.stage("S-1", "10")

    assert before == await inputs(empty)


async def test_a_refused_command_that_wanted_a_signature_is_chained(empty):
    command = Reverse(1, "wrong count")
    with pytest.raises(CommandRefused, match="reversal needs a signature"):
        await empty.asked(empty.pipeline.commands.execute(command, Author("anna")))

    (entry,) = [orjson.loads(one) for (one,) in await empty.rows("SELECT body FROM journal WHERE kind = 'refused'")]

    assert ("Reverse", "anna") == (entry["command"], entry["person"])
    assert "reversal needs a signature" in entry["why"]


async def test_a_command_refused_before_it_came_to_the_desk_is_chained_too(empty):
    await empty.asked(empty.pipeline.commands.audit(Reverse(1, "wrong"), Author("eve"), "the password is wrong"))

    (body,) = (await empty.rows("SELECT body FROM input WHERE kind = 'command'"))[-1]

    assert "the password is wrong" == recording.read_command(orjson.loads(body)).refused


async def test_a_gap_is_recorded_before_the_event_that_showed_it(empty):
    await empty.send(CASE, id="c1", sequence=1)
    await empty.send(CASE, id="c4", sequence=4)
    await empty.turn()
    await empty.send(CASE, id="c2", sequence=2)
    await empty.turn()

    kept = await empty.rows("SELECT after_event, body FROM input WHERE kind = 'gap' ORDER BY id")
    told = [(after, *recording.read_gap(orjson.loads(body))[3:], orjson.loads(body)["late"]) for after, body in kept]

    assert [(1, 2, 3, Decimal(2), False), (2, 2, 2, Decimal(1), True)] == [
        (after, gap.first, gap.last, gap.quantity, late) for after, gap, late in told
    ]


async def test_an_activation_is_recorded_with_its_orders(empty):
    (body,) = (await empty.rows("SELECT body FROM input WHERE kind = 'activation'"))[0]

    assert {"L1": "100045"} == orjson.loads(body)["active_orders"]


async def test_units_that_are_held_at_once_say_so_with_their_event(empty):
    empty.read(good=100)
    empty.read(good=101, epoch="plc-2")
    await empty.turn()
    await empty.send(CASE, id="c1")
    await empty.send(CASE, id="c1", order="7")
    await empty.turn()

    (body,) = (await empty.rows("SELECT detail FROM event WHERE verdict = 'CONFLICT'"))[0]

    assert "conflict" in body


def test_every_command_has_a_handler():
    assert set(get_args(Command)) == set(HANDLERS)

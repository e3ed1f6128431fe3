"""Many messages that were held after a restore: a person settles them together, and the books have each of them."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.cli.explain import explain as printed
from gateway.domain.command import CloseOrder, Residual, SettledHold, SettledPart, SettleHolds
from gateway.domain.exception import ExceptionKind
from gateway.errors import CommandRefused
from gateway.formats import signed
from gateway.pipeline.restored import SETTLING
from gateway.signals.sample import Message
from tests.property.replaying import replayed, replayed_with
from tests.unit.pipeline.held import OTHER, detail, held_line
from tests.unit.pipeline.office import ANNA
from tests.unit.pipeline.plant import CASE, GOOD, WEIGHT
from tests.unit.pipeline.test_restored import Restoring


@pytest.fixture
async def line(tmp_path):
    async with held_line(tmp_path) as plant:
        yield plant


@pytest.fixture
async def restored(line, tmp_path):
    """The line after a restore; the broker still has three cases from before, made two minutes ago."""
    backup = Restoring(line, tmp_path)
    backup.back_up()
    await backup.put_back()
    line.clock.advance(int(SETTLING.total_seconds()))
    for number, order in ((1, None), (2, OTHER), (3, None)):
        case = {"id": f"c{number}", "quantity": Decimal(number), "order": order}
        line.made[CASE, Message(**case)] = made(line, number)
        await line.send(**case)
    await line.turn()
    return line


def made(line, number):
    return line.clock.now().wall - timedelta(seconds=200 - number)


def held(line):
    return line.exceptions(ExceptionKind.COUNTER)


def as_proposed(record):
    parts = (SettledPart(Decimal(one["quantity"]), one["order"]) for one in detail(record)["proposal"])
    return SettledHold(record.id, signed.held(record), tuple(parts))


def as_nothing(record):
    return SettledHold(record.id, signed.held(record))


async def together(line, *holds):
    return await line.ask(SettleHolds(holds, "COUNT"), ANNA)


async def test_a_message_that_was_held_proposes_what_it_says_and_how_to_look_it_up(restored):
    assert [[("1", "")], [("2", OTHER)], [("3", "")]] == [
        [(part["quantity"], part["order"]) for part in detail(one)["proposal"]] for one in held(restored)
    ]
    assert "compare with the ERP" in held(restored)[0].reason
    assert held(restored)[0].reason.endswith(
        "Look for PACKER-1.case_sealed c1 among the triggers of the ERP's postings of that store."
    )


async def test_as_proposed_each_posts_its_own_units_for_its_own_order_at_its_own_time(restored):
    events = "SELECT key, order_no, quantity, source_time FROM event WHERE flag = 'SETTLED' AND kind <> 'corrected'"
    before = await restored.rows("SELECT source_time FROM event WHERE verdict = 'RESTORED' ORDER BY id")
    keys = [f"settled:{one.id}:1" for one in held(restored)]
    await together(restored, *map(as_proposed, held(restored)))
    settled = await restored.rows(f"{events} ORDER BY id")

    assert list(zip(keys, (None, OTHER, None), ("1", "2", "3"), strict=True)) == [one[:3] for one in settled]
    assert before == [(at,) for *_, at in settled]
    assert [("100045", "1"), (OTHER, "2"), ("100045", "3")] == await restored.outputs()
    assert ("6", "6", "0", "0", "0") == restored.totals(CASE)
    assert [] == held(restored)


async def test_none_takes_back_what_the_erp_has_already(restored):
    await together(restored, *map(as_nothing, held(restored)))

    assert ("0", "0", "0", "0", "0") == restored.totals(CASE)
    assert [] == await restored.outputs()


async def test_what_a_message_was_measured_at_is_settled_with_it(line, tmp_path):
    backup = Restoring(line, tmp_path)
    backup.back_up()
    await backup.put_back()
    await line.send(WEIGHT, id="w1", quantity=Decimal(6), uom="kg", temperature=Decimal("4.5"))
    await line.turn()
    await together(line, *map(as_proposed, held(line)))

    assert [("4.5",)] == await line.rows("SELECT detail ->> '$[0]' FROM event WHERE key LIKE 'settled:%:1'")


async def test_each_entry_says_afterwards_what_it_was_and_who_signed_that(restored, capsys):
    numbers = [one.id for one in held(restored)]
    await together(restored, *map(as_proposed, held(restored)))
    told = [(f"settled as {quantity} units, COUNT: counted again at the machine", "anna") for quantity in (1, 2, 3)]
    printed(restored.path, 2)
    text = " ".join(capsys.readouterr().out.replace("│", "").split())

    assert told == await restored.rows(
        "SELECT close_reason, closed_by FROM exception WHERE closed_at IS NOT NULL ORDER BY id"
    )
    assert f"exception {numbers[1]} settled as 2 units: COUNT" in text
    assert "signed by Anna Arndt (anna, supervisor)" in text
    assert numbers == [one["exception"] for one in await restored.entries("settled")]


async def test_what_cannot_be_settled_stays_open_says_why_and_holds_up_no_other(restored):
    await restored.ask(CloseOrder(OTHER, Residual.LEAVE, "COUNT", deviation=True))
    first, second, third = held(restored)
    changed = replace(as_proposed(third), seen="another state of it")
    answer = await together(restored, as_proposed(first), as_proposed(second), changed)

    assert [second, third] == held(restored)
    assert "" == answer[0]["refused"]
    assert f"order {OTHER} was closed" in answer[1]["refused"]
    assert f"exception {third.id} has changed since" in answer[2]["refused"]
    assert [[("1", "100045", 2)], [], []] == [
        [(part["quantity"], part["order"], part["seq"]) for part in one["parts"]] for one in answer
    ]
    assert [second.id, third.id] == [one["about"]["exception"] for one in await restored.entries("refused")]


async def test_the_same_again_settles_nothing_twice(restored):
    holds = [as_proposed(one) for one in held(restored)]
    await together(restored, *holds)
    answer = await together(restored, *holds)

    assert all("there is no open exception" in one["refused"] for one in answer)
    assert ("6", "6", "0", "0", "0") == restored.totals(CASE)


async def test_an_entry_that_is_named_twice_is_refused(restored):
    (first, *_), before = held(restored), restored.totals(CASE)
    with pytest.raises(CommandRefused, match=f"exception {first.id} is named 2 times"):
        await together(restored, as_proposed(first), as_nothing(first))

    assert before == restored.totals(CASE)


async def test_without_a_signature_none_is_settled(restored):
    holds = tuple(map(as_nothing, held(restored)))
    with pytest.raises(CommandRefused, match="settlement of many holds needs a signature"):
        await restored.ask(SettleHolds(holds, "COUNT"), ANNA._replace(signature=None))


async def in_many_ways(line):
    """Settle two of three segments of a kind and one that isn't there, together."""
    for value in (5_000, 10_000, 15_000):
        for _ in range(3):
            line.read(good=value)
            await line.turn()
    first, second, third = held(line)
    await together(
        line,
        SettledHold(first.id, signed.held(first), (SettledPart(Decimal(5), "100045"), SettledPart(Decimal(7), OTHER))),
        SettledHold(99, "nobody saw it"),
        SettledHold(third.id, signed.held(third), (SettledPart(Decimal(3)),)),
    )
    assert [second] == held(line)


async def test_a_replay_settles_the_same(line, tmp_path):
    await in_many_ways(line)
    bodies = [body for (body,) in await line.rows("SELECT body FROM posting ORDER BY seq")]

    assert bodies == await replayed(line, tmp_path / "again.db", again := {})
    assert (line.state.exceptions, line.state.tallies) == (again["exceptions"], again["tallies"])


async def test_another_configuration_settles_as_many_of_them_each_another_one(line, tmp_path):
    await in_many_ways(line)
    good = line.model.points[GOOD]
    points = {**line.model.points, GOOD: replace(good, rule=replace(good.rule, rule="another", version=2))}
    posted, warnings = await replayed_with(line, replace(line.model, points=points), tmp_path / "again.db")

    assert ["5", "7", "3"] == [one["output"]["good"] for one in posted]
    assert [] == warnings

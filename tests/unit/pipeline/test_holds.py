"""Held counter segments: a person says what they really were, and the books say the same from then on."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.cli.explain import explain as printed
from gateway.counting.counter import GapPolicy
from gateway.domain.command import CloseOrder, Residual, Reverse, SettledPart, SettleHold
from gateway.domain.event import EventKind
from gateway.domain.exception import ExceptionKind
from gateway.errors import CommandRefused
from gateway.formats import signed
from tests.factories import make_order
from tests.unit.pipeline.held import OTHER, detail, held_line, make_held_model
from tests.unit.pipeline.office import ANNA
from tests.unit.pipeline.plant import CASE, GOOD, SPARE, make_rule


@pytest.fixture
async def line(tmp_path):
    async with held_line(tmp_path) as plant:
        yield plant


async def test_a_settled_segment_posts_what_was_really_made(line):
    held = await line.leap(5_000)
    answer = await line.settle(held, "12")

    assert ("12", "12", "0", "0", "0") == line.totals()
    assert [("100045", "12")] == await line.outputs()
    assert [("12", "100045", "0010", 1, "")] == [
        (one["quantity"], one["order"], one["operation"], one["seq"], one["waits"]) for one in answer
    ]
    assert [] == line.exceptions(ExceptionKind.COUNTER)


async def test_a_posting_of_a_settlement_says_so(line):
    await line.settle(await line.leap(), "12")
    (trigger,) = (await line.posting(1))["triggers"]

    assert ("SETTLED", "settled:1:1", "12") == (trigger["flag"], trigger["key"], trigger["quantity"])
    assert [("anna",)] == await line.rows("SELECT detail ->> '$[3]' FROM event WHERE key = 'settled:1:1'")


@pytest.mark.parametrize("value", [5_000, 40_000], ids=["likely made", "likely not"])
async def test_where_nothing_was_made_all_that_was_held_is_taken_back(line, value):
    await line.settle(await line.leap(value))

    assert ("0", "0", "0", "0", "0") == line.totals()
    assert [] == await line.outputs()


async def test_the_parts_go_to_their_orders_at_their_times(line):
    held = await line.leap(5_000)
    early = line.clock.now().wall - timedelta(seconds=2)
    await line.settle(held, "5@100045", SettledPart(Decimal(7), OTHER, early))

    assert [("100045", "5"), (OTHER, "7")] == await line.outputs()
    assert [(early.isoformat(timespec="milliseconds").replace("+00:00", "Z"),)] == await line.rows(
        "SELECT source_time FROM event WHERE key = 'settled:1:2'"
    )


async def test_counting_goes_on_after_a_settlement_and_no_key_comes_twice(line):
    await line.settle(await line.leap(5_000))
    for value in (5_005, 5_010):
        line.read(good=value)
        await line.turn()

    assert ("10", "10", "0", "0", "0") == line.totals()
    assert 4_910 == line.state.checkpoints[GOOD].counted  # what the device showed


async def test_what_may_not_post_yet_waits_and_the_answer_says_for_what(line):
    held = await line.leap()
    (answer,) = await line.settle(held, "200000")
    waiting = line.only(ExceptionKind.TRIGGER)

    assert ("200000", "0", "0", "200000", "0") == line.totals()
    assert (None, waiting.id, waiting.reason) == (answer["seq"], answer["exception"], answer["waits"])
    assert "BOTTLE-500" in answer["waits"]


async def test_the_journal_has_what_was_held_what_it_was_and_who_signed(line):
    await line.settle(await line.leap(), "5@100045", "7@100046")
    (said,) = await line.entries("settled")

    assert ("0", "12", "COUNT", "anna", [("5", "100045"), ("7", OTHER)]) == (
        said["held"],
        said["settled"],
        said["reason"]["code"],
        said["signature"]["user"],
        [(one["quantity"], one["order"]) for one in said["parts"]],
    )


async def test_its_posting_is_explained_by_the_hold_the_reason_and_the_signature(line, capsys):
    held = await line.leap()
    await line.settle(held, "12")
    printed(line.path, 1)
    text = " ".join(capsys.readouterr().out.replace("│", "").split())

    assert f"exception {held.id} settled as 12 units: COUNT: counted again at the machine" in text
    assert held.reason in text
    assert "signed by Anna Arndt (anna, supervisor)" in text


async def test_the_closed_entry_says_what_it_was(line):
    await line.settle(await line.leap(), "12")

    assert [("settled as 12 units, COUNT: counted again at the machine", "anna", "0")] == await line.rows(
        "SELECT close_reason, closed_by, quantity FROM exception WHERE closed_at IS NOT NULL"
    )


async def test_a_settled_posting_can_be_reversed(line):
    await line.settle(await line.leap(), "12")
    await line.ask(Reverse(1, "COUNT"))

    assert ("12", "0", "0", "0", "12") == line.totals()


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        (("5@100099",), "order 100099 is not in the master data"),
        (("2.5",), "counts whole pieces"),
        (("0",), "0 units are none"),
        (("-1",), "-1 units are none"),
        (("999999999999", "2"), "outside what a quantity can be"),
        (("5@100047",), "planned for line L2"),
        (("4294959908",), "far more than exception 1 can have been"),
    ],
)
async def test_what_nobody_can_have_made_is_refused_and_changes_nothing(line, parts, why):
    orders = {**line.model.master.orders, "100047": make_order(order="100047", line="L2", active=False)}
    await line.change(orders=orders)
    held, before = await line.leap(), line.totals()
    with pytest.raises(CommandRefused, match=why):
        await line.settle(held, *parts)

    assert (held, before) == (line.only(ExceptionKind.COUNTER), line.totals())


async def test_units_of_the_future_are_refused(line):
    held = await line.leap()
    later = line.clock.now().wall + timedelta(seconds=1)
    with pytest.raises(CommandRefused, match="is yet to come"):
        await line.settle(held, SettledPart(Decimal(5), "", later))


async def test_units_of_long_before_the_segment_are_refused(line):
    held = await line.leap()
    long_ago = held.last_event - timedelta(days=8)
    with pytest.raises(CommandRefused, match=r"is not between .* when they were made"):
        await line.settle(held, SettledPart(Decimal(5), "100045", long_ago))


async def test_units_from_outside_a_gap_are_refused(tmp_path):
    async with held_line(tmp_path, make_held_model(gap=GapPolicy.HOLD)) as line:
        line.clock.advance(600)
        line.read(good=140)
        await line.turn()
        held = line.only(ExceptionKind.COUNTER)
        before = held.last_event - timedelta(seconds=700)
        with pytest.raises(CommandRefused, match="is not between"):
            await line.settle(held, SettledPart(Decimal(40), "100045", before))
        await line.settle(held, SettledPart(Decimal(40), "100045", held.last_event - timedelta(seconds=60)))

        assert ("40", "40", "0", "0", "0") == line.totals()


async def test_units_of_a_closed_order_are_refused(line):
    held = await line.leap()
    await line.ask(CloseOrder(OTHER, Residual.LEAVE, "COUNT", deviation=True))
    with pytest.raises(CommandRefused, match="order 100046 was closed"):
        await line.settle(held, f"5@{OTHER}")


async def test_an_unknown_reason_is_refused(line):
    held = await line.leap()
    with pytest.raises(CommandRefused, match="unknown reason code 'WHY'"):
        await line.ask(SettleHold(held.id, "WHY"))


async def test_what_is_signed_for_something_else_is_refused(line):
    held = await line.leap()
    with pytest.raises(CommandRefused, match="has changed since"):
        await line.settle(held, "5", seen=signed.held(replace(held, quantity=Decimal(7))))


async def test_without_a_signature_nothing_is_settled(line):
    held = await line.leap()
    with pytest.raises(CommandRefused, match="settlement of a hold needs a signature"):
        await line.ask(SettleHold(held.id, "COUNT"), ANNA._replace(signature=None))


async def test_triggers_that_wait_are_no_hold(line):
    line.read(good=101, order="100099")
    await line.turn()
    with pytest.raises(CommandRefused, match="holds no counter segment and no gap") as refusal:
        await line.settle(line.only(ExceptionKind.TRIGGER))

    assert "retry" in refusal.value.hint


async def _spare(line):
    line.read(spare=1)
    line.read(spare=4)
    await line.turn()
    return line.only(ExceptionKind.COUNTER)


async def test_a_counter_without_a_rule_is_refused_with_the_way_out(line):
    held = await _spare(line)
    with pytest.raises(CommandRefused, match=r"FILLER-1.spare has no trigger rule") as refusal:
        await line.settle(held, "3")

    assert "triggers.yaml" in refusal.value.hint


async def test_a_counter_without_a_rule_can_be_settled_as_nothing(line):
    await line.settle(await _spare(line))

    assert ("0", "0", "0", "0", "0") == line.totals(SPARE)


async def test_a_counter_that_got_its_rule_since_is_settled_by_it(line):
    held = await _spare(line)
    rule = make_rule(SPARE, EventKind.SCRAP_UNITS, "0010")
    points = {**line.model.points, SPARE: replace(line.model.points[SPARE], rule=rule)}
    await line.asked(line.pipeline.commands.activate(replace(line.model, points=points)))
    await line.settle(held, "3")

    assert ("3", "0", "3", "0", "0") == line.totals(SPARE)


async def test_a_counter_whose_signal_is_gone_is_refused(line):
    held = await _spare(line)
    points = {name: one for name, one in line.model.points.items() if name != SPARE}
    await line.asked(line.pipeline.commands.activate(replace(line.model, points=points)))
    with pytest.raises(CommandRefused, match="no longer configured"):
        await line.settle(held, "3")


async def test_a_signal_that_counts_no_units_any_more_is_refused(line):
    held = await _spare(line)
    rule = make_rule(SPARE, EventKind.LOT_ISSUED, "0030")
    points = {**line.model.points, SPARE: replace(line.model.points[SPARE], rule=rule)}
    await line.asked(line.pipeline.commands.activate(replace(line.model, points=points)))
    with pytest.raises(CommandRefused, match="counts no units"):
        await line.settle(held, "3")


async def test_where_the_line_has_no_say_the_order_has_to_be_named(tmp_path):
    model = make_held_model()
    silent = replace(model.points[GOOD], rule=replace(model.points[GOOD].rule, fallback_active=False))
    points = {**model.points, GOOD: silent}
    async with held_line(tmp_path, replace(model, points=points)) as line:
        held = await line.leap()
        with pytest.raises(CommandRefused, match="the device reports the order"):
            await line.settle(held, "5")
        await line.settle(held, "5@100045")

        assert [("100045", "5")] == await line.outputs()


async def test_a_contradicting_message_is_settled_with_its_case(line):
    for quantity in (1, 7):
        await line.send(
            sequence=1, id="case-1", quantity=Decimal(quantity), sscc="106141412345678908", units=Decimal(12)
        )
    await line.turn()
    held = line.only(ExceptionKind.COUNTER)
    await line.settle(held, "7")

    assert ("conflict", "106141412345678908") == (held.code, detail(held)["sscc"])
    assert [("106141412345678908", "12")] == await line.rows(
        "SELECT sscc, units FROM event WHERE key LIKE 'settled:%:1'"
    )
    assert ("8", "8", "0", "0", "0") == line.totals(CASE)


async def test_an_entry_of_an_older_version_is_settled_at_its_own_time(line):
    held = await line.leap()
    line.state.exceptions[held.id] = replace(held, detail="")
    await line.settle(held, "5")

    assert [("5",)] == await line.rows("SELECT quantity FROM event WHERE key = 'settled:1:1'")

"""What may not post waits, in order, and posts by itself when what it waits for comes."""

from dataclasses import replace
from decimal import Decimal

import orjson

from gateway.domain.command import StartOrder
from gateway.domain.exception import ExceptionKind
from gateway.domain.order import OrderStatus
from gateway.domain.signature import Author
from gateway.pipeline import work_list
from tests.factories import NOON, ORDER, day, make_order
from tests.unit.pipeline.plant import CASE, GOOD, make_line_master, make_model
from tests.unit.pipeline.test_run_rules import make_work

OPERATOR = Author("operator")


async def count(plant, *values):
    for value in values:
        plant.read(good=value)
        await plant.turn()


async def posted(plant) -> list[tuple[int, str]]:
    return await plant.rows("SELECT id, quantity FROM trigger_log WHERE document_id IS NOT NULL ORDER BY document_id")


async def test_a_shortage_holds_the_trigger_with_the_exact_reason(empty):
    await count(empty, 0, 3)
    held = empty.exceptions(ExceptionKind.TRIGGER)

    assert [
        (
            "not-staged",
            "BOTTLE-500 (BOM line 0010) needs 3 EA, nothing staged for order 100045 on line L1",
            Decimal(3),
            1,
        )
    ] == [(one.code, one.reason, one.quantity, one.count) for one in held]
    assert ("3", "0", "0", "3") == empty.tally()


async def test_triggers_behind_a_blocked_one_join_its_exception(empty):
    await empty.stage("S-1", "5")
    await count(empty, 0, 6, 7, 9)
    held = empty.exceptions(ExceptionKind.TRIGGER)

    assert [(Decimal(9), 3)] == [(one.quantity, one.count) for one in held]
    assert [] == await posted(empty)


async def test_another_operation_goes_on(empty):
    await empty.stage("S-1", "5", item="CARTON-12")
    await count(empty, 0, 6)
    await empty.send(id="c1")
    await empty.turn()

    assert ("1", "1", "0", "0") == empty.tally(CASE)


async def test_a_staging_posts_what_waits_in_the_order_of_events(empty):
    await count(empty, 0, 6, 7, 9)
    await empty.stage("S-1", "100")

    assert [(1, "6"), (2, "1"), (3, "2")] == await posted(empty)
    assert ("9", "9", "0", "0") == empty.tally()
    assert [("posted", "gateway", 0)] == await empty.rows("SELECT close_reason, closed_by, count FROM exception")


async def test_a_staging_that_isnt_enough_posts_what_it_can_and_renews_the_reason(empty):
    await count(empty, 0, 6, 10)
    await empty.stage("S-1", "7")
    held = empty.exceptions(ExceptionKind.TRIGGER)[0]

    assert [(1, "6")] == await posted(empty)
    assert "BOTTLE-500 (BOM line 0010) needs 4 EA, 1 available for order 100045 on line L1" == held.reason
    assert (Decimal(4), 1) == (held.quantity, held.count)
    assert held.first_event == held.last_event


async def test_a_staging_of_something_else_changes_nothing(empty):
    await count(empty, 0, 6)
    before = empty.exceptions(ExceptionKind.TRIGGER)
    await empty.stage("S-1", "7", item="CARTON-12")

    assert before == empty.exceptions(ExceptionKind.TRIGGER)


async def test_more_than_fits_one_transaction_is_posted_to_the_end(empty, monkeypatch):
    monkeypatch.setattr("gateway.pipeline.commands.desk._RETRIED_AT_ONCE", 2)
    await count(empty, *range(6))
    await empty.stage("S-1", "100")

    assert [1, 2, 3, 4, 5] == [number for number, _ in await posted(empty)]
    assert {} == empty.state.exceptions


async def test_a_restart_keeps_what_waits_and_posts_it_after_a_staging(empty):
    await count(empty, 0, 6, 7)
    await empty.crash()
    await count(empty, 9)
    await empty.stage("S-1", "100")

    assert [(1, "6"), (2, "1"), (3, "2")] == await posted(empty)


async def test_a_new_shortage_of_the_same_operation_is_an_exception_of_its_own(empty):
    await count(empty, 0, 6)
    await empty.stage("S-1", "6")
    await count(empty, 8)

    assert [2] == [one.id for one in empty.exceptions(ExceptionKind.TRIGGER)]


async def test_an_order_that_is_released_posts_what_waited_for_it(plant):
    held = make_line_master(order=make_order(status=OrderStatus.HELD))
    await plant.asked(plant.pipeline.commands.activate(make_model(held)))
    await count(plant, 103)

    assert ["order-status"] == [one.code for one in plant.exceptions(ExceptionKind.TRIGGER)]

    await plant.asked(plant.pipeline.commands.activate(make_model()))

    assert ("3", "3", "0", "0") == plant.tally()


async def test_without_any_order_units_wait(plant):
    await plant.asked(plant.pipeline.commands.activate(make_model(active=None)))
    await count(plant, 103)

    assert ["no-order"] == [one.code for one in plant.exceptions(ExceptionKind.TRIGGER)]


async def test_units_without_an_order_go_to_one_that_is_started_for_their_time(plant):
    await plant.asked(plant.pipeline.commands.activate(make_model(active=None)))
    await count(plant, 103, 107)
    first = plant.exceptions(ExceptionKind.TRIGGER)[0].first_event
    await plant.asked(plant.pipeline.commands.execute(StartOrder("L1", "100045", first), OPERATOR))

    assert [] == plant.exceptions(ExceptionKind.TRIGGER)
    assert ("7", "7", "0", "0") == plant.tally()
    assert [("100045",)] == await plant.rows("SELECT DISTINCT order_no FROM trigger_log")
    assert [("100045", "3"), ("100045", "4")] == await plant.rows(
        "SELECT p.order_no, l.units FROM posting AS p JOIN link AS l ON l.document_id = p.document_id ORDER BY p.seq"
    )


async def test_units_from_before_the_order_wait_and_hold_up_nobody(plant):
    await plant.asked(plant.pipeline.commands.activate(make_model(active=None)))
    await count(plant, 103, 107)
    second = plant.exceptions(ExceptionKind.TRIGGER)[0].last_event
    await plant.asked(plant.pipeline.commands.execute(StartOrder("L1", "100045", second), OPERATOR))
    (waiting,) = plant.exceptions(ExceptionKind.TRIGGER)

    assert ("7", "4", "0", "3") == plant.tally()
    assert (("", "0010"), 1, Decimal(3)) == (waiting.scope, waiting.count, waiting.quantity)
    assert waiting.reason.endswith("start-order CONFIG_DIR L1 ORDER --at 2026-11-21T12:00:02.000Z`, or earlier")


async def test_an_order_that_takes_over_units_keeps_them_in_their_sequence(empty):
    await empty.stage("S-1", "5")
    await empty.asked(empty.pipeline.commands.activate(make_model(active=None)))
    await count(empty, 0, 6, 9)
    await empty.asked(empty.pipeline.commands.execute(StartOrder("L1", "100045", NOON), OPERATOR))
    waits = [(one.code, one.count) for one in empty.exceptions(ExceptionKind.TRIGGER)]
    await empty.stage("S-2", "100")

    assert [("shortage", 2)] == waits
    assert [(1, "6"), (2, "3")] == await posted(empty)


async def test_units_whose_device_has_to_name_the_order_get_none_of_the_line(plant):
    named = replace(plant.model.points[CASE].rule, fallback_active=False)
    points = {**plant.model.points, CASE: replace(plant.model.points[CASE], rule=named)}
    await plant.asked(plant.pipeline.commands.activate(replace(make_model(active=None), points=points)))
    await plant.send(id="c2")
    await plant.turn()
    await plant.asked(plant.pipeline.commands.execute(StartOrder("L1", "100045", NOON), OPERATOR))

    (waiting,) = plant.exceptions(ExceptionKind.TRIGGER)
    assert "no order: neither PACKER-1.case_sealed nor line L1 names one" == waiting.reason


async def test_every_change_of_an_exception_is_in_the_chain(empty):
    await count(empty, 0, 6)
    await empty.stage("S-1", "6")
    entries = [orjson.loads(body) for (body,) in await empty.rows("SELECT body FROM journal WHERE kind = 'exception'")]

    assert [(1, "6", None, ""), (1, "0", "2026-11-21T12:00:02.000Z", "posted")] == [
        (one["exception"], one["quantity"], one["closed_at"], one["close_reason"]) for one in entries
    ]


async def test_an_order_takes_its_own_stock_and_the_lines_in_the_order_of_expiry(empty):
    await empty.stage("S-1", "4", lot="LINE")
    await empty.stage("S-2", "4", lot="MINE", owner=ORDER)
    await count(empty, 0, 6)

    assert [("LINE", "4"), ("MINE", "2")] == await empty.rows("SELECT lot, quantity FROM posting_line")


async def test_memory_keeps_the_lots_with_something_left(empty):
    await empty.stage("S-1", "6")
    await empty.stage("S-2", "7", lot="B-2")
    await count(empty, 0, 6)

    assert ["B-2"] == [key.lot for key in empty.state.lots]


async def test_memory_keeps_no_used_up_lot(empty):
    await empty.stage("S-1", "6")
    await count(empty, 0, 6)

    assert ({}, {}) == (empty.state.lots, empty.state.stock)


async def test_a_lot_that_was_used_up_can_be_staged_again(empty):
    await empty.stage("S-1", "6")
    await count(empty, 0, 6)
    await empty.stage("S-2", "2")
    await count(empty, 8)

    assert ("8", "8", "0", "0") == empty.tally(GOOD)
    assert [("8", "8")] == await empty.rows("SELECT staged, consumed FROM lot_balance")


async def test_a_lot_that_grows_takes_its_place_among_its_equals(empty):
    for staging, lot, quantity in (("S-1", "A", "5"), ("S-2", "B", "10"), ("S-3", "A", "20")):
        await empty.stage(staging, quantity, lot=lot)
    await count(empty, 0, 1)

    assert [("B", "1")] == await empty.rows("SELECT lot, quantity FROM posting_line")


def test_alerts_of_one_place_and_owner_are_one_entry():
    work = make_work()
    for owner, at in (("qa", NOON), ("qa", day(1)), ("lab", NOON)):
        work_list.enter(
            work,
            ExceptionKind.ALERT,
            ("100045", "0040"),
            code="control-limit",
            reason=f"{owner} is told",
            quantity=Decimal(0),
            uom="",
            at=at,
            owner=owner,
        )

    assert [("qa", 2, NOON, day(1)), ("lab", 1, NOON, NOON)] == [
        (one.owner, one.count, one.first_event, one.last_event) for one in work.exceptions.changed.values()
    ]

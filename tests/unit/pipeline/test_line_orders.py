"""Orders at a line: started, finished, cleared; told by a person, a machine or the configuration."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.exception import ExceptionKind
from gateway.domain.line import LineOrder, LineState
from gateway.domain.order import OrderState
from gateway.errors import CommandRefused
from gateway.pipeline import line_orders
from tests.factories import NOON, make_order
from tests.unit.pipeline.test_run_rules import make_work

HOUR = timedelta(hours=1)


def start(work, order="100046", at=NOON):
    return line_orders.start(work, "L1", order, at, "operator")


def orders(work) -> list[str]:
    return [one.order for one in work.line_state("L1").orders]


def clearances(work) -> list[tuple]:
    found = [one for one in work.exceptions.changed.values() if one.kind is ExceptionKind.CLEARANCE]
    return [(one.scope, one.closed_by, one.count) for one in found]


def test_an_order_holds_from_its_start_on():
    work = make_work()
    start(work)

    assert ["100045", "100046"] == [work.active_order("L1", at) for at in (NOON - HOUR, NOON)]


def test_an_order_that_is_started_already_is_not_started_again():
    work = make_work()

    assert [False, True, False] == [start(work, "100045"), start(work), start(work, at=NOON + HOUR)]


def test_a_start_that_is_told_again_with_an_earlier_time_is_one_start():
    work = make_work(clearance=True)
    start(work)
    line_orders.clear(work, "L1", "100046", "operator")
    start(work, at=NOON - HOUR)

    assert ["100046"] == orders(work)
    assert work.active_order("L1", NOON - HOUR) == "100046"


def test_a_late_message_of_an_earlier_order_takes_its_place_in_time():
    work = make_work(configured=None)
    start(work, "100046", NOON)
    start(work, "100045", NOON - HOUR)

    assert ["100045", "100046"] == orders(work)


def test_a_finished_order_leaves_the_line_without_one():
    work = make_work()
    line_orders.finish(work, "L1", "100045", NOON, "FILLER-1.order")

    assert [None, "100045"] == [work.active_order("L1", at) for at in (NOON, NOON - HOUR)]


def test_finishing_another_order_than_the_lines_changes_nothing():
    work = make_work()

    assert False is line_orders.finish(work, "L1", "100046", NOON, "FILLER-1.order")


@pytest.mark.parametrize(
    ("line", "order", "why"),
    [
        ("L1", "4711", "order 4711 is not in the master data"),
        ("L9", "100045", "there is no line L9"),
        ("L1", "100047", "order 100047 is planned for line L2, not for L1"),
        ("L1", "100046", "order 100046 was closed"),
    ],
)
def test_an_order_that_cannot_be_started_is_refused_and_changes_nothing(line, order, why):
    work = make_work()
    elsewhere = make_order(order="100047", line="L2")
    master = work.model.master
    work.model = replace(work.model, master=replace(master, orders={**master.orders, "100047": elsewhere}))
    work.order_states["100046"] = OrderState(closed_at=NOON)
    with pytest.raises(CommandRefused, match=why):
        line_orders.start(work, line, order, NOON, "operator")

    assert [] == orders(work)


def test_a_change_of_order_asks_for_clearance_once_and_a_person_gives_it():
    work = make_work(clearance=True)
    start(work)
    asked = clearances(work)
    line_orders.clear(work, "L1", "100046", "anna")

    assert [(("L1", "100046"), "", 1)] == asked
    assert [(("L1", "100046"), "anna", 0)] == clearances(work)


def test_an_order_that_comes_back_is_cleared_for_again():
    work = make_work(clearance=True)
    start(work)
    line_orders.clear(work, "L1", "100046", "anna")
    start(work, "100045", NOON + HOUR)
    start(work, "100046", NOON + 2 * HOUR)

    assert [(("L1", "100046"), "anna"), (("L1", "100045"), ""), (("L1", "100046"), "")] == [
        one[:2] for one in clearances(work)
    ]


def test_a_change_that_is_told_again_with_an_earlier_time_is_cleared_from_then_on():
    work = make_work(clearance=True)
    for at in (NOON, NOON + HOUR, NOON - HOUR):
        line_orders.ask_for_clearance(work, "L1", "100046", at)
    line_orders.clear(work, "L1", "100046", "anna")

    assert (LineOrder(NOON - HOUR, "100046"),) == work.line_state("L1").cleared


def test_the_first_order_of_a_line_without_one_is_asked_for_by_its_name_alone():
    work = make_work(clearance=True, configured=None)
    line_orders.ask_for_clearance(work, "L1", "100046", NOON)

    assert ["line L1 has to be cleared for order 100046"] == [one.reason for one in work.exceptions.changed.values()]


def test_the_material_of_a_finished_order_is_still_cleared_away():
    work = make_work(clearance=True)
    line_orders.finish(work, "L1", "100045", NOON, "operator")
    start(work, at=NOON + HOUR)

    assert [(("L1", "100046"), "", 1)] == clearances(work)


def test_clearing_a_cleared_line_changes_nothing():
    work = make_work(clearance=True)
    start(work)

    assert [True, False] == [line_orders.clear(work, "L1", "100046", "anna") for _ in range(2)]


def test_a_label_is_approved_once():
    work = make_work()

    assert [True, False] == [line_orders.approve_label(work, "100045", "quality") for _ in range(2)]


def test_the_configurations_first_order_was_there_from_the_beginning():
    work = make_work()

    assert LineState(configured="100045") == work.line_state("L1")


def test_another_active_order_in_the_configuration_is_a_change():
    work = make_work(clearance=True)
    work.model = replace(work.model, active_orders={"L1": "100046"})
    line_orders.configured(work)

    assert ["100045", "100046"] == [work.active_order("L1", at) for at in (NOON - HOUR, NOON)]
    assert [(("L1", "100046"), "", 1)] == clearances(work)


def test_the_same_configuration_does_not_undo_what_an_operator_started():
    work = make_work()
    start(work)
    line_orders.configured(work)

    assert "100046" == work.active_order("L1", NOON)


def test_a_configuration_without_an_active_order_takes_it_away():
    work = make_work()
    work.model = replace(work.model, active_orders={"L1": None})
    line_orders.configured(work)

    assert [None, "100045"] == [work.active_order("L1", at) for at in (NOON, NOON - HOUR)]

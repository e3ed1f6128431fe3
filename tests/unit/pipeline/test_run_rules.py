"""The rules a trigger has to keep before it may post, and what repairs them."""

from dataclasses import replace
from fractions import Fraction

import pytest

from gateway.domain.bom import BomOperation
from gateway.domain.clock import ClockTrust
from gateway.domain.exception import ExceptionKind
from gateway.domain.line import Line
from gateway.domain.order import OrderState, Pin
from gateway.formats.canonical import Place
from gateway.pipeline import line_orders
from gateway.pipeline.model import LineModel
from gateway.pipeline.run_rules import broken
from gateway.pipeline.state import State
from gateway.pipeline.working_copy import WorkingCopy
from gateway.store.batch import Head
from gateway.store.load import NextIds
from tests.factories import NOON, day, make_bom, make_master, make_order, make_trigger
from tests.unit.pipeline.bench import Bench

TRUSTED = ClockTrust("kernel", 8)
LATER = make_order(order="100046", active=False)


def make_line_master(*, clearance: bool = False, label: bool = False):
    operations = (BomOperation("0010", "bottle", Fraction(12)), BomOperation("0030", "EA", label_approval=label))
    master = make_master(bom=make_bom(operations=operations))
    lines = {"L1": Line("L1", line_clearance=clearance)}
    return replace(master, orders={**master.orders, LATER.order: LATER}, lines=lines)


def make_work(*, clock: ClockTrust = TRUSTED, activated: bool = True, configured="100045", **rules) -> WorkingCopy:
    model = LineModel({}, make_line_master(**rules), {"L1": configured}, activated=activated, configuration="sha256:7")
    work = WorkingCopy(State(Head(0, b"", 0), NextIds()), model, Place("PLANT1", "s1", NOON, clock))
    line_orders.configured(work)
    return work


def code(work, **trigger) -> str | None:
    blocked = broken(work, make_trigger(**trigger))
    return blocked and blocked.code


def test_a_trigger_that_breaks_no_rule_may_post():
    assert broken(make_work(clearance=True, label=True), make_trigger()) is None


def test_a_configuration_that_nobody_signed_posts_nothing():
    blocked = broken(make_work(activated=False), make_trigger())

    assert ("not-activated", "configuration sha256:7 takes effect once somebody has signed it") == (
        blocked.code,
        blocked.reason,
    )


def test_a_clock_that_is_not_trusted_posts_nothing_and_says_why():
    blocked = broken(make_work(clock=ClockTrust("none", 75_000, "the clock may be wrong by 75 s")), make_trigger())

    assert ("clock", "the clock may be wrong by 75 s") == (blocked.code, blocked.reason)


def test_packout_waits_for_the_orders_label():
    work = make_work(label=True)

    assert ("label", None) == (code(work, operation="0030"), code(work, operation="0010"))


def test_an_approved_label_releases_packout():
    work = make_work(label=True)
    line_orders.approve_label(work, "100045", "quality")

    assert code(work, operation="0030") is None


def test_the_label_is_asked_for_in_the_version_of_the_events_time():
    work = make_work(label=True)
    old = replace(make_bom(), version="2")
    master = work.model.master
    work.model = replace(work.model, master=replace(master, boms={**master.boms, (old.bom, old.version): old}))
    work.order_states["100045"] = OrderState(pins=(Pin(day(-2), "2"), Pin(NOON, "3")))

    assert [None, "label"] == [code(work, operation="0030", source_time=at) for at in (day(-1), day(1))]


@pytest.mark.parametrize("order", ["", "4711"])
def test_an_order_that_is_not_known_is_the_engines_to_refuse(order):
    assert code(make_work(label=True), order=order, operation="0030") is None


def test_the_first_order_of_a_line_changes_nothing():
    assert code(make_work(clearance=True)) is None


def test_after_a_change_of_order_the_line_has_to_be_cleared():
    work = make_work(clearance=True)
    line_orders.start(work, "L1", "100046", NOON, "operator")

    assert "line-clearance" == code(work, order="100046")


def test_a_cleared_line_posts_again():
    work = make_work(clearance=True)
    line_orders.start(work, "L1", "100046", NOON, "operator")
    line_orders.clear(work, "L1", "100046", "operator")

    assert code(work, order="100046") is None


def test_late_units_of_the_former_order_still_post_after_the_change():
    work = make_work(clearance=True)
    line_orders.start(work, "L1", "100046", NOON, "operator")
    line_orders.clear(work, "L1", "100046", "operator")

    assert code(work, order="100045", source_time=day(-1)) is None


def test_an_order_that_only_the_machine_names_needs_clearance_too():
    work = make_work(clearance=True)
    before = code(work, order="100046")
    line_orders.clear(work, "L1", "100046", "operator")

    assert ["line-clearance", None] == [before, code(work, order="100046")]


def test_a_line_without_clearance_takes_every_order():
    work = make_work()
    line_orders.start(work, "L1", "100046", NOON, "operator")

    assert code(work, order="100046") is None


def changes_over(work, order: str, at) -> None:
    line_orders.ask_for_clearance(work, "L1", order, at)
    line_orders.clear(work, "L1", order, "operator")


def machine_says(work, order: str, at, **event) -> str | None:
    trigger = make_trigger(source_time=at, **event)
    return getattr(broken(work, trigger._replace(order=order, event=trigger.event._replace(order=order))), "code", None)


def test_a_machine_that_names_a_former_order_again_waits_for_clearance():
    work = make_work(clearance=True)
    changes_over(work, "100046", NOON)

    assert [None, "line-clearance"] == [machine_says(work, order, day(1)) for order in ("100046", "100045")]


def test_late_units_of_the_order_that_the_machine_left_still_post():
    work = make_work(clearance=True)
    changes_over(work, "100046", NOON)
    changes_over(work, "100045", day(2))

    assert [None, None, None] == [
        machine_says(work, order, at) for order, at in (("100045", day(-1)), ("100046", day(1)), ("100045", day(2)))
    ]


def test_what_a_person_enters_for_a_former_order_is_no_change_of_order():
    work = make_work(clearance=True)
    changes_over(work, "100046", NOON)

    assert machine_says(work, "100045", day(1), person="anna") is None


def test_an_order_that_is_in_no_master_data_is_not_cleared_for():
    assert machine_says(make_work(clearance=True), "4711", NOON) is None


def test_each_change_of_order_that_a_machine_reports_is_asked_for_once():
    bench = Bench(line=Line("L1", line_clearance=True))
    for order in ("100045", "100046", "100046"):
        bench.count(order=order)
    line_orders.clear(bench.work, "L1", "100046", "operator")
    bench.commit()
    bench.count(order="100045", at=60)

    assert ["line L1 changed from order 100046 to 100045: it has to be cleared of what 100046 left"] == [
        one.reason
        for one in bench.work.exceptions.changed.values()
        if one.kind is ExceptionKind.CLEARANCE and one.closed_at is None
    ]

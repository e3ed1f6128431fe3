"""The orders' view: by which bill an order is made, and what it costs to look."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.api.views.orders import overviews
from gateway.domain.line import LineOrder, LineState
from gateway.domain.order import OrderState, Pin, Progress
from tests.factories import NOON, day, make_bom, make_master, make_order

ONE = Progress(Decimal(1))


class Counted(dict):
    """What was made, and how often all of it was walked through."""

    walks = 0

    def items(self):
        self.walks += 1
        return super().items()


class Told:
    """Views of a store that says this."""

    def __init__(self, states=(), progress=(), lines=()) -> None:
        self.states, self.made, self.lines = dict(states), Counted(progress), dict(lines)

    async def line_states(self):
        return self.lines

    async def order_states(self, _):
        return self.states

    async def progress(self, _):
        return self.made


async def bill_of(master, state: OrderState | None = None):
    (one,) = await overviews(Told({"100045": state} if state else {}), master, NOON)
    return one["bom"] and one["bom"]["version"]


def make_versions(**changes):
    order = make_order(bom_version="")
    more = [make_bom(version="9"), make_bom(version="10", **changes)]
    return make_master(order=order, more=more)


async def test_version_ten_comes_after_version_nine():
    assert await bill_of(make_versions()) == "10"


@pytest.mark.parametrize("effect", [{"effective_from": day(1)}, {"effective_to": day(-1)}, {"approved": False}])
async def test_a_version_that_is_not_effective_now_is_not_what_the_order_is_made_by(effect):
    assert await bill_of(make_versions(**effect)) == "9"


async def test_a_pin_from_tomorrow_on_is_not_yet_in_force():
    pins = (Pin(NOON - timedelta(hours=1), "9"), Pin(day(1), "10"))

    assert await bill_of(make_versions(), OrderState(pins=pins)) == "9"


async def test_progress_is_walked_through_once_for_all_orders():
    told = Told(progress={(str(number), "0010"): ONE for number in range(50)})

    found = await overviews(told, make_master(), NOON)

    assert len(found) == 51
    assert told.made.walks == 1


async def test_one_order_is_all_that_is_looked_at_where_one_is_asked_for():
    (found,) = await overviews(Told(progress={("100045", "0010"): ONE}), make_master(), NOON, "100045")

    assert found["operations"] == [{"operation": "0010", "uom": "bottle", "good": "1", "scrap": "0", "rework": "0"}]


@pytest.mark.parametrize(
    ("started", "active"),
    [
        ((), "100045"),
        (("100046",), "100046"),
        (("100046", ""), None),
        (("100046", "100045"), "100045"),
    ],
)
async def test_the_active_order_is_the_one_the_line_works_on(started: tuple[str, ...], active: str | None):
    master = make_master(order=make_order(active=True))
    other = replace(master.orders["100045"], order="100046", active=False)
    master = replace(master, orders={**master.orders, "100046": other})
    state = LineState(tuple(LineOrder(NOON - timedelta(hours=9 - n), order) for n, order in enumerate(started)))

    found = await overviews(Told(lines={"L1": state}), master, NOON)

    assert ([active] if active else []) == [one["order"] for one in found if one["active"]]

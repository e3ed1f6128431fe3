"""Random triggers over random bills and lots: exact in sum, never negative, all or nothing, first expiry first."""

import copy
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from gateway.backflush.allocate import first_expiry
from gateway.backflush.explode import explode
from gateway.backflush.issue import Blocked
from gateway.backflush.step import step
from gateway.domain.bom import ScrapBasis
from gateway.domain.posting import Use
from gateway.domain.quantity import Rounding, RoundingMode, rounded
from tests.factories import LINE, NOON, ORDER, Shelf, day, make_bom, make_component, make_lot, make_master, make_trigger

PLENTY = "900000000000"

quantities = st.decimals(Decimal("0.01"), Decimal(1000), places=2)
rounding = st.builds(Rounding, st.integers(0, 4), st.sampled_from(RoundingMode))
components = st.builds(
    make_component,
    st.sampled_from(("GLUE", "CAP")),
    st.decimals(Decimal("0.001"), Decimal(50), places=3),
    component_scrap=st.fractions(0, Fraction(1, 2), max_denominator=200),
    scrap_basis=st.sampled_from(ScrapBasis),
    rounding=rounding,
)
bills = st.builds(
    lambda components, base: make_bom(
        *(make_component_on(line, one) for line, one in enumerate(components, 1)), base_quantity=base
    ),
    st.lists(components, min_size=1, max_size=3),
    st.sampled_from((Decimal(1), Decimal(7), Decimal(9), Decimal(1000))),
)
lots = st.lists(
    st.builds(
        make_lot,
        st.sampled_from(("L1", "L2", "L3", "L4")),
        st.decimals(Decimal(0), Decimal(300), places=2),
        item=st.sampled_from(("GLUE", "CAP")),
        owner=st.sampled_from((LINE, ORDER)),
        expires_at=st.sampled_from((None, day(-1), day(1), day(2))),
        received_at=st.sampled_from((NOON, day(-1))),
    ),
    max_size=8,
)
events = st.lists(quantities, min_size=1, max_size=12)


def make_component_on(line: int, component):
    return make_component(
        component.item,
        str(component.quantity),
        line=f"{line:04}",
        component_scrap=component.component_scrap,
        scrap_basis=component.scrap_basis,
        rounding=component.rounding,
    )


def plan_of(master):
    order = master.orders["100045"]
    bom = master.boms[order.bom, order.bom_version]
    return explode(master, order, bom.operation("0010"))


@given(bills, events)
def test_n_triggers_sum_exactly_to_the_rounded_requirement_of_the_total(bom, quantities):
    master = make_master(bom=bom)
    shelf = Shelf(*(make_lot(item, PLENTY, item=item) for item in ("GLUE", "CAP")))
    counted = Fraction(0)
    for quantity in quantities:
        before = {one.key: shelf.requirement(one.key).committed for one in plan_of(master).components}
        outcome = step(shelf, master, make_trigger(str(quantity)))
        shelf.take(outcome.changes)
        counted += Fraction(quantity)
        for one in plan_of(master).components:
            needed = counted * Fraction(one.numerator, one.denominator)
            expected = max(rounded(*needed.as_integer_ratio(), one.component.rounding), before[one.key])

            assert expected == shelf.requirement(one.key).committed

    issued = sum(one.consumed for one in shelf.balances.values())

    assert sum(one.committed for one in shelf.requirements.values()) == issued


@given(bills, lots, events)
def test_lots_balance_are_never_negative_and_a_blocked_trigger_changes_nothing(bom, staged, quantities):
    master, shelf = make_master(bom=bom), Shelf(*staged)
    begin = {key: one.staged for key, one in shelf.balances.items()}
    for quantity in quantities:
        before = copy.deepcopy(vars(shelf))
        outcome = step(shelf, master, make_trigger(str(quantity)))

        assert before == vars(shelf)

        if isinstance(outcome, Blocked):
            continue
        shelf.take(outcome.changes)
        taken = {key: one.consumed - before["balances"][key].consumed for key, one in outcome.changes.lots.items()}
        issued = sum(line.quantity for line in outcome.posting.lines if line.use is Use.CONSUMED)

        assert issued == sum(taken.values())
        assert {key for key, one in outcome.changes.lots.items() if not one.left} == set(outcome.changes.used_up)

    assert all(one.left >= 0 for one in shelf.balances.values())
    assert begin == {key: one.consumed + one.left for key, one in shelf.balances.items()}


@given(bills, lots, events)
def test_nothing_is_taken_from_a_lot_while_an_eligible_one_expires_earlier(bom, staged, quantities):
    master, shelf = make_master(bom=bom), Shelf(*staged)
    for quantity in quantities:
        outcome = step(shelf, master, make_trigger(str(quantity)))
        if isinstance(outcome, Blocked):
            continue
        touched = outcome.changes.lots
        for key in touched:
            same = [
                one for one in shelf.lots((LINE, ORDER), key.item) if one.expires_at is None or one.expires_at > NOON
            ]
            earlier = [one for one in same if first_expiry(one) < first_expiry(shelf.balances[key])]

            assert all(one.key in touched and not touched[one.key].left for one in earlier)
            assert shelf.balances[key] in same
        shelf.take(outcome.changes)

"""Random triggers over random bills and lots: exact in sum, never negative, all or nothing, first expiry first."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from gateway.backflush.allocate import first_expiry
from gateway.backflush.outcome import Blocked
from gateway.backflush.plan import plan
from gateway.backflush.settle import settle
from gateway.backflush.step import step
from gateway.domain.bom import Alternate, ScrapBasis, Shortage, Strategy
from gateway.domain.document import Backlog
from gateway.domain.event import EventKind
from gateway.domain.quantity import Rounding, RoundingMode, rounded
from gateway.domain.use import Use
from tests.factories import (
    LINE,
    NOON,
    ORDER,
    Shelf,
    day,
    make_bom,
    make_component,
    make_lot,
    make_master,
    make_phantom,
    make_trigger,
)

PLENTY = "900000000000"
ITEMS = ("GLUE", "CAP", "PIN")

quantities = st.decimals(Decimal("0.01"), Decimal(1000), places=2)
percentages = st.fractions(0, Fraction(1, 2), max_denominator=200)
packs = st.sampled_from((None, None, Decimal("2.5"), Decimal(12)))
rounding = st.builds(Rounding, st.integers(0, 4), st.sampled_from(RoundingMode), packs)
plain = st.builds(
    make_component,
    st.sampled_from(("GLUE", "CAP")),
    st.decimals(Decimal("0.001"), Decimal(50), places=3).map(str),
    component_scrap=percentages,
    scrap_basis=st.sampled_from(ScrapBasis),
    rounding=rounding,
)
special = st.builds(
    replace,
    plain,
    fixed=st.booleans(),
    setup_scrap=st.decimals(Decimal(0), Decimal(20), places=1),
    operation_scrap=st.none() | percentages,
    component_yield=st.sampled_from((Fraction(1), Fraction(9, 10))),
    alternates=st.sampled_from(((), (Alternate("PIN", share=Fraction(1, 3)),), (Alternate("PIN"),))),
    allocation=st.sampled_from(Strategy),
    use=st.sampled_from((Use.CONSUMED, Use.CONSUMED, Use.BY_PRODUCT)),
)
phantoms = st.builds(replace, special, item=st.just("SET"), phantom=st.just(True), alternates=st.just(()))


def bills_of(components):
    return st.builds(
        lambda found, base, scrap: make_bom(
            *(replace(one, line=f"{line:04}") for line, one in enumerate(found, 1)),
            base_quantity=base,
            assembly_scrap=scrap,
        ),
        st.lists(components, min_size=1, max_size=3),
        st.sampled_from((Decimal(1), Decimal(7), Decimal(9), Decimal(1000))),
        percentages,
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
kinds = st.sampled_from((EventKind.GOOD_UNITS, EventKind.SCRAP_UNITS, EventKind.REWORK_UNITS))


def contents(shelf):
    return {name: dict(values) for name, values in vars(shelf).items()}


def plan_of(master):
    return plan(master, "100045", "3", "0010")


def plenty():
    return Shelf(*(make_lot(item, PLENTY, item=item) for item in ITEMS))


@given(bills_of(special | plain | phantoms), st.lists(st.tuples(quantities, kinds), min_size=1, max_size=12), special)
def test_n_triggers_sum_exactly_to_the_rounded_requirement_of_the_total(bom, triggers, part):
    master = make_master(bom=bom, more=[make_phantom("SET", part)])
    shelf, counted = plenty(), Fraction(0)
    for quantity, kind in triggers:
        before = {one.key: shelf.requirement(one.key).committed for one in plan_of(master).good}
        outcome = step(shelf, master, make_trigger(str(quantity), kind=kind))
        shelf.take(outcome.changes)
        counted += Fraction(quantity)
        for one in plan_of(master).good:
            needed = counted * Fraction(one.numerator, one.denominator) + Fraction(*one.once)
            expected = max(rounded(*needed.as_integer_ratio(), one.component.rounding), before[one.key])

            assert expected == shelf.requirement(one.key).committed

    issued = sum(one.consumed for one in shelf.balances.values())
    consumed = {one.key for one in plan_of(master).good if one.component.use is Use.CONSUMED}

    assert sum(shelf.requirement(key).committed for key in consumed) == issued


@given(bills_of(plain), lots, events)
def test_the_fast_way_of_plain_components_comes_to_the_same_as_the_general_one(bom, staged, quantities):
    general = replace(bom, components=tuple(replace(one, location="L1-FILL") for one in bom.components))
    shelf, master, other = Shelf(*staged), make_master(bom=bom), make_master(bom=general)

    assert all(one.plain for one in plan_of(master).good)
    assert not any(one.plain for one in plan_of(other).good)

    for quantity in quantities:
        trigger = make_trigger(str(quantity))
        outcome = step(shelf, master, trigger)

        assert outcome == step(shelf, other, trigger)

        if not isinstance(outcome, Blocked):
            shelf.take(outcome.changes)


@given(bills_of(special | plain), lots, events)
def test_lots_balance_are_never_negative_and_a_blocked_trigger_changes_nothing(bom, staged, quantities):
    master, shelf = make_master(bom=bom), Shelf(*staged)
    begin = {key: one.staged for key, one in shelf.balances.items()}
    for quantity in quantities:
        before = contents(shelf)
        outcome = step(shelf, master, make_trigger(str(quantity)))

        assert before == contents(shelf)

        if isinstance(outcome, Blocked):
            continue
        shelf.take(outcome.changes)
        taken = {key: one.consumed - before["balances"][key].consumed for key, one in outcome.changes.lots.items()}
        lines = [line for line in outcome.bookings[0].lines if line.use is Use.CONSUMED]

        assert sum(line.quantity for line in lines) == sum(taken.values())
        assert {key for key, one in outcome.changes.lots.items() if not one.left} == set(outcome.changes.used_up)

    assert all(one.left >= 0 for one in shelf.balances.values())
    assert begin == {key: one.consumed + one.left for key, one in shelf.balances.items()}


@given(bills_of(plain), lots, events)
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


@given(bills_of(st.builds(replace, plain, on_shortage=st.just(Shortage.SPLIT))), lots, events)
def test_what_splits_is_issued_or_owed_and_settles_to_what_was_committed(bom, staged, quantities):
    master, shelf, owed = make_master(bom=bom), Shelf(*staged), []
    trigger = make_trigger()
    for quantity in quantities:
        outcome = step(shelf, master, make_trigger(str(quantity)))
        shelf.take(outcome.changes)
        owed += outcome.backlogs
    issued = sum(one.consumed for one in shelf.balances.values())
    committed = sum(one.committed for one in shelf.requirements.values())

    assert committed == issued + sum(quantity for _, quantity in owed)

    for item in ("GLUE", "CAP"):
        lot = make_lot("NEW", PLENTY, item=item)
        shelf.balances[lot.key] = lot
    for key, quantity in owed:
        shelf.take(settle(shelf, master, trigger, Backlog(1, 1, 1, key, quantity)).changes)

    assert committed == sum(one.consumed for one in shelf.balances.values())

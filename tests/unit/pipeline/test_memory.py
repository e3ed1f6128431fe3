"""What memory keeps besides the store: the order of lots, sums, and ways in that nobody has to walk."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.backflush.outcome import Changes
from gateway.domain.bom import BomOperation, Method, Shortage
from gateway.domain.command import CloseOrder, IssueLot, Residual
from gateway.domain.line import Cumulation
from gateway.domain.lot import LotBalance
from gateway.pipeline import documents, replenishment, stock, working_copy
from gateway.pipeline.state import State, stock_index
from gateway.pipeline.writer import load_state
from gateway.store.batch import Head
from gateway.store.load import NextIds
from tests.factories import NOON, day, make_bom, make_component, make_lot, make_master
from tests.unit.pipeline.bench import PACKER, Bench, second
from tests.unit.pipeline.office import make_packed, make_packers, office


class NotWalked(dict[Any, Any]):
    """A dictionary of which only single entries may be read."""

    def walk(self, *_: object) -> Any:
        raise AssertionError("somebody walks through everything")

    __iter__ = keys = values = items = walk


def make_bench(lots: Sequence[LotBalance], **more) -> Bench:
    bench = Bench(**more)
    bench.state = State(Head(0, b"", 0), NextIds(), lots={one.key: one for one in lots})
    bench.begin()
    return bench


def make_many(number: int) -> list[LotBalance]:
    return [make_lot(f"B-{one:05}", "1000", received_at=NOON + timedelta(seconds=one)) for one in range(number)]


# --- lots -------------------------------------------------------------------------------------------


async def test_lots_are_listed_after_an_issue_as_they_are_after_a_restart(tmp_path):
    scanned = make_component("CARTON-12", "1", operation="0030", method=Method.SCAN)
    async with office(tmp_path, make_packers(make_packed(scanned))) as plant:
        await plant.put("S-1", "5", lot="A")
        await plant.put("S-2", "10", lot="B")
        await plant.ask(IssueLot("I-1", "100045", "0030", "CARTON-12", "B", Decimal(8), "EA"))
        (listed,) = plant.state.stock.values()

        assert ["B", "A"] == [key.lot for key in listed]
        assert plant.state.stock == (await load_state(plant.store)).stock


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ABCDEF"),
            st.integers(0, 3).map(Decimal),
            st.sampled_from((day(1), None)),
            st.booleans(),
        )
    )
)
def test_the_list_is_in_order_whatever_becomes_of_the_lots(changes):
    bench = make_bench([])
    for lot, left, expires_at, engine in changes:
        one = make_lot(lot, str(left), expires_at=expires_at)
        before = bench.work.lot_balances.get(one.key)
        if engine and before and before.left >= left:  # consumed: nothing but the rest becomes another
            one = before._replace(consumed=before.staged - left)
            bench.work.take_over(Changes(lots={one.key: one}, used_up=[] if left else [one.key]))
        else:
            bench.work.put_lot(one)
        if engine:
            bench.commit()
    bench.commit()

    assert stock_index(bench.state.lots.values()) == bench.state.stock
    assert {shelf: sum(bench.state.lots[key].left for key in keys) for shelf, keys in bench.state.stock.items()} == (
        bench.state.staged
    )


def test_a_lot_finds_its_place_without_a_look_at_each(monkeypatch):
    bench, looks = make_bench(make_many(1000)), count()
    order = working_copy.first_expiry
    monkeypatch.setattr(working_copy, "first_expiry", lambda lot: (next(looks), order(lot))[1])
    bench.work.put_lot(make_lot("NEW", "5"))

    assert next(looks) < 30


def test_a_scanned_lot_is_found_without_a_walk():
    bench = make_bench(make_many(10))
    bench.state.lots = NotWalked(bench.state.lots)
    bench.begin()

    assert stock.scan_in(bench.work, "L1", "BOTTLE-500", "B-00003", NOON, person="anna") == 1


def test_a_dropped_batch_leaves_the_list_as_it_was():
    bench = make_bench(make_many(3))
    before = {shelf: list(keys) for shelf, keys in bench.state.stock.items()}
    bench.work.put_lot(make_lot("NEW", "5", expires_at=day(1)))
    bench.begin()

    assert before == bench.state.stock


def test_what_is_left_of_an_item_is_summed_up_of_the_changes_only():
    low = {"BOTTLE-500": {"reorder_point": Decimal(9990)}}
    bench = make_bench(make_many(10), master=make_master(item_facts=low))
    bench.state.lots = NotWalked(bench.state.lots)
    bench.state.stock = {shelf: NoIteration(keys) for shelf, keys in bench.state.stock.items()}
    bench.begin()
    lot = make_many(10)[0]
    bench.work.lot_balances[lot.key] = lot.consume(Decimal(10))
    replenishment.signal(bench.work)

    assert [Decimal(9990)] == [one.shortfall.left for one in bench.posted]


class NoIteration(list[Any]):
    """A list that nobody goes through."""

    def __iter__(self):
        raise AssertionError("somebody goes through each lot")


# --- open documents ---------------------------------------------------------------------------------


def make_deferred(number: int, **more) -> Bench:
    """So many fillings whose issues wait for eight hours, and nobody walks through the documents."""
    operations = (BomOperation("0010", "bottle", Fraction(12), defer=timedelta(hours=8)), BomOperation("0030", "EA"))
    bench = Bench(master=make_master(bom=make_bom(operations=operations)), **more)
    for one in range(number):
        bench.count(at=one)
    bench.commit()
    bench.state.documents = NotWalked(bench.state.documents)
    bench.begin()
    return bench


def test_a_turn_walks_through_no_open_documents():
    bench = make_deferred(3)
    documents.close_due(bench.work)
    bench.count()
    bench.commit()

    assert ([], 4) == (bench.posted, len(bench.state.documents))


def test_what_is_due_is_closed_without_a_walk():
    bench = make_deferred(3)
    bench.begin(second(8 * 3600))
    documents.close_due(bench.work)

    assert ["deferred"] * 3 == [one.window[2] for one in bench.posted]


def test_a_change_of_order_finds_the_machines_windows_without_a_walk():
    bench = make_deferred(1, cumulate=Cumulation(window=timedelta(hours=1)))
    bench.count(order="100045")
    bench.count(order="100046", signal=PACKER)

    assert ["100046"] == [one.order for one in bench.posted]


def test_the_posting_that_was_followed_is_forgotten_with_its_last_follower():
    bench = make_deferred(2)
    before = dict(bench.state.seqs)
    bench.begin(second(8 * 3600))
    documents.close_due(bench.work)
    bench.commit()

    assert (2, {}) == (len(before), bench.state.seqs)


def test_what_an_operation_is_owed_is_found_without_a_walk():
    parts = (
        make_component(on_shortage=Shortage.SPLIT),
        make_component("CARTON-12", "1", line="0020", operation="0030", on_shortage=Shortage.SPLIT),
    )
    bench = make_bench([], master=make_master(bom=make_bom(*parts)))
    bench.count()
    bench.count(signal=PACKER)
    bench.commit()
    bench.state.backlogs = NotWalked(bench.state.backlogs)
    bench.begin()

    assert ["0010"] == [one.key.bom_line for one in bench.work.owed("100045", "0010")]


# --- orders -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("restarted", [False, True])
async def test_what_only_a_closed_orders_postings_need_is_not_kept_in_memory(tmp_path, restarted):
    async with office(tmp_path, make_packers(), {"quantity": "20"}) as plant:
        await plant.pack("10")
        await plant.ask(CloseOrder("100045", Residual.LEAVE, "surplus"))
        state = await load_state(plant.store) if restarted else plant.state

        assert ({}, {}, {}, {}) == (state.requirements, state.progress, state.span_heads, state.shadows)
        assert state.order_states["100045"].closed_at == NOON


async def test_a_late_event_of_a_closed_order_waits_still(tmp_path):
    async with office(tmp_path, make_packers(), {"quantity": "20"}) as plant:
        await plant.pack("10")
        await plant.ask(CloseOrder("100045", Residual.LEAVE, "surplus"))
        await plant.pack("1")

        assert ["order-closed"] == [one.code for one in plant.state.exceptions.values()]

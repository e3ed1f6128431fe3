from collections import defaultdict
from decimal import Decimal

import pytest

from gateway.errors import DataError
from gateway.store.genealogy import genealogy
from gateway.store.genealogy.tree import Scope
from gateway.store.reading import read
from tests.unit.store.bottling import FIRST, SECOND, Bottling, make_content, used


@pytest.fixture
def plant(store) -> Bottling:
    return Bottling(store)


def ask(plant: Bottling, **question):
    return read(plant.store.path, lambda raw: genealogy(raw, **question))


def case_of(plant: Bottling, sscc: str = FIRST):
    (case,) = ask(plant, sscc=sscc).cases
    return case


def lots_of(case) -> dict[tuple[str, str], str]:
    """Return the quantity of each (operation, lot) in a case, over all documents."""
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for operation in case.operations:
        for component in operation.components:
            for lot in component.lots:
                sums[operation.operation, lot.lot] += lot.quantity
    return {key: str(quantity) for key, quantity in sums.items()}


def cases_of(plant: Bottling, lot: str) -> list[str]:
    return [
        case["sscc"]
        for trace in ask(plant, lot=lot).lots
        for order in trace.orders
        for finished in order.finished_lots
        for case in finished.cases
    ]


async def make_two_cases(plant: Bottling) -> None:
    """Two cases; the bottles' lot changes within the second, and triggers don't end where cases do."""
    plant.stage("BOTTLE", "B-1", "Glassworks")
    plant.count("0010", 10, used("BOTTLE", "B-1", "10"))
    plant.count("0010", 8, used("BOTTLE", "B-1", "8"))
    plant.count("0010", 6, used("BOTTLE", "B-2", "6"))
    plant.count("0020", 24, used("CAP", "C-1", "24"))
    plant.count("0030", 1, used("CARTON", "K-1", "1"), sscc=FIRST)
    plant.count("0030", 1, used("CARTON", "K-1", "1"), sscc=SECOND)
    await plant.commit()


async def test_a_case_names_the_lots_of_every_operation(plant):
    await make_two_cases(plant)

    case = case_of(plant)

    assert lots_of(case) == {("0010", "B-1"): "12", ("0020", "C-1"): "12", ("0030", "K-1"): "1"}
    assert (case.order, case.finished_lot, case.seq, case.incomplete) == ("100045", "C-1", 5, ())


async def test_a_trigger_that_is_cut_by_the_boundary_gives_its_share(plant):
    await make_two_cases(plant)

    assert lots_of(case_of(plant, SECOND)) == {
        ("0010", "B-1"): "6",
        ("0010", "B-2"): "6",
        ("0020", "C-1"): "12",
        ("0030", "K-1"): "1",
    }


async def test_a_share_that_never_ends_is_rounded_at_the_twelfth_decimal(plant):
    plant.count("0010", 18, used("BOTTLE", "B-1", "10"))
    plant.count("0030", 1, sscc=FIRST)
    await plant.commit()

    assert lots_of(case_of(plant)) == {("0010", "B-1"): "6.666666666667"}


async def test_a_lot_names_supplier_posting_device_and_time(plant):
    await make_two_cases(plant)

    lot = case_of(plant).operations[0].components[0].lots[0]

    assert (lot.supplier, lot.seq, lot.devices, lot.first) == (
        "Glassworks",
        1,
        ("FILLER-1",),
        "2026-11-21T10:00:01.000Z",
    )


@pytest.mark.parametrize("code", [FIRST, f"(00){FIRST}", f"00{FIRST}"])
async def test_a_case_is_found_however_its_number_is_written(plant, code):
    await make_two_cases(plant)

    assert len(ask(plant, sscc=code).cases) == 1


async def test_a_wrong_check_digit_is_refused(plant):
    await make_two_cases(plant)

    with pytest.raises(DataError, match="Expected 8, got 9"):
        ask(plant, sscc="106141412345678909")


async def test_what_an_operation_has_not_counted_yet_is_incomplete(plant):
    plant.count("0010", 9, used("BOTTLE", "B-1", "9"))
    plant.count("0030", 1, used("CARTON", "K-1", "1"), sscc=FIRST)
    await plant.commit()

    case = case_of(plant)

    assert case.incomplete == ("0010", "0020")
    assert [(one.operation, one.covered) for one in case.operations] == [("0010", "3/4"), ("0030", "1")]


async def test_later_units_complete_it(plant):
    plant.count("0030", 1, used("CARTON", "K-1", "1"), sscc=FIRST)
    plant.count("0010", 15, used("BOTTLE", "B-1", "15"))
    plant.count("0020", 12, used("CAP", "C-1", "12"))
    await plant.commit()

    assert case_of(plant).incomplete == ()


async def test_an_open_window_is_included(plant):
    plant.gather("0010", (6, (used("BOTTLE", "B-1", "6"),)), (12, (used("BOTTLE", "B-1", "12"),)))
    plant.count("0030", 1, used("CARTON", "K-1", "1"), sscc=FIRST)
    await plant.commit()

    lot = case_of(plant).operations[0].components[0].lots[0]

    assert (lot.lot, lot.quantity, lot.seq) == ("B-1", Decimal(12), None)
    assert cases_of(plant, "B-1") == [FIRST]


async def test_a_closed_window_says_the_same_with_its_seq(plant):
    window = plant.gather("0010", (6, (used("BOTTLE", "B-1", "6"),)), (12, (used("BOTTLE", "B-1", "12"),)))
    plant.count("0030", 1, used("CARTON", "K-1", "1"), sscc=FIRST)
    await plant.commit()
    seq = plant.close(window)
    await plant.commit()

    lot = case_of(plant).operations[0].components[0].lots[0]

    assert (lot.lot, lot.quantity, lot.seq) == ("B-1", Decimal(12), seq)


async def test_a_reversed_case_is_marked_with_what_was_in_it(plant):
    plant.count("0010", 12, used("BOTTLE", "B-1", "12"))
    sealed = plant.count("0030", 1, used("CARTON", "K-1", "1"), sscc=FIRST)
    await plant.commit()
    mirror = plant.reverse(sealed, plant.seq)
    await plant.commit()

    case = case_of(plant)
    carton = case.operations[-1].components[0].lots[0]

    assert case.reversed
    assert (carton.lot, carton.quantity, carton.reversed, carton.reversed_by) == ("K-1", Decimal(1), True, (mirror,))


async def test_reversed_units_are_marked_beside_those_that_took_their_place(plant):
    filled = plant.count("0010", 12, used("BOTTLE", "B-1", "12"))
    plant.count("0030", 1, used("CARTON", "K-1", "1"), sscc=FIRST)
    await plant.commit()
    plant.reverse(filled, 1)
    await plant.commit()
    plant.count("0010", 12, used("BOTTLE", "B-2", "12"), at=0)
    await plant.commit()

    lots = case_of(plant).operations[0].components[0].lots

    assert [(one.lot, str(one.quantity), one.reversed) for one in lots] == [("B-1", "12", True), ("B-2", "12", False)]


async def test_a_lot_whose_units_were_all_reversed_marks_the_case(plant):
    filled = plant.count("0010", 12, used("BOTTLE", "B-1", "12"))
    plant.count("0030", 1, used("CARTON", "K-1", "1"), sscc=FIRST)
    await plant.commit()
    plant.reverse(filled, 1)
    await plant.commit()

    finished = ask(plant, lot="B-1").lots[0].orders[0].finished_lots[0]

    assert [(one["sscc"], one["reversed"]) for one in finished.cases] == [(FIRST, True)]
    assert [str(one.quantity) for one in finished.issues] == ["0"]


async def test_a_held_case_says_where_it_waits(plant):
    plant.hold("0030", 7, sscc=FIRST)
    await plant.commit()

    case = case_of(plant)

    assert (case.held, case.seq, case.operations) == (7, None, ())


async def test_a_component_lot_names_every_case(plant):
    await make_two_cases(plant)

    assert cases_of(plant, "B-1") == [FIRST, SECOND]
    assert cases_of(plant, "B-2") == [SECOND]
    assert cases_of(plant, "C-1") == [FIRST, SECOND]


async def test_a_component_lot_names_orders_finished_lots_and_what_is_left(plant):
    await make_two_cases(plant)

    (trace,) = ask(plant, lot="B-1", item="BOTTLE").lots
    finished = trace.orders[0].finished_lots[0]

    assert (trace.item, trace.supplier, trace.balances[0].left) == ("BOTTLE", "Glassworks", "1000")
    assert (trace.orders[0].order, finished.finished_lot, finished.item) == ("100045", "C-1", "COLA-CASE-12")
    assert [(one.operation, str(one.quantity), one.postings) for one in finished.issues] == [("0010", "18", 2)]
    assert [one["seq"] for one in finished.cases] == [5, 6]


async def test_an_item_that_has_no_such_lot_answers_nothing(plant):
    await make_two_cases(plant)

    assert ask(plant, lot="B-1", item="CAP").lots == ()


@pytest.mark.parametrize(
    ("mixing", "first"),
    [pytest.param(3, {"B-1": Scope.UNITS}, id="too far"), pytest.param(7, {"B-1": Scope.UNITS, "B-2": Scope.MIXING})],
)
async def test_within_the_mixing_units_of_a_lot_change_both_lots_are_listed(store, mixing, first):
    plant = Bottling(store, make_content(mixing))
    await make_two_cases(plant)

    case = case_of(plant)

    assert first == {one.lot: one.scope for one in case.operations[0].components[0].lots}
    assert ("B-2" in first) == (FIRST in cases_of(plant, "B-2"))


async def test_what_was_scanned_for_the_order_may_be_in_each_of_its_cases(plant):
    await make_two_cases(plant)
    glue = used("GLUE", "G-1", "2.5", "0040")._replace(method="scan")
    plant.document += 1
    scanned = plant._trigger("0030", 1, plant.document)
    plant._link(scanned, 0, (glue,))
    plant._post(scanned, (glue,), plant.document, reach=(None,))
    await plant.commit()

    lots = case_of(plant).operations[-1].components[-1].lots

    assert [(one.lot, str(one.quantity), one.scope) for one in lots] == [("G-1", "2.5", Scope.ORDER)]
    assert cases_of(plant, "G-1") == [FIRST, SECOND]


async def test_a_finished_lot_names_every_component_lot_and_case(plant):
    await make_two_cases(plant)
    plant.gather("0010", (5, (used("BOTTLE", "B-2", "5"),)))
    await plant.commit()

    (trace,) = ask(plant, finished_lot="C-1").finished_lots

    assert [(one.operation, one.lot, str(one.quantity), one.open) for one in trace.components] == [
        ("0010", "B-1", "18", 0),
        ("0010", "B-2", "11", 1),
        ("0020", "C-1", "24", 0),
        ("0030", "K-1", "2", 0),
    ]
    assert [one["sscc"] for one in trace.cases] == [FIRST, SECOND]

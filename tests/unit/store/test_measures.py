from contextlib import closing
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.domain.event import EventKind
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.lot import LotBalance, LotKey, LotStatus, Owner
from gateway.domain.order import OrderState, Progress
from gateway.domain.posting import Variance
from gateway.settings.snapshot import read_snapshot
from gateway.store import recipe
from gateway.store.batch import Batch, Head, SpanHead, TransferRow, VarianceRow
from gateway.store.connection import connect_writer
from gateway.store.measures import measures
from gateway.store.reading import read
from tests.unit.store.booking import Book
from tests.unit.store.bottling import BEGIN, FIRST, LINE, SECOND, Bottling, make_content, used


@pytest.fixture
def plant(store) -> Bottling:
    return Bottling(store)


def measured(plant: Bottling, name: str):
    return read(plant.store.path, measures)[name]


def make_variance(item: str, standard: str, actual: str, usage: str) -> Variance:
    zero = Decimal(0)
    return Variance("0010", item, "kg", Decimal(standard), Decimal(actual), Decimal(usage), zero, zero, zero, "")


def make_entry(number: int, minutes: int | None, kind: ExceptionKind = ExceptionKind.TRIGGER) -> ExceptionRecord:
    return ExceptionRecord(
        id=number,
        kind=kind,
        code="shortage",
        reason="",
        scope=("100045", "0010"),
        quantity=Decimal(1),
        uom="",
        count=1,
        first_event=BEGIN,
        last_event=BEGIN,
        opened_at=BEGIN,
        closed_at=None if minutes is None else BEGIN + timedelta(minutes=minutes),
    )


def make_count(number: int, location: str, book: str, found: str) -> TransferRow:
    key = LotKey(LINE, "GLUE", "G-1", location)
    return TransferRow(f"C-{number}", "count", "", key, Decimal(book), Decimal(found), "kg", "", BEGIN)


async def test_usage_variance_is_summed_by_item_and_line(plant):
    plant.batch.variances = [
        VarianceRow("1", "L1", make_variance("CO2", "100", "103", "2"), BEGIN),
        VarianceRow("2", "L1", make_variance("CO2", "50.5", "51", "0.25"), BEGIN),
    ]
    await plant.commit()

    assert measured(plant, "usage_variance") == [
        {
            "item": "CO2",
            "line": "L1",
            "uom": "kg",
            "standard": "150.5",
            "actual": "154",
            "variance": "3.5",
            "usage": "2.25",
            "usage_percent": "1.4950",
        }
    ]


async def test_exceptions_are_counted_against_triggers_and_timed(plant):
    for _ in range(4):
        plant.count("0010", 1)
    plant.batch.exceptions = {1: make_entry(1, 10), 2: make_entry(2, 20), 3: make_entry(3, None)}
    plant.batch.exceptions[4] = make_entry(4, None, ExceptionKind.NOTICE)
    await plant.commit()

    assert measured(plant, "exception_rate") == [
        {
            "kind": "trigger",
            "exceptions": 3,
            "open": 1,
            "per_1000_triggers": "750.0000",
            "mean_seconds_to_correct": "900.0000",
        }
    ]


async def test_a_count_that_finds_what_the_books_say_is_accurate(plant):
    plant.batch.transfers = [
        make_count(1, "A", "5.0", "5"),
        make_count(2, "A", "5", "4.9"),
        make_count(3, "B", "0", "0"),
    ]
    await plant.commit()

    rows = {
        one["location"]: (one["counts"], one["accurate"], one["accuracy_percent"])
        for one in measured(plant, "bin_accuracy")
    }

    assert rows == {"A": (2, 1, "50.0000"), "B": (1, 1, "100.0000")}


async def test_rests_of_closed_orders_are_cleared_or_not(plant):
    for order, returned in (("1", "2"), ("2", "0"), ("3", "1")):
        key = LotKey(Owner("order", order), "GLUE", "G-1", "BIN")
        balance = LotBalance(key, "kg", BEGIN, None, LotStatus.UNRESTRICTED, Decimal(2), returned=Decimal(returned))
        plant.batch.lots[key] = balance
    plant.batch.orders = {"1": OrderState(closed_at=BEGIN), "2": OrderState(closed_at=BEGIN), "3": OrderState()}
    await plant.commit()

    assert measured(plant, "return_compliance") == [{"rests": 2, "cleared": 1, "percent": "50.0000"}]


async def test_reversals_are_counted_against_postings(plant):
    trigger = plant.count("0010", 12, used("BOTTLE", "B-1", "12"))
    await plant.commit()
    plant.reverse(trigger, 1)
    plant.batch.head = Head(2, b"\0" * 32, 2)
    await plant.commit()

    assert measured(plant, "reversal_rate") == [{"postings": "2", "reversals": 1, "per_1000_postings": "500.0000"}]


async def test_quality_scrap_and_rework_ratios(plant):
    plant.batch.progress = {("100045", "0010"): Progress(Decimal(90), Decimal(8), Decimal(2))}
    await plant.commit()

    (row,) = measured(plant, "quality")

    assert (row["quality_ratio"], row["scrap_ratio"], row["rework_ratio"]) == ("0.9000", "0.0800", "0.0200")


async def make_gap(plant: Bottling) -> None:
    """Twenty bottles filled, twenty-four capped, two cases of twelve sealed."""
    plant.count("0010", 20, used("BOTTLE", "B-1", "20"))
    plant.count("0020", 24, used("CAP", "C-1", "24"))
    plant.count("0030", 1, used("CARTON", "K-1", "1"), sscc=FIRST)
    plant.count("0030", 1, used("CARTON", "K-1", "1"), sscc=SECOND)
    made = {"0010": 20, "0020": 24, "0030": 2}
    zero = Decimal(0)
    plant.batch.progress = {("100045", one): Progress(Decimal(good), zero, zero) for one, good in made.items()}
    await plant.commit()


async def test_completeness_is_what_every_consuming_operation_has_counted(plant):
    await make_gap(plant)

    assert measured(plant, "genealogy_completeness") == [{"order_no": "100045", "percent": "83.3333"}]


async def test_counted_units_stand_against_sealed_ones(plant):
    await make_gap(plant)

    rows = [
        (one["operation"], one["counted"], one["sealed"], one["difference"])
        for one in measured(plant, "counted_against_sealed")
    ]

    assert rows == [("0010", "20.0000", "24.0000", "-4.0000"), ("0020", "24.0000", "24.0000", "0.0000")]


async def test_an_order_that_is_closed_is_measured_by_its_variances(plant):
    await make_gap(plant)
    plant.batch.orders = {"100045": OrderState(closed_at=BEGIN)}
    await plant.commit()

    assert [] == measured(plant, "genealogy_completeness")


def test_a_snapshot_is_read_once_for_all_its_bills(monkeypatch):
    body, bodies = make_content().encoded(), []
    monkeypatch.setattr(recipe, "read_snapshot", lambda one: bodies.append(one) or read_snapshot(one))

    shapes = [recipe.bill_shape("sha256:once", body + b" " * number, "COLA", "3") for number in range(3)]

    assert shapes[0]
    assert shapes == [shapes[0]] * 3
    assert len(bodies) == 1


async def test_a_bill_is_worked_out_once_for_all_its_orders(plant):
    await make_gap(plant)
    bills = []
    with closing(connect_writer(plant.store.path)) as raw:
        raw.execute("INSERT INTO order_progress SELECT '2', operation, good, scrap, rework FROM order_progress")
        raw.execute("UPDATE posting SET order_no = '2' WHERE seq = 1")
        raw.create_function("bill_shape", 4, lambda *bill: bills.append(bill[2:]) or recipe.bill_shape(*bill))
        orders = {one for (one,) in raw.execute("SELECT order_no FROM order_operation")}

    assert orders == {"2", "100045"}
    assert bills == [("COLA", "3")]


async def test_a_store_without_anything_has_no_measures(plant):
    await plant.commit()

    found = read(plant.store.path, measures)

    assert [] == [name for name, rows in found.items() if rows and name != "reversal_rate"]


async def test_what_was_weighed_stands_against_the_standard(store):
    book = Book(store)
    for weight in ("6.1", "5.95", "6.2"):
        await book.post(weight, "0040", kind=EventKind.WEIGHED)
    length = 12_000_000
    heads = {("100045", "0040"): SpanHead(3 * length)}
    await store.commit(Batch(progress={("100045", "0040"): Progress(Decimal("18.25"))}, span_heads=heads))

    (row,) = read(store.path, measures)["fill_weight"]

    assert (row["measured"], row["standard"], row["give_away"], row["percent"]) == (
        "18.25",
        "18.0000",
        "0.25",
        "1.3889",
    )

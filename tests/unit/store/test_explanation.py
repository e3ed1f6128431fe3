from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.domain.bom import Activity
from gateway.domain.quantity import Rounding
from gateway.store.explanation import explain
from gateway.store.reading import read
from tests.unit.store.booking import CASE, Book, make_content
from tests.unit.store.by_hand import check_by_hand


@pytest.fixture
def book(store) -> Book:
    return Book(store)


def explained(book: Book, seq: int):
    return read(book.store.path, lambda raw: explain(raw, seq))


def draw_of(explanation, bom_line: str):
    (trigger,) = explanation["triggers"]
    return next(one for one in trigger["draws"] if one["bom_line"] == bom_line)


async def test_every_posting_can_be_recomputed_from_what_is_printed(book):
    seqs = [await book.post(quantity) for quantity in ("7", "1", "13", "5", "1")]

    assert [7] * 5 == [check_by_hand(explained(book, seq)) for seq in seqs]


async def test_the_formula_writes_its_numbers_out(book):
    explanation = explained(book, await book.post("7"))

    assert draw_of(explanation, "0020")["formula"]["text"] == (
        "1/12 EA for each bottle × 1/1000 (base quantity) × 60 kg CO2 (line 0020) × (1 + 0.01) (assembly scrap)"
        " × (1 + 0.015) (component scrap) = 0.00512575 kg a unit; 7 × 0.00512575 = 0.03588025 kg"
    )


async def test_a_phantom_and_a_share_stand_in_the_formula(book):
    explanation = explained(book, await book.post("7"))

    label = draw_of(explanation, "0040/0010")["formula"]
    syrup = draw_of(explanation, "0050:SYRUP-B")["formula"]

    assert [one["name"] for one in label["factors"]] == [
        "EA for each bottle",
        "base quantity",
        "quantity",
        "assembly scrap",
        "yield",
        "phantom",
        "quantity",
    ]
    assert ("share", "1/3") == tuple(syrup["factors"][-1].values())


async def test_setup_scrap_is_drawn_once_with_the_first_unit(book):
    first, second = [explained(book, await book.post("1")) for _ in range(2)]

    assert ("24", "0") == (draw_of(first, "0010")["once"], draw_of(second, "0010")["once"])
    assert draw_of(first, "0010")["formula"]["once_text"] == "24 EA once an order"


async def test_the_remainder_is_carried_to_the_next_posting(book):
    first, second = [explained(book, await book.post("1")) for _ in range(2)]
    one, other = draw_of(first, "0020"), draw_of(second, "0020")

    assert one["after"] == other["before"]
    assert one["remainder"] == "0.00012575"


async def test_every_lot_says_why_it_was_taken_or_not(book):
    explanation = explained(book, await book.post("3000"))

    assert [(one["lot"], one["taken"], one["why"]) for one in draw_of(explanation, "0020")["considered"]] == [
        ("CO2-1", "0.5", "taken: first expiry"),
        ("CO2-2", "14.877", "taken: first expiry"),
    ]


async def test_a_conversion_to_stock_names_its_factor(book):
    (pick,) = draw_of(explained(book, await book.post("1")), "0030")["picks"]

    assert (pick["component"], pick["component_uom"], pick["factor"], pick["quantity"], pick["uom"]) == (
        "0.21",
        "g",
        "0.001",
        "0.00021",
        "kg",
    )


async def test_what_was_measured_has_no_formula(book):
    explanation = explained(book, await book.post("6.3", "0040"))

    assert (draw_of(explanation, "0060")["how"], draw_of(explanation, "0060")["formula"]) == ("measured", None)


async def test_reading_and_rule_are_named(book):
    (trigger,) = explained(book, await book.post("7"))["triggers"]

    assert (trigger["rule"], trigger["rule_version"], trigger["units"], trigger["uom"]) == (
        "fill-good",
        1,
        "7",
        "bottle",
    )
    assert (trigger["reading"]["device"], trigger["reading"]["signal"], trigger["reading"]["verdict"]) == (
        "FILLER-1",
        "good",
        "COUNT",
    )


async def test_an_activity_is_explained_like_a_component(store):
    labour = Activity("labour", Decimal(5), "h", Rounding(4))
    operations = (replace(CASE.operations[0], activities=(labour,)), *CASE.operations[1:])
    book = Book(store, make_content(replace(CASE, operations=operations)))

    explanation = explained(book, await book.post("7"))

    assert 8 == check_by_hand(explanation)
    assert draw_of(explanation, "activity:labour")["due"] == "0.0029"


async def test_a_posting_that_is_not_there_has_no_explanation(book):
    assert explained(book, 7) is None

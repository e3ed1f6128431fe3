"""What the central ERP books and what it refuses."""

import sqlite3
from contextlib import closing
from decimal import Decimal

import pytest

from simulators.books import Books, Verdict, books, units


@pytest.fixture
def ledger(tmp_path):
    with closing(Books(tmp_path / "erp.db")) as opened:
        yield opened


def make_posting(seq, digest="a", quantity="1"):
    trigger = {"device": "PACKER-1", "signal": "case_sealed", "key": f"k{seq}", "quantity": quantity}
    return {"seq": seq, "hash": digest, "triggers": [trigger]}


def refused(tmp_path):
    with closing(sqlite3.connect(tmp_path / "erp.db")) as database:
        return database.execute("SELECT seq, reason, via FROM refused").fetchall()


def test_a_new_posting_is_booked_with_its_body(ledger, tmp_path):
    verdicts = ledger.book("G", "S", [make_posting(1)], "push")

    assert [Verdict("booked")] == verdicts
    assert [make_posting(1)] == books(tmp_path / "erp.db")


def test_the_same_posting_is_refused_the_second_time(ledger, tmp_path):
    ledger.book("G", "S", [make_posting(1)], "push")

    assert [Verdict("duplicate")] == ledger.book("G", "S", [make_posting(1)], "push")
    assert [(1, "duplicate", "push")] == refused(tmp_path)
    assert 1 == len(books(tmp_path / "erp.db"))


def test_another_hash_under_a_booked_number_is_rejected(ledger):
    ledger.book("G", "S", [make_posting(1)], "push")
    [verdict] = ledger.book("G", "S", [make_posting(1, digest="b")], "push")

    assert "rejected" == verdict.status


def test_a_puller_that_meets_a_pushed_posting_is_no_refusal(ledger, tmp_path):
    ledger.book("G", "S", [make_posting(1)], "push")
    ledger.book("G", "S", [make_posting(1)], "pull")

    assert [] == refused(tmp_path)


def test_the_same_number_in_another_store_is_another_posting(ledger, tmp_path):
    ledger.book("G", "S", [make_posting(1)], "push")
    ledger.book("G", "T", [make_posting(1)], "push")

    assert 2 == len(books(tmp_path / "erp.db"))


def test_a_broken_item_books_nothing_of_its_batch(ledger, tmp_path):
    with pytest.raises(KeyError):
        ledger.book("G", "S", [make_posting(1), {"seq": 2}], "push")

    assert [] == books(tmp_path / "erp.db")


def test_units_add_up_the_triggers_of_all_postings():
    bodies = [make_posting(1, quantity="2"), make_posting(2, quantity="0.500")]

    assert {("PACKER-1", "case_sealed"): Decimal("2.500")} == units(bodies)


def test_an_item_is_booked_under_the_store_that_it_names_itself(ledger):
    """A restored gateway hands on the postings of the store before it."""
    ledger.book("G", "OLD", [{**make_posting(1), "gateway": "G", "store": "OLD"}], "push")

    assert [Verdict("duplicate")] == ledger.book(
        "G", "NEW", [{**make_posting(1), "gateway": "G", "store": "OLD"}], "pull"
    )

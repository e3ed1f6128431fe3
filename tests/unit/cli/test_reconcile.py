"""The gateway's postings against the ERP's books."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.cli.reconcile import Bookings, compare_books
from simulators.books import BOOKED, LATER, Books, Verdict

EQUAL = Bookings(postings=2, booked=2, missing=0, unknown=0, different=0, doubled=0, refused=0)
OWN = {("OLD", 1): "sha256:a", ("NEW", 1): "sha256:b"}


def booked(erp: Path, *identities: tuple[str, int], verdict: Verdict = BOOKED) -> None:
    with closing(Books(erp)) as books:
        for store, seq in identities:
            content = {"store": store, "seq": seq, "hash": OWN.get((store, seq), "sha256:c")}
            books.book("G", "NEW", [content], "push", lambda _: verdict)


def test_after_a_restore_the_same_number_of_two_stores_is_two_postings(tmp_path: Path) -> None:
    booked(tmp_path / "erp.db", *OWN)

    assert compare_books(OWN, tmp_path / "erp.db") == EQUAL


def test_what_the_lost_end_of_a_store_said_is_unknown(tmp_path: Path) -> None:
    booked(tmp_path / "erp.db", *OWN, ("OLD", 2))

    assert compare_books(OWN, tmp_path / "erp.db") == replace(EQUAL, booked=3, unknown=1)


@pytest.mark.parametrize(
    ("verdict", "counted"),
    [
        (Verdict("rejected", "unknown item"), replace(EQUAL, booked=1, refused=1)),
        (LATER, replace(EQUAL, booked=1, missing=1)),
    ],
)
def test_what_the_erp_refused_is_not_missing(tmp_path: Path, verdict: Verdict, counted: Bookings) -> None:
    booked(tmp_path / "erp.db", ("OLD", 1))
    booked(tmp_path / "erp.db", ("NEW", 1), verdict=verdict)

    assert compare_books(OWN, tmp_path / "erp.db") == counted


def test_the_refused_are_told_only_where_there_are_any() -> None:
    told = "postings 2 · booked 2 · missing 0 · unknown 0 · different 0 · doubled 0"

    assert [told, f"{told} · refused 1"] == [str(EQUAL), str(replace(EQUAL, refused=1))]


def test_what_was_refused_is_not_equal() -> None:
    assert (True, False) == (EQUAL.equal, replace(EQUAL, refused=1).equal)

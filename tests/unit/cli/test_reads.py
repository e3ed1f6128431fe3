"""genealogy, explain, measures, shadow and full-documents, on a store that nobody runs."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.domain.order import Progress
from gateway.domain.requirement import Requirement, RequirementKey
from gateway.store.batch import ShadowKey, ShadowTotal
from gateway.store.store import Store
from tests.unit.cli.conftest import Outcome
from tests.unit.store.booking import Book
from tests.unit.store.bottling import FIRST, Bottling, used

Run = Callable[..., Outcome]


@pytest.fixture
def bottled(tmp_path: Path) -> Path:
    path = tmp_path / "bottled.db"
    asyncio.run(_bottle(path))
    return path


@pytest.fixture
def booked(tmp_path: Path) -> Path:
    path = tmp_path / "booked.db"
    asyncio.run(_book(path))
    return path


async def _bottle(path: Path) -> None:
    store = await Store.open(path, "PLANT1-L1")
    plant = Bottling(store)
    plant.stage("BOTTLE", "B-1", "Glassworks")
    plant.count("0010", 12, used("BOTTLE", "B-1", "12"))
    plant.count("0030", 1, used("CARTON", "K-1", "1"), sscc=FIRST)
    plant.batch.progress = {("100045", "0030"): Progress(Decimal(1))}
    key = RequirementKey("100045", "0010", "0010", "EA")
    plant.batch.shadows = {ShadowKey(key, "BOM 4"): ShadowTotal("BOTTLE", Requirement(13, 1, Decimal(13)))}
    await plant.commit()
    await store.close()


async def _book(path: Path) -> None:
    store = await Store.open(path, "PLANT1-L1")
    await Book(store).post("7")
    await store.close()


def test_a_case_is_printed_as_a_tree(gateway: Run, bottled: Path) -> None:
    shown = gateway("genealogy", bottled, "--sscc", f"(00){FIRST}").output

    assert "B-1 from Glassworks  12 EA  seq 1  FILLER-1" in shown
    assert "incomplete: operation 0020" in shown


def test_a_component_lot_is_printed_with_its_cases(gateway: Run, bottled: Path) -> None:
    shown = gateway("genealogy", bottled, "--lot", "B-1", "--item", "BOTTLE").output

    assert "BOTTLE lot B-1 from Glassworks" in shown
    assert f"{FIRST}  seq 2" in shown


def test_a_finished_lot_is_printed_with_its_components(gateway: Run, bottled: Path) -> None:
    assert "BOTTLE lot B-1 from Glassworks  12 EA" in gateway("genealogy", bottled, "--finished-lot", "C-1").output


def test_a_wrong_number_says_so(gateway: Run, bottled: Path) -> None:
    outcome = gateway("genealogy", bottled, "--sscc", "106141412345678909")

    assert (outcome.code, "Expected 8, got 9" in outcome.error) == (1, True)


def test_what_is_unknown_says_so(gateway: Run, bottled: Path) -> None:
    outcome = gateway("genealogy", bottled, "--lot", "B-9", "--item", "BOTTLE")

    assert (outcome.code, "nothing is known of lot B-9 of item BOTTLE\n" in outcome.error) == (1, True)


@pytest.mark.parametrize("asked", [(), ("--lot", "B-1", "--sscc", FIRST), ("--item", "BOTTLE", "--sscc", FIRST)])
def test_genealogy_answers_one_question(gateway: Run, bottled: Path, asked: tuple[str, ...]) -> None:
    assert 2 == gateway("genealogy", bottled, *asked).code


def test_full_documents_of_an_unknown_order_say_so(gateway: Run, bottled: Path) -> None:
    outcome = gateway("full-documents", bottled, "NOPE")

    assert (outcome.code, "an order NOPE" in outcome.error) == (1, True)


def test_a_posting_is_explained_with_its_numbers(gateway: Run, booked: Path) -> None:
    shown = gateway("explain", booked, "1").output

    assert "R = 0 + 0.03588025 + 0 = 0.03588025 kg" in shown
    assert "rounded half-even to 3 decimals: round(R) = 0.036, C = 0" in shown
    assert "lot CO2-1 in L1-FILL: 0.036 of 0.5, taken: first expiry" in shown


def test_an_explanation_comes_whole_as_json(gateway: Run, booked: Path) -> None:
    assert '"bom_line": "0020"' in gateway("explain", booked, "1", "--json").output


def test_a_trigger_that_is_not_in_the_posting_is_refused(gateway: Run, booked: Path) -> None:
    outcome = gateway("explain", booked, "1", "--trigger", "9")

    assert (outcome.code, "has no trigger 9" in outcome.error) == (1, True)


def test_measures_are_printed_as_tables(gateway: Run, bottled: Path) -> None:
    assert "quality ratio" in gateway("measures", bottled).output


def test_shadows_are_printed_with_their_difference(gateway: Run, bottled: Path) -> None:
    shown = gateway("shadow", bottled).output

    assert "BOM 4" in shown
    assert "8.3333" in shown


def test_full_documents_are_printed_by_day(gateway: Run, bottled: Path) -> None:
    shown = gateway("full-documents", bottled, "100045").output

    assert "planned 1000, received 1, open 999 EA" in shown
    assert "2026-11-21: 2 postings (seq 1 … 2), 2 triggers, 0 reversals" in shown


def test_what_a_device_sent_reaches_no_terminal_raw(gateway: Run, bottled: Path) -> None:
    with closing(sqlite3.connect(bottled)) as connection, connection:
        connection.execute("UPDATE event SET key = char(27) || '[31m' || char(155) || key")
        connection.execute("UPDATE posting_line SET lot = lot || char(27) WHERE lot = 'B-1'")
    as_tree = gateway("explain", bottled, "1").output
    as_json = gateway("explain", bottled, "1", "--json").output
    lot = gateway("genealogy", bottled, "--lot", "B-1\x1b").output

    assert "\\x1b[31m\\x9b" in as_tree
    assert "\\u001b[31m\\u009b" in as_json
    assert "lot B-1\\x1b" in lot
    assert not set("\x1b\x9b") & set(as_tree + as_json + lot)

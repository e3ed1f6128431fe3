"""Tables of the store, without a running gateway."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gateway.domain.document import Document, DocumentKey, Part
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.lot import LotBalance, LotKey, LotStatus, Owner
from gateway.domain.order import Progress
from gateway.domain.posting import Output, PostingLine, PostingType
from gateway.domain.use import Use
from gateway.store.batch import Batch
from gateway.store.store import Store
from tests.unit.cli.conftest import Daemon, Outcome

Gateway = Callable[..., Outcome]
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
HELD = ExceptionRecord(
    id=7,
    kind=ExceptionKind.TRIGGER,
    code="shortage",
    reason="CAP-28: 12 EA are needed, 3 are staged",
    scope=("100045", "0020"),
    quantity=Decimal(12),
    uom="EA",
    count=12,
    first_event=NOW,
    last_event=NOW,
    opened_at=NOW,
)
CLOSED = replace(HELD, id=3, closed_at=NOW, close_reason="TEST: trial run", closed_by="eva")
LINE = PostingLine(Use.CONSUMED, "CAP-28", Decimal(36), "EA", "L-7", "B-1", "0030", "backflush", Owner("line", "L1"))
KEY = DocumentKey(
    type=PostingType.ASSEMBLY,
    part=Part.MAIN,
    order="100045",
    operation="0010",
    device="FILLER-1",
    rule="fill-good",
    rule_version=1,
    bom="COLA-CASE-12",
    bom_version="3",
    master_data="sha256:0",
    item="COLA-CASE-12",
    finished_lot="F-1",
    uom="bottle",
)
WINDOW = Document(
    id=9,
    key=KEY,
    opened_at=NOW,
    begun=NOW,
    due=NOW + timedelta(minutes=1),
    output=Output(Decimal(36), Decimal(1), Decimal(0), "bottle"),
    lines=(LINE,),
    activities=(),
    deviations=(),
    triggers=(1,),
    reach=(None,),
)
LOT = LotBalance(LotKey(Owner("line", "L1"), "CAP-28", "L-7", "B-1"), "EA", NOW, None, LotStatus.BLOCKED, Decimal(9))


@pytest.fixture
def lists(daemon: Daemon, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Show a table of a store in which something happened."""
    monkeypatch.setenv("COLUMNS", "250")

    async def happen() -> None:
        store = await Store.open(daemon.config / "var" / "gateway.db", "PLANT1-L1")
        batch = Batch(
            exceptions={7: HELD, 3: CLOSED},
            documents={9: WINDOW},
            lots={LOT.key: LOT},
            progress={("100045", "0030"): Progress(Decimal(18), Decimal(1))},
        )
        await store.commit(batch)
        await store.close()

    def show(*arguments: object) -> str:
        asyncio.run(happen())
        outcome = gateway(arguments[0], daemon.config, *arguments[1:])
        assert 0 == outcome.code, outcome.error
        return outcome.output

    return show


def row(output: str, *cells: str) -> bool:
    """Tell whether a row of the table has these cells, among others."""
    rows = [re.split(r"\s{2,}", line.strip()) for line in output.splitlines()]
    return any(set(cells) <= set(found) for found in rows)


def test_exceptions_say_what_is_held_and_why(lists: Callable[..., str]) -> None:
    output = lists("exceptions")

    assert row(output, "7", "trigger", "100045/0020", "12 EA", HELD.reason)
    assert "eva" not in output


def test_closed_exceptions_say_by_whom_and_why(lists: Callable[..., str]) -> None:
    output = lists("exceptions", "--closed")

    assert row(output, "3", f"{HELD.reason} · closed by eva: TEST: trial run")


def test_orders_say_what_came_in(lists: Callable[..., str]) -> None:
    output = lists("orders")

    assert row(output, "100045", "COLA-CASE-12", "released, active", "18", "0030: 18 / 1 / 0")


def test_lots_say_what_is_left(lists: Callable[..., str]) -> None:
    output = lists("lots")

    assert row(output, "CAP-28", "L-7", "B-1 (line L1)", "blocked", "9 EA", "–")


def test_windows_say_what_they_gathered(lists: Callable[..., str]) -> None:
    output = lists("windows")

    assert row(output, "9", "100045/0010", "FILLER-1", "36 / 1 / 0 bottle", "consumed 36 EA CAP-28 L-7")


@pytest.mark.parametrize("table", ["orders", "lots", "windows", "exceptions"])
def test_tables_fit_a_terminal_of_80_columns(
    lists: Callable[..., str], monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    output = lists(table)

    assert max(map(len, output.splitlines())) <= 80
    assert {"orders": "0030: 18 / 1 / 0", "lots": "9 EA"}.get(table, "2026-11-21") in output


def test_without_a_store_it_says_so(daemon: Daemon, gateway: Gateway) -> None:
    outcome = gateway("lots", daemon.config)

    assert 2 == outcome.code
    assert "there is no store" in outcome.error

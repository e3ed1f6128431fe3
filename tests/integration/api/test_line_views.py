"""Orders, lots and open windows as the API shows them."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from gateway.domain.bom import BillOfMaterial, BomOperation
from gateway.domain.document import Document, DocumentKey, Part
from gateway.domain.lot import LotBalance, LotFacts, LotKey, LotStatus, Owner
from gateway.domain.masterdata import MasterData
from gateway.domain.material import Units
from gateway.domain.order import Order, OrderState, Pin, Progress
from gateway.domain.posting import ActivityLine, Deviation, Output, PostingLine, PostingType
from gateway.domain.use import Use
from gateway.store.batch import Batch
from tests.integration.api.conftest import Site
from tests.integration.api.writer import NOW

CASES = Order("100045", "COLA-CASE-12", Decimal(20000), "EA", "L1", "COLA-CASE-12", "3", finished_lot="F-1")
OPERATIONS = (BomOperation("0010", "bottle", Fraction(12)), BomOperation("0030", "EA", receipt=True))
VERSIONS = {
    ("COLA-CASE-12", version): BillOfMaterial(
        "COLA-CASE-12", version, "COLA-CASE-12", Decimal(1000), "EA", OPERATIONS, (), approved=True
    )
    for version in ("3", "4")
}
MASTER = MasterData("sha256:0", {}, Units({}), VERSIONS, {"100045": CASES})


def make_lot(lot: str, owner: Owner, **changes: Any) -> LotBalance:
    key = LotKey(owner, "CAP-28", lot, "L1-CAP")
    balance = LotBalance(key, "EA", NOW, None, LotStatus.UNRESTRICTED, Decimal(100), Decimal("40.5"))
    return balance._replace(**changes)


async def get(site: Site, path: str) -> Any:
    return (await site.client("viewer").get(f"/api/v1/{path}")).json()


async def test_an_order_shows_what_came_in_and_what_is_open(site: Site) -> None:
    site.master = MASTER
    made = {("100045", "0010"): Progress(Decimal(240), Decimal(2)), ("100045", "0030"): Progress(Decimal(18))}
    await site.writer.store.commit(Batch(progress=made))

    (order,) = (await get(site, "orders"))["orders"]

    assert ("released", "20000", "18", "19982") == (
        order["status"],
        order["quantity"],
        order["received"],
        order["open_quantity"],
    )
    assert order["operations"] == [
        {"operation": "0010", "uom": "bottle", "good": "240", "scrap": "2", "rework": "0"},
        {"operation": "0030", "uom": "EA", "good": "18", "scrap": "0", "rework": "0"},
    ]


async def test_an_order_shows_what_happened_to_it(site: Site) -> None:
    site.master = MASTER
    state = OrderState(NOW, label_approved=True, overrun=Decimal(20500), pins=(Pin(NOW, "4"),))
    await site.writer.store.commit(Batch(orders={"100045": state}))

    order = await get(site, "orders/100045")

    assert ("closed", "2026-11-21T10:00:00.000Z", True, "20500") == (
        order["status"],
        order["closed_at"],
        order["label_approved"],
        order["overrun"],
    )
    assert order["bom"] == {"bom": "COLA-CASE-12", "version": "4"}
    assert order["pins"] == [{"since": "2026-11-21T10:00:00.000Z", "bom_version": "4"}]


async def test_only_the_lots_staged_to_it_are_an_orders_residuals(site: Site) -> None:
    site.master = MASTER
    ours, shared = make_lot("L-1", Owner("order", "100045")), make_lot("L-2", Owner("line", "L1"))
    await site.writer.store.commit(Batch(lots={one.key: one for one in (ours, shared)}))

    order = await get(site, "orders/100045")

    assert [("L-1", "59.5")] == [(one["lot"], one["left"]) for one in order["residual_lots"]]


async def test_an_order_that_left_the_master_data_keeps_its_progress(site: Site) -> None:
    await site.writer.store.commit(Batch(progress={("7", "0010"): Progress(Decimal(3))}))

    order = await get(site, "orders/7")

    assert order["status"] is None
    assert order["operations"] == [{"operation": "0010", "uom": None, "good": "3", "scrap": "0", "rework": "0"}]


async def test_an_unknown_order_is_404(site: Site) -> None:
    answer = await site.client("viewer").get("/api/v1/orders/7")

    assert (answer.status_code, answer.json()["detail"]) == (404, "there is no order 7")


async def test_lots_show_what_is_left_and_what_they_carry(site: Site) -> None:
    facts = LotFacts("ACME", 1, density=Decimal("0.998"), scanned_at=NOW)
    lot = make_lot("L-1", Owner("line", "L1"), facts=facts, expires_at=NOW + timedelta(days=1))
    used_up = make_lot("L-2", Owner("line", "L1"), consumed=Decimal(100))
    await site.writer.store.commit(Batch(lots={one.key: one for one in (lot, used_up)}))

    (shown,) = (await get(site, "lots"))["lots"]

    assert shown == {
        "owner": {"kind": "line", "name": "L1"},
        "item": "CAP-28",
        "lot": "L-1",
        "location": "L1-CAP",
        "status": "unrestricted",
        "uom": "EA",
        "staged": "100",
        "consumed": "40.5",
        "returned": "0",
        "left": "59.5",
        "received_at": "2026-11-21T10:00:00.000Z",
        "expires_at": "2026-11-22T10:00:00.000Z",
        "scanned_at": "2026-11-21T10:00:00.000Z",
        "supplier": "ACME",
        "priority": 1,
        "density": "0.998",
        "potency": None,
    }


async def test_a_window_shows_what_it_gathered_so_far(site: Site) -> None:
    line = PostingLine(
        Use.CONSUMED, "CAP-28", Decimal(3), "EA", "L-1", "L1-CAP", "0030", "backflush", Owner("line", "L1")
    )
    key = DocumentKey(
        PostingType.COMPONENT,
        Part.MAIN,
        "100045",
        "0010",
        "FILLER-1",
        "fill-good",
        1,
        "COLA-CASE-12",
        "3",
        "sha256:0",
        "COLA-CASE-12",
        "F-1",
        "bottle",
    )
    window = Document(
        id=9,
        key=key,
        opened_at=NOW,
        begun=NOW,
        due=NOW + timedelta(minutes=1),
        output=Output(Decimal(3), Decimal(0), Decimal(0), "bottle"),
        lines=(line,),
        activities=(ActivityLine("RUN", Decimal("0.5"), "min"),),
        deviations=(Deviation("staged-after-use", "late"),),
        triggers=(1, 2, 3),
        reach=(None,),
    )
    await site.writer.store.commit(Batch(documents={9: window}))

    (shown,) = (await get(site, "windows"))["windows"]

    assert (9, "100045", "FILLER-1", "main", 3) == (
        shown["document"],
        shown["order"],
        shown["device"],
        shown["part"],
        shown["triggers"],
    )
    assert "2026-11-21T10:01:00.000Z" == shown["due"]
    assert {"good": "3", "scrap": "0", "rework": "0", "uom": "bottle"} == shown["output"]
    assert ("consumed", "3", {"kind": "line", "name": "L1"}) == tuple(
        shown["lines"][0][name] for name in ("use", "quantity", "owner")
    )
    assert [{"activity": "RUN", "quantity": "0.5", "uom": "min"}] == shown["activities"]
    assert [{"code": "staged-after-use", "text": "late"}] == shown["deviations"]

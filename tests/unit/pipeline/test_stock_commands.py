"""Staging with facts, scanning in, lot status, returns and cycle counts; replenishment signals."""

from datetime import timedelta
from decimal import Decimal

import orjson
import pytest

from gateway.domain.clock import UNTRUSTED, ClockTrust
from gateway.domain.command import CountLot, ReturnLot, ScanIn, SetLotStatus, Stage
from gateway.domain.line import Line
from gateway.domain.lot import LotFacts, LotKey, LotStatus, Owner
from gateway.errors import CommandRefused
from tests.factories import LINE, NOON, make_staging
from tests.unit.pipeline.office import ORDER, make_packed, make_packers, office

CARTONS = {"quantity": "100"}
KEY = LotKey(LINE, "CARTON-12", "C-1", "L1-FILL")
QUARANTINE, UNRESTRICTED = LotStatus.QUARANTINE, LotStatus.UNRESTRICTED


def give_back(
    quantity: str = "30", transfer: str = "R-1", reason: str = "surplus", key: LotKey = KEY, **more
) -> ReturnLot:
    return ReturnLot(transfer, key, Decimal(quantity), more.pop("uom", "EA"), reason, **more)


def count(found: str, number: str = "I-1", reason: str = "miscount", key: LotKey = KEY, **more) -> CountLot:
    return CountLot(number, key, Decimal(found), more.pop("uom", "EA"), reason)


def set_status(status: LotStatus, lot: str = "C-1") -> SetLotStatus:
    return SetLotStatus("CARTON-12", lot, status, "inspected")


def facts(plant, lot: str = "C-1") -> LotFacts:
    return next(one.facts for key, one in plant.state.lots.items() if key.lot == lot)


# --- staging ----------------------------------------------------------------------------------------


async def test_a_lot_carries_when_it_came_and_what_was_told_of_it(tmp_path):
    async with office(tmp_path) as plant:
        await plant.put("S-1", "5", facts=LotFacts(supplier="ACME", potency=Decimal("0.9"), priority=2), scanned=True)

        assert LotFacts("ACME", 2, potency=Decimal("0.9"), staged_at=NOON, scanned_at=NOON) == facts(plant)


async def test_more_of_a_lot_is_no_new_arrival(tmp_path):
    async with office(tmp_path) as plant:
        await plant.put("S-1", "5", facts=LotFacts(supplier="ACME"), scanned=True)
        plant.clock.advance(60)
        await plant.put("S-2", "5")

        assert LotFacts("ACME", staged_at=NOON, scanned_at=NOON) == facts(plant)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (LotFacts(density=Decimal(0)), "density 0 is not above zero"),
        (LotFacts(potency=Decimal("10.1")), "potency 10.1 is not above zero and at most 10"),
        (LotFacts(temperature_coefficient=Decimal("0.01")), "needs a density and its reference_temperature"),
    ],
)
async def test_a_lot_that_can_not_be_like_that_is_not_staged(tmp_path, said, why):
    async with office(tmp_path) as plant:
        with pytest.raises(CommandRefused, match=f"staging S-1: .*{why}"):
            await plant.put("S-1", "5", facts=said)

        assert {} == plant.state.lots


async def test_a_used_up_lot_that_comes_again_is_a_new_arrival_and_needs_its_scan(tmp_path):
    async with office(tmp_path) as plant:
        await plant.put("S-1", "5", scanned=True)
        await plant.pack("5")
        plant.clock.advance(60)
        await plant.put("S-2", "5")

        assert (NOON + timedelta(seconds=60), None) == (facts(plant).staged_at, facts(plant).scanned_at)


@pytest.mark.parametrize("used_up", [False, True])
async def test_a_lot_in_quarantine_is_not_staged_as_unrestricted_to_another_owner(tmp_path, used_up):
    async with office(tmp_path, None, {"quantity": "5", "owner": ORDER}) as plant:
        if used_up:
            await plant.pack("5")
        await plant.ask(set_status(QUARANTINE))
        with pytest.raises(CommandRefused, match="lot C-1 has status quarantine in the store, unrestricted here"):
            await plant.put("S-9", "5", owner=LINE)
        await plant.put("S-9", "5", owner=LINE, status=QUARANTINE)

        assert {QUARANTINE} == {one.status for one in plant.state.lots.values()}


async def test_a_lot_has_one_supplier(tmp_path):
    async with office(tmp_path) as plant:
        await plant.put("S-1", "5", facts=LotFacts(supplier="ACME"))
        with pytest.raises(CommandRefused, match="lot C-1 has supplier ACME in the store, ZENITH here"):
            await plant.put("S-2", "5", facts=LotFacts(supplier="ZENITH"))


async def test_a_transfer_that_was_applied_before_changes_nothing(tmp_path):
    async with office(tmp_path) as plant:
        command = Stage(make_staging("S-1", "5", item="CARTON-12", lot="C-1"))

        assert [True, False] == [await plant.ask(command) for _ in range(2)]
        assert [(2,)] == await plant.rows("SELECT count(*) FROM input WHERE kind IN ('command', 'activation')")


# --- scanning in ------------------------------------------------------------------------------------


async def test_a_scan_makes_every_balance_of_the_lot_at_the_line_eligible(tmp_path):
    async with office(tmp_path, None, CARTONS, {**CARTONS, "owner": ORDER}) as plant:
        plant.clock.advance(60)

        assert [2, 0] == [await plant.ask(ScanIn("L1", "CARTON-12", "C-1")) for _ in range(2)]
        assert {NOON + timedelta(seconds=60)} == {one.facts.scanned_at for one in plant.state.lots.values()}


@pytest.mark.parametrize("command", [ScanIn("L2", "CARTON-12", "C-1"), ScanIn("L1", "CARTON-12", "C-2")])
async def test_a_lot_that_is_not_at_the_line_is_not_scanned_in(tmp_path, command):
    async with office(tmp_path, None, CARTONS) as plant:
        with pytest.raises(
            CommandRefused, match=f"lot {command.lot} of CARTON-12 is not staged at line {command.line}"
        ):
            await plant.ask(command)


async def test_units_wait_for_the_scan_of_their_lot(tmp_path):
    master = make_packed(lines={"L1": Line("L1", lot_scan=True)})
    async with office(tmp_path, make_packers(master), CARTONS) as plant:
        await plant.pack("4")
        held = plant.tally(("PACKER-1", "case_sealed"))
        await plant.ask(ScanIn("L1", "CARTON-12", "C-1"))

        assert (("4", "0", "0", "4"), 96) == (held, plant.left())


# --- status -----------------------------------------------------------------------------------------


async def test_a_status_holds_for_every_balance_of_the_lot(tmp_path):
    async with office(tmp_path, None, CARTONS, {**CARTONS, "owner": ORDER}) as plant:
        changed = await plant.ask(set_status(QUARANTINE))
        await plant.pack("1")

        assert (2, 200) == (changed, plant.left() + plant.left(owner=ORDER))
        ((body,),) = await plant.rows("SELECT body FROM journal WHERE kind = 'lot-status'")
        assert ["line L1", "order 100045"] == orjson.loads(body)["owners"]


async def test_a_lot_that_is_set_free_again_is_used(tmp_path):
    async with office(tmp_path, None, {**CARTONS, "status": QUARANTINE}) as plant:
        await plant.pack("1")
        await plant.ask(set_status(UNRESTRICTED))

        assert 99 == plant.left()


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (set_status(QUARANTINE, "C-9"), "lot C-9 of CARTON-12 was never staged here"),
        (set_status(UNRESTRICTED), "lot C-1 of CARTON-12 is unrestricted already"),
    ],
)
async def test_a_status_that_cant_be_set_is_refused(tmp_path, command, why):
    async with office(tmp_path, None, CARTONS) as plant:
        with pytest.raises(CommandRefused, match=why):
            await plant.ask(command)


# --- returns ----------------------------------------------------------------------------------------


async def test_a_return_posts_once_by_its_transfer(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        answers = [await plant.ask(give_back()) for _ in range(2)]

        body = await plant.posting(1)
        assert [True, False] == answers
        assert ("return", "", []) == (body["posting_type"], body["order"], body["deviations"])
        assert [("returned", "CARTON-12", "C-1", "30")] == await plant.lines(1)
        assert [("R-1", "return", "100", "30")] == await plant.rows("SELECT id, kind, book, quantity FROM transfer")
        assert 70 == plant.left()


async def test_exposed_stock_goes_back_in_quarantine(tmp_path):
    async with office(tmp_path, None, {**CARTONS, "owner": ORDER}) as plant:
        await plant.ask(give_back("100", key=KEY._replace(owner=ORDER), exposed=True))

        body = await plant.posting(1)
        assert ("100045", "exposed") == (body["order"], body["deviations"][0]["code"])
        assert {} == plant.state.lots


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (give_back("101"), "101 EA is more than lot C-1 has left, 100"),
        (give_back("0"), "quantity 0 is not above zero"),
        (give_back(reason="whim"), "unknown reason code 'whim'"),
        (give_back(uom="kg"), "return R-1: no conversion from kg to EA"),
        (give_back(key=KEY._replace(lot="C-2")), "lot C-2 of CARTON-12 in L1-FILL was never staged to line L1"),
        (give_back(key=KEY._replace(owner=Owner("order", "7"))), "was never staged to order 7"),
    ],
)
async def test_a_return_that_cant_be_is_refused(tmp_path, command, why):
    async with office(tmp_path, None, CARTONS) as plant:
        with pytest.raises(CommandRefused, match=why):
            await plant.ask(command)


async def test_a_return_of_an_item_that_is_gone_from_the_master_data_is_refused(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.change(items={}, hash="sha256:gone")
        with pytest.raises(CommandRefused, match="return R-1: item CARTON-12 is not in the master data"):
            await plant.ask(give_back())


@pytest.mark.parametrize(
    ("first", "second"),
    [(give_back("30"), give_back("31")), (count("90"), count("91")), (give_back(), count("1", "R-1"))],
)
async def test_an_id_with_other_content_is_refused(tmp_path, first, second):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.ask(first)
        with pytest.raises(CommandRefused, match="was applied before with other content"):
            await plant.ask(second)


# --- cycle counts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("found", "line"), [("90", "10"), ("103", "-3")])
async def test_what_a_count_finds_is_what_is_left(tmp_path, found, line):
    async with office(tmp_path, None, CARTONS) as plant:
        answers = [await plant.ask(count(found)) for _ in range(2)]

        body = await plant.posting(1)
        assert [True, False] == answers
        assert Decimal(found) == plant.left()
        assert ("count", "count", line) == (
            body["posting_type"],
            body["lines"][0]["method"],
            body["lines"][0]["quantity"],
        )
        assert [("count", "100", found)] == await plant.rows("SELECT kind, book, quantity FROM transfer")


async def test_a_count_that_agrees_posts_nothing_and_is_kept(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        await plant.ask(count("100"))

        assert [(0,)] == await plant.rows("SELECT count(*) FROM posting")
        assert [("100", "100")] == await plant.rows("SELECT book, quantity FROM transfer")


async def test_a_count_finds_what_the_books_had_used_up(tmp_path):
    async with office(tmp_path, None, {"quantity": "4"}) as plant:
        await plant.pack("4")
        await plant.ask(count("2"))

        assert 2 == plant.left()


async def test_nobody_finds_less_than_nothing(tmp_path):
    async with office(tmp_path, None, CARTONS) as plant:
        with pytest.raises(CommandRefused, match="count I-1: nobody finds -1 EA"):
            await plant.ask(count("-1"))


# --- replenishment ----------------------------------------------------------------------------------


def make_low(**changes):
    return make_packers(make_packed(item_facts={"CARTON-12": {"reorder_point": Decimal(20), **changes}}))


async def test_a_balance_that_falls_to_its_reorder_point_asks_once_for_more(tmp_path):
    async with office(tmp_path, make_low(reorder_quantity=Decimal(500)), {"quantity": "24"}) as plant:
        await plant.pack("4", "4")

        ((seq, body),) = await plant.rows("SELECT seq, body FROM posting WHERE posting_type = 'replenishment'")
        found = orjson.loads(body)
        assert (2, "replenishment") == (seq, found["kind"])
        assert ("20", "500") == (found["shortfall"]["left"], found["shortfall"]["quantity"])


async def test_it_asks_again_after_the_balance_rose(tmp_path):
    async with office(tmp_path, make_low(), {"quantity": "24"}) as plant:
        await plant.pack("8")
        await plant.put("S-2", "10", lot="C-2")
        await plant.pack("10")

        assert [(2,), (4,)] == await plant.rows("SELECT seq FROM posting WHERE posting_type = 'replenishment'")


async def asked_for(plant) -> list[str]:
    rows = await plant.rows("SELECT body FROM posting WHERE posting_type = 'replenishment' ORDER BY seq")
    return [orjson.loads(body)["shortfall"]["left"] for (body,) in rows]


@pytest.mark.parametrize("owner", [LINE, ORDER])
async def test_a_balance_that_is_low_from_the_start_asks_once(tmp_path, owner):
    async with office(tmp_path, make_low(), {"quantity": "10", "owner": owner}) as plant:
        await plant.pack("1", "9")
        await plant.put("S-2", "5", lot="C-2", owner=owner)
        await plant.pack("1")

        assert ["10"] == await asked_for(plant)


async def test_what_was_asked_for_is_known_after_a_restart(tmp_path):
    async with office(tmp_path, make_low(), {"quantity": "10"}) as plant:
        await plant.pack("1")
        await plant.crash()
        await plant.pack("1")

        assert ["10"] == await asked_for(plant)


async def test_nothing_is_asked_for_while_the_clock_is_not_trusted(tmp_path, monkeypatch):
    async with office(tmp_path, make_low()) as plant:
        with monkeypatch.context() as patch:
            patch.setattr(plant.clock, "trust", lambda: ClockTrust(UNTRUSTED, None, "not synchronised"))
            await plant.put("S-1", "10")
        await plant.pack("1")

        assert ["9"] == await asked_for(plant)


async def test_a_balance_that_falls_to_nothing_asks_for_its_owner(tmp_path):
    async with office(tmp_path, make_low(), {"quantity": "24", "owner": ORDER}) as plant:
        await plant.pack("24")

        ((order, body),) = await plant.rows("SELECT order_no, body FROM posting WHERE posting_type = 'replenishment'")
        assert ("100045", "0") == (order, orjson.loads(body)["shortfall"]["left"])


# --- signatures -------------------------------------------------------------------------------------

SIGNED = [
    ("count", count("100"), "2026-11-21T12:00:00.000Z"),
    ("lot-status", set_status(QUARANTINE), "2026-11-21T12:00:00.000Z"),
]


@pytest.mark.parametrize(("kind", "command", "signed_at"), SIGNED)
async def test_the_journal_has_the_signature(tmp_path, kind, command, signed_at):
    async with office(tmp_path, make_packers(), CARTONS) as plant:
        await plant.ask(command)
        ((body,),) = await plant.rows(f"SELECT body FROM journal WHERE kind = '{kind}'")

    signature = orjson.loads(body)["signature"]
    assert ("anna", signed_at) == (signature["user"], signature["signed_at"])

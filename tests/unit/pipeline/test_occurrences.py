"""Events without units: what a scanner or a machine tells does what a person's command would do."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.domain.event import EventKind, LotMention, SignalId
from gateway.domain.exception import ExceptionKind
from gateway.domain.lot import LotKey, LotStatus, Owner
from gateway.domain.quantity import text
from gateway.errors import CommandRefused
from gateway.pipeline.model import Point
from gateway.pipeline.occurrences import Transfers, look_up, occur
from tests.factories import NOON, day, make_event
from tests.unit.pipeline.plant import CASE, GOOD, FakeDriver, Plant, make_model, make_rule
from tests.unit.pipeline.test_run_rules import make_work

SCANNER = SignalId("SCANNER-1", "scan")
EARLIER = NOON - timedelta(minutes=5)
LOT = LotMention("BOTTLE-500", "B-1", "L1-FILL", supplier="ACME")


def tell(work, kind: EventKind, known: Transfers | None = None, **changes) -> None:
    event = make_event(**{"quantity": "100", "uom": "EA", "source_time": EARLIER, **changes})
    occur(work, event._replace(signal=SCANNER, kind=kind), "L1", known or Transfers())


def stage(work, key="S-1", **changes) -> None:
    tell(work, EventKind.LOT_STAGED, **{"key": key, "lot": LOT, **changes})


def balance(work, owner=("line", "L1")):
    return work.lot_balances.get(LotKey(Owner(*owner), "BOTTLE-500", "B-1", "L1-FILL"))


def test_a_scanned_transfer_is_staged_to_the_scanners_line_and_needs_no_scan_of_its_own():
    work = make_work()
    stage(work)
    lot = balance(work)

    assert (Decimal(100), "ACME", EARLIER, EARLIER) == (
        lot.left,
        lot.facts.supplier,
        lot.facts.staged_at,
        lot.facts.scanned_at,
    )


@pytest.mark.parametrize(
    ("changes", "owner"),
    [({"order": "100045"}, ("order", "100045")), ({"lot": LOT._replace(line="L1")}, ("line", "L1"))],
)
def test_a_transfer_is_staged_to_the_order_or_line_it_names(changes, owner):
    work = make_work()
    stage(work, **changes)

    assert Decimal(100) == balance(work, owner).left


def test_a_transfer_is_staged_once_in_a_batch():
    work = make_work()
    stage(work)
    stage(work, signal=SignalId("SCANNER-2", "scan"))

    assert Decimal(100) == balance(work).left


def test_a_transfer_that_the_store_has_is_not_staged_again():
    first = make_work()
    stage(first)
    known = Transfers({"S-1": first.rows.stagings[0].content_hash})
    work = make_work()
    stage(work, known=known)

    assert balance(work) is None


def test_a_transfer_with_other_content_is_refused():
    work = make_work()
    stage(work)
    with pytest.raises(CommandRefused, match="staging S-1 was applied before with other content"):
        stage(work, quantity="101")


def test_what_is_staged_of_a_used_up_lot_is_added_to_it():
    first = make_work()
    stage(first)
    used_up = balance(first).consume(Decimal(100))
    work = make_work()
    stage(work, "S-2", known=Transfers({}, {used_up.key: used_up}))

    assert (Decimal(200), Decimal(100)) == (balance(work).staged, balance(work).left)


def test_more_of_a_lot_is_like_what_is_there_of_it():
    work = make_work()
    stage(work, lot=LOT._replace(expires_at=day(30)))
    work.put_lot(balance(work)._replace(status=LotStatus.QUARANTINE))
    stage(work, "S-2")

    assert (Decimal(200), LotStatus.QUARANTINE, day(30)) == (
        balance(work).left,
        balance(work).status,
        balance(work).expires_at,
    )


@pytest.mark.parametrize(
    "elsewhere", [{"order": "100045"}, {"lot": LOT._replace(location="L1-B")}], ids=["owner", "bin"]
)
def test_a_lot_is_in_quarantine_whoevers_and_wherever_it_is(elsewhere):
    work = make_work()
    stage(work, lot=LOT._replace(expires_at=day(30)))
    work.put_lot(balance(work)._replace(status=LotStatus.QUARANTINE))
    stage(work, "S-2", **elsewhere)

    assert {(LotStatus.QUARANTINE, day(30))} == {
        (one.status, one.expires_at) for one in work.lot_balances.changed.values()
    }


def test_a_used_up_lot_is_as_blocked_elsewhere_as_it_was():
    first = make_work()
    stage(first)
    used_up = balance(first).consume(Decimal(100))._replace(status=LotStatus.BLOCKED)
    work = make_work()
    stage(work, "S-2", order="100045", known=Transfers({}, {used_up.key: used_up}))

    assert balance(work, ("order", "100045")).status is LotStatus.BLOCKED


@pytest.mark.parametrize(
    ("kind", "changes", "why"),
    [
        (EventKind.LOT_STAGED, {"lot": None}, "SCANNER-1.scan names no item and lot"),
        (EventKind.LOT_STAGED, {"lot": LOT._replace(item="LABEL")}, "item LABEL is not in the master data"),
        (EventKind.LOT_STAGED, {"lot": LOT, "order": "7"}, "there is no order 7"),
        (EventKind.LOT_SCANNED, {"lot": LOT}, "lot B-1 of BOTTLE-500 is not staged at line L1"),
        (EventKind.LOT_SCANNED, {}, "SCANNER-1.scan names no item and lot"),
        (EventKind.ORDER_STARTED, {}, "started an order without naming it"),
        (EventKind.ORDER_STARTED, {"order": "7"}, "order 7 is not in the master data"),
        (EventKind.LABEL_APPROVED, {"order": "7"}, "order 7 is not in the master data"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason_and_changes_nothing(kind, changes, why):
    work = make_work()
    with pytest.raises(CommandRefused, match=why):
        tell(work, kind, **changes)

    assert ({}, {}, [], False) == (
        work.lot_balances.changed,
        work.order_states.changed,
        work.rows.journal,
        work.retry,
    )


def test_where_neither_the_message_nor_the_line_has_an_order_a_label_is_nobodys():
    with pytest.raises(CommandRefused, match="names no order, and line L1 has none"):
        tell(make_work(configured=None), EventKind.LABEL_APPROVED)


def test_a_scanned_lot_is_eligible_from_its_scan_on():
    work = make_work()
    stage(work)
    lot = balance(work)
    work.put_lot(lot._replace(facts=lot.facts._replace(scanned_at=None)))
    tell(work, EventKind.LOT_SCANNED, lot=LOT, source_time=NOON)

    assert balance(work).facts.scanned_at == NOON


def test_a_started_order_is_the_lines_from_the_events_time_on():
    work = make_work()
    tell(work, EventKind.ORDER_STARTED, order="100046")

    assert "100046" == work.active_order("L1", EARLIER)


@pytest.mark.parametrize("named", [None, "100045"])
def test_a_finished_order_is_the_lines_no_more(named):
    work = make_work()
    tell(work, EventKind.ORDER_FINISHED, order=named)

    assert work.active_order("L1", NOON) is None


@pytest.mark.parametrize("named", [None, "100045"])
def test_a_label_is_approved_for_the_named_or_the_active_order(named):
    work = make_work()
    tell(work, EventKind.LABEL_APPROVED, order=named)

    assert work.order_state("100045").label_approved


def test_what_happened_has_what_waits_tried_again():
    work = make_work()
    tell(work, EventKind.LABEL_APPROVED)

    assert work.retry


class Asked:
    """A store that remembers what it was asked for."""

    def __init__(self) -> None:
        self.keys: list[object] = []

    async def staged(self, ids):
        self.keys += ids
        return {"S-1": "hash"}

    async def balances_of_lots(self, lots):
        self.keys += lots
        return {}


async def test_the_store_is_asked_for_the_transfers_of_a_batch_at_once():
    store = Asked()
    staged = make_event(key="S-1", kind=EventKind.LOT_STAGED, lot=LOT)
    found = await look_up(store, [(staged, "L1"), (make_event(kind=EventKind.LABEL_APPROVED), "L1")])

    assert ["S-1", ("BOTTLE-500", "B-1")] == store.keys
    assert Transfers({"S-1": "hash"}, {}) == found


async def test_where_nothing_is_staged_the_store_is_not_asked():
    store = Asked()
    await look_up(store, [(make_event(kind=EventKind.LABEL_APPROVED), "L1")])

    assert [] == store.keys


# --- as messages, through the pipeline ------------------------------------------------------------

STAGED, SCANNED, LABELLED, ISSUED = (
    SignalId("SCANNER-1", one) for one in ("staged", "scanned", "label_approved", "issued")
)
BOTTLES = {"item": "BOTTLE-500", "lot": "B-1", "location": "L1-FILL", "quantity": Decimal(100), "uom": "EA"}


def make_scanner_model():
    model = make_model()
    kinds = {
        STAGED: EventKind.LOT_STAGED,
        SCANNED: EventKind.LOT_SCANNED,
        LABELLED: EventKind.LABEL_APPROVED,
        ISSUED: EventKind.LOT_ISSUED,
    }
    points = {one: Point(one, "L1", rule=make_rule(one, kind, "0030"), is_event=True) for one, kind in kinds.items()}
    return replace(model, points={**model.points, **points})


@pytest.fixture
async def line(tmp_path):
    plant = Plant(tmp_path / "gateway.db", make_scanner_model())
    plant.drivers["SCANNER-1"] = FakeDriver()
    await plant.open()
    plant.read(good=100)
    await plant.turn()
    try:
        yield plant
        await plant.check()
    finally:
        await plant.close()


async def letters(plant) -> list[str]:
    return [reason for (reason,) in await plant.rows("SELECT reason FROM dead_letter")]


async def left(plant) -> list[str]:
    return [text(one.left) for one in plant.state.lots.values()]


async def test_units_that_waited_for_stock_post_when_a_scanner_stages_it(line):
    line.read(good=110)
    await line.turn()
    receipt = await line.send(STAGED, id="T-1", **BOTTLES)
    await line.turn()

    assert ("10", "10", "0", "0") == line.tally(GOOD)
    assert [receipt] == line.drivers["SCANNER-1"].acknowledged
    assert [] == line.exceptions(ExceptionKind.TRIGGER)


async def test_a_transfer_that_is_delivered_twice_is_staged_once_even_after_a_restart(line):
    for _ in range(2):
        await line.send(STAGED, id="T-1", **BOTTLES)
        await line.turn()
    await line.crash()
    await line.send(STAGED, id="T-1", **BOTTLES)
    await line.turn()

    assert ["100"] == await left(line)


async def test_a_lot_that_was_used_up_is_staged_again(line):
    await line.send(STAGED, id="T-1", **{**BOTTLES, "quantity": Decimal(10)})
    await line.turn()
    line.read(good=110)
    await line.turn()
    await line.send(STAGED, id="T-2", **BOTTLES)
    await line.turn()

    assert [("110", "10")] == await line.rows("SELECT staged, consumed FROM lot_balance")


@pytest.mark.parametrize(
    ("signal", "fields", "why"),
    [
        (STAGED, {"id": "T-1", **BOTTLES, "item": "PAINT"}, "item PAINT is not in the master data"),
        (STAGED, {"sequence": 7, **BOTTLES}, "a staging needs an id of its own"),
        (SCANNED, {"id": "1", "item": "BOTTLE-500", "lot": "B-9"}, "lot B-9 of BOTTLE-500 is not staged at line L1"),
        (LABELLED, {"id": "1", "order": "7"}, "order 7 is not in the master data"),
    ],
)
async def test_what_cannot_be_done_is_kept_with_its_reason_and_acknowledged(line, signal, fields, why):
    receipt = await line.send(signal, **fields)
    await line.turn()

    assert [True] == [why in one for one in await letters(line)]
    assert [receipt] == line.drivers["SCANNER-1"].acknowledged


async def test_what_was_refused_may_come_again_once_it_can_be_done(line):
    scan = {"id": "1", "item": "BOTTLE-500", "lot": "B-1"}
    await line.send(SCANNED, **scan)
    await line.turn()
    await line.stage("S-1", "10")
    await line.send(SCANNED, **scan)
    await line.turn()

    assert 1 == len(await letters(line))
    assert [line.clock.now().wall] == [one.facts.scanned_at for one in line.state.lots.values()]


async def test_another_transfer_under_the_same_id_is_kept_apart(line):
    await line.send(STAGED, id="T-1", **BOTTLES)
    await line.send(STAGED, id="T-1", **{**BOTTLES, "lot": "B-2"})
    await line.turn()

    assert ["SCANNER-1.staged sent T-1 again with other content (100 EA)"] == await letters(line)


async def test_a_lost_scan_is_a_gap_without_units(line):
    for number in (1, 4, 2, 3):
        await line.send(LABELLED, id=f"L-{number}", sequence=number)
    await line.turn()
    (gap,) = await line.rows("SELECT count, quantity, close_reason FROM exception WHERE kind = 'gap'")

    assert (0, "0", "the missing messages came late") == gap
    assert LABELLED not in line.state.tallies or not line.state.tallies[LABELLED].counted


async def test_a_wrong_case_number_is_told_and_the_case_posts_without_it(line):
    await line.stage("S-1", "10", item="CARTON-12", lot="C-1")
    for number in ("106141412345678907", "12345"):
        await line.send(CASE, id=number, sscc=number, order="100045")
        await line.turn()
    (notice,) = line.exceptions(ExceptionKind.NOTICE)

    assert ("2", "2") == line.tally(CASE)[:2]
    assert [(None, "INVALID_SSCC 106141412345678907"), (None, "INVALID_SSCC 12345")] == await line.rows(
        "SELECT sscc, flag FROM event ORDER BY id"
    )
    assert (2, "'12345' is no SSCC" in notice.reason) == (notice.count, True)


async def test_a_case_number_is_kept_as_its_18_digits(line):
    await line.stage("S-1", "10", item="CARTON-12", lot="C-1")
    await line.send(CASE, id="c1", sscc="(00)106141412345678908", order="100045")
    await line.turn()

    assert [("106141412345678908", "")] == await line.rows("SELECT sscc, flag FROM event")

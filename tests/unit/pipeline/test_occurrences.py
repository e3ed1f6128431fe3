"""Events without units: what a scanner or a machine tells does what a person's command would do."""

from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.domain.event import EventKind, LotMention, SignalId
from gateway.domain.lot import LotKey, LotStatus, Owner
from gateway.errors import CommandRefused
from gateway.pipeline.occurrences import Transfers, look_up, occur
from tests.factories import NOON, day, make_event
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

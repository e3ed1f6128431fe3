"""What follows a posting: issues deferred to later, and rests that were short."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from gateway.domain.bom import BomOperation, Shortage
from gateway.domain.document import Part
from gateway.domain.exception import ExceptionKind
from gateway.domain.line import Cumulation
from gateway.domain.lot import LotBalance
from gateway.pipeline import backlogs, documents
from tests.factories import make_bom, make_component, make_lot, make_master
from tests.unit.pipeline.bench import PACKER, Bench, second, why

MINUTE = Cumulation(window=timedelta(seconds=60))


def make_deferring(cumulate=None) -> Bench:
    """The packer receives at once and issues ten minutes later."""
    carton = make_component("CARTON-12", "1", line="0020", operation="0030")
    packer = BomOperation("0030", "EA", receipt=True, defer=timedelta(minutes=10))
    operations = (BomOperation("0010", "bottle", Fraction(12), defer=timedelta(minutes=10)), packer)
    return Bench(cumulate, make_master(bom=make_bom(make_component(), carton, operations=operations)))


def make_splitting(cumulate=None) -> Bench:
    """A shortage of bottles or cartons posts what is there."""
    parts = (
        make_component(on_shortage=Shortage.SPLIT),
        make_component("CARTON-12", "1", line="0020", operation="0030", on_shortage=Shortage.SPLIT),
    )
    bench = Bench(cumulate, make_master(bom=make_bom(*parts)))
    for lot in list(bench.work.lot_balances.changed.values()):
        bench.work.put_lot(LotBalance(lot.key, lot.uom, lot.received_at, None, lot.status))
    return bench


def settle(bench: Bench) -> None:
    (record,) = open_backlogs(bench)
    triggers = {row.id: row.trigger for row in (*bench.triggers, *bench.work.rows.triggers)}
    backlogs.settle(bench.work, record, triggers, (*bench.spans, *bench.work.rows.spans))


def open_backlogs(bench: Bench) -> list:
    every = {**bench.state.exceptions, **bench.work.exceptions.changed}
    return [one for one in every.values() if one.kind is ExceptionKind.BACKLOG and one.closed_at is None]


def test_a_deferred_issue_is_a_document_that_waits_for_its_time():
    bench = make_deferring()
    bench.count(signal=PACKER)

    (received,) = bench.posted
    (waiting,) = (one for _, one in bench.work.documents.items())

    assert ["produced"] == [one.use for one in received.lines]
    assert (Part.DEFERRED, second(600), 1) == (waiting.key.part, waiting.due, waiting.follows)


def test_a_deferred_issue_posts_when_its_time_has_come_and_names_what_it_follows():
    bench = make_deferring()
    bench.count(signal=PACKER)
    bench.clock(600)

    (issued,) = bench.posted

    assert ("deferred", 1, ["CARTON-12"]) == (why(issued), issued.follows, [one.item for one in issued.lines])
    assert 1 == bench.work.rows.postings[0].follows


def test_a_deferred_issue_has_taken_its_stock_already():
    bench = make_deferring()
    bench.count("3", signal=PACKER)

    assert [Decimal(3)] == [one.consumed for one in bench.work.lot_balances.changed.values() if one.consumed]


def test_the_deferred_issues_of_a_window_are_one_document():
    bench = make_deferring(MINUTE)
    for at in range(3):
        bench.count("2", at)
    bench.clock(60)
    bench.clock(660)

    assert [(Decimal(6), 3)] == [(one.lines[0].quantity, len(one.triggers)) for one in bench.posted]


def test_what_a_document_follows_is_closed_before_it():
    bench = make_deferring(Cumulation())
    bench.count("2")
    bench.clock(600)

    assert [(None, Decimal(2)), (1, Decimal(0))] == [(one.follows, one.output.good) for one in bench.posted]


def test_what_is_short_posts_without_it_and_is_owed():
    bench = make_splitting()
    bench.work.put_lot(make_lot(staged="2"))
    bench.count("5")

    (entry,) = open_backlogs(bench)

    assert [Decimal(2)] == [one.quantity for one in bench.posted[0].lines]
    assert "order 100045 is owed at operation 0010: 3 EA of BOTTLE-500 (BOM line 0010)" == entry.reason
    assert (Decimal(3), "EA", 1) == (entry.quantity, entry.uom, entry.count)


def test_a_backlog_grows_in_one_entry():
    bench = make_splitting()
    bench.count("5")
    bench.count("4")

    assert [(Decimal(9), 2)] == [(one.quantity, one.count) for one in open_backlogs(bench)]


def test_a_backlog_is_settled_as_far_as_stock_comes():
    bench = make_splitting()
    bench.count("5")
    bench.work.put_lot(make_lot(staged="4"))
    settle(bench)

    settled = bench.posted[-1]
    (entry,) = open_backlogs(bench)

    assert (1, "settled", [Decimal(4)], Decimal(0)) == (
        settled.follows,
        why(settled),
        [one.quantity for one in settled.lines],
        settled.output.units,
    )
    assert [Decimal(1)] == [one.quantity for _, one in bench.work.backlogs.items()]
    assert Decimal(1) == entry.quantity


def test_a_backlog_that_is_settled_later_names_the_posting_that_was_short():
    bench = make_splitting()
    bench.count("1")
    bench.count("5")
    bench.commit()
    bench.work.put_lot(make_lot(staged="100"))
    settle(bench)

    assert [1, 2] == [one.follows for one in bench.posted]


def test_a_settled_backlog_closes_its_entry():
    bench = make_splitting()
    bench.count("5")
    bench.count("4")
    bench.work.put_lot(make_lot(staged="100"))
    settle(bench)

    assert ([], []) == (open_backlogs(bench), list(bench.work.backlogs.items()))


def test_nothing_is_settled_while_nothing_comes():
    bench = make_splitting()
    bench.count("5")
    bench.commit()
    settle(bench)  # the entry says why from now on
    bench.commit()
    settle(bench)

    assert (False, []) == (bench.work.must_commit, bench.posted)


def test_what_one_window_was_short_of_is_settled_in_one_document_after_it():
    bench = make_splitting(MINUTE)
    for at in range(3):
        bench.count("5", at)
    bench.work.put_lot(make_lot(staged="100"))
    settle(bench)

    window, settled = bench.posted

    assert ([], Decimal(15), 1, 3) == (
        list(window.lines),
        settled.lines[0].quantity,
        settled.follows,
        len(settled.triggers),
    )


def test_a_cancelled_backlog_is_owed_no_more():
    bench = make_splitting()
    bench.count("5")
    (owed,) = (one for _, one in bench.work.backlogs.items())
    backlogs.cancel(bench.work, owed, Decimal(2))
    left = [one.quantity for _, one in bench.work.backlogs.items()]
    backlogs.cancel(bench.work, owed._replace(quantity=Decimal(3)), Decimal(3))

    assert ([Decimal(3)], []) == (left, open_backlogs(bench))


def test_a_settled_line_went_into_the_units_that_were_short():
    bench = make_splitting()
    bench.count("5")
    bench.count("4")
    bench.work.put_lot(make_lot(staged="100"))
    settle(bench)

    assert [((0, 5_000_000),), ((5_000_000, 9_000_000),)] == [one.reach for one in bench.work.rows.postings[2:]]


def test_the_issues_of_an_order_are_all_closed_with_it():
    bench = make_deferring()
    bench.count(signal=PACKER)
    bench.commit()

    assert [2] == documents.close_of_order(bench.work, "100045")

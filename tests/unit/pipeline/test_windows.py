"""Windows: which triggers share a document, and what closes it."""

from dataclasses import replace
from datetime import time, timedelta
from decimal import Decimal

import pytest

from gateway.domain.line import Cumulation, Line
from gateway.pipeline import documents
from tests.factories import NOON, day, make_lot
from tests.unit.pipeline.bench import FILLER, PACKER, REJECTS, Bench, second, why

MINUTE = Cumulation(window=timedelta(seconds=60))
BERLIN = Line("L1", "Europe/Berlin", (time(6), time(14), time(22)))


def quantities(posting) -> list[str]:
    return [format(one.quantity, "f") for one in posting.lines]


def test_a_trigger_without_a_window_is_a_document_of_its_own():
    bench = Bench()
    bench.count("3")
    bench.count("2")

    assert [(Decimal(3), None), (Decimal(2), None)] == [(one.output.good, one.window) for one in bench.posted]


def test_triggers_of_one_window_are_one_document_with_each_still_linked():
    bench = Bench(MINUTE)
    for quantity, at in (("10", 0), ("5", 20), ("7", 59)):
        bench.count(quantity, at)
    bench.clock(60)

    (closed,) = bench.posted

    assert (Decimal(22), ["22"], 3) == (closed.output.good, quantities(closed), len(closed.triggers))


def test_an_open_window_has_taken_its_stock_and_posted_nothing():
    bench = Bench(MINUTE)
    bench.count("10")

    assert [] == bench.posted
    assert Decimal(10) == next(one.consumed for one in bench.work.lot_balances.changed.values() if one.consumed)


def test_a_window_says_when_it_opened_and_closed_and_why():
    bench = Bench(MINUTE)
    bench.count()
    bench.clock(75)

    assert (NOON, second(75), "time") == bench.posted[0].window


def test_every_link_says_which_quantity_of_which_line_is_the_triggers():
    bench = Bench(MINUTE)
    bench.count("10")
    bench.count("5")

    assert [(1, 1, Decimal(10), ((0, Decimal(10)),)), (2, 1, Decimal(5), ((0, Decimal(5)),))] == [
        (one.trigger, one.document, one.units, one.lines) for one in bench.work.rows.links
    ]


def test_a_link_of_a_second_lot_names_the_documents_line():
    bench = Bench(MINUTE)
    bench.work.put_lot(make_lot("B-0", "12", expires_at=day(1)))
    bench.count("10")
    bench.count("5")

    assert ((0, Decimal(2)), (1, Decimal(3))) == bench.work.rows.links[1].lines
    assert [0, 1] == [pick.line for pick in bench.work.rows.links[1].draws[0].picks]


def test_a_trigger_that_begins_after_the_windows_end_opens_the_next():
    bench = Bench(MINUTE)
    for at in (0, 59, 60):
        bench.count("1", at)

    assert [("time", Decimal(2))] == [(why(one), one.output.good) for one in bench.posted]
    assert [2] == bench.open


def test_a_trigger_belongs_wholly_to_the_window_in_which_it_began():
    bench = Bench(MINUTE)
    bench.count("1", 0)
    bench.count("9", 70, since=second(50))

    assert [] == bench.posted


def test_a_late_trigger_whose_window_was_closed_is_a_document_of_its_own_and_the_open_one_goes_on():
    bench = Bench(MINUTE)
    for quantity, at in (("1", 0), ("2", 61), ("4", 30), ("8", 70)):
        bench.count(quantity, at)
    late = [(one.output.good, one.window) for one in bench.posted][1:]
    bench.clock(130)

    assert [(Decimal(4), None)] == late
    assert [Decimal(10)] == [one.output.good for one in bench.posted]


def test_a_late_trigger_of_the_former_shift_does_not_land_in_this_one():
    bench = Bench(Cumulation(shift=True), line=Line("L1", "UTC", (time(12),)))
    for quantity, at in (("1", 5), ("2", -10), ("4", 2)):
        bench.count(quantity, at)

    assert [Decimal(2)] == [one.output.good for one in bench.posted]
    assert 1 == len(bench.open)


def test_the_trigger_that_reaches_the_units_belongs_to_the_window_it_closes():
    bench = Bench(Cumulation(units=Decimal(12)))
    for quantity in ("5", "5", "5", "1"):
        bench.count(quantity)

    assert [("units", Decimal(15))] == [(why(one), one.output.good) for one in bench.posted]


def test_a_shift_boundary_in_local_time_closes_the_window():
    bench = Bench(Cumulation(shift=True), line=BERLIN)  # 14:00 in Berlin is 13:00 UTC in November
    bench.count("1", 0)
    bench.count("1", 3599)
    bench.count("1", 3600)

    assert [("shift", Decimal(2))] == [(why(one), one.output.good) for one in bench.posted]


def test_the_clock_closes_a_window_at_the_shift_boundary():
    bench = Bench(Cumulation(shift=True), line=BERLIN)
    bench.count()
    bench.clock(3600)

    assert ["shift"] == [why(one) for one in bench.posted]


def test_a_change_of_order_closes_every_window_of_the_machines_operation():
    bench = Bench(MINUTE)
    bench.count("5")
    bench.count("1", signal=REJECTS)
    bench.count("2", 1, order="100046")

    assert [("order change", "100045")] * 2 == [(why(one), one.order) for one in bench.posted]
    assert [3] == bench.open


def test_good_and_rejected_units_of_a_machine_gather_side_by_side():
    bench = Bench(MINUTE)
    for at in range(3):
        bench.count("5", at)
        bench.count("1", at, signal=REJECTS)
    bench.clock(60)

    assert [(Decimal(15), Decimal(0)), (Decimal(0), Decimal(3))] == [
        (one.output.good, one.output.scrap) for one in bench.posted
    ]


def test_another_lot_closes_the_window_where_that_is_wanted():
    bench = Bench(Cumulation(window=timedelta(minutes=5), lot_change=True))
    bench.work.put_lot(make_lot("B-0", "10", expires_at=day(1)))
    for quantity in ("5", "5", "5"):
        bench.count(quantity)

    assert [("lot change", ["B-0"])] == [(why(one), [line.lot for line in one.lines]) for one in bench.posted]


def test_another_version_of_the_rule_closes_the_window():
    bench = Bench(MINUTE)
    bench.count()
    point = bench.work.model.points[FILLER]
    newer = {**bench.work.model.points, FILLER: replace(point, rule=replace(point.rule, version=2))}
    bench.work.model = replace(bench.work.model, points=newer)
    bench.count()

    assert ["rule change"] == [why(one) for one in bench.posted]


def test_master_data_that_changed_close_the_windows_of_the_former_ones():
    bench = Bench(MINUTE)
    bench.count()
    bench.master = replace(bench.master, hash="sha256:new")
    bench.commit()
    documents.close_outdated(bench.work)

    assert [("master data", "sha256:5f3c")] == [(why(one), one.master_data) for one in bench.posted]


def test_an_order_can_be_closed_with_all_its_windows():
    bench = Bench(MINUTE)
    bench.count("1")
    bench.count("1", signal=REJECTS)
    seqs = documents.close_of_order(bench.work, "100045")

    assert ([1, 2], []) == (seqs, bench.open)


def test_a_case_stays_a_document_of_its_own_beside_the_open_window():
    bench = Bench(MINUTE)
    bench.count("12")
    bench.count("1", signal=PACKER)
    bench.clock(60)

    assert (1, ["0010"]) == (bench.state.head.seq, [one.operation for one in bench.posted])


def test_a_window_goes_on_over_many_batches():
    bench = Bench(MINUTE)
    for at in range(5):
        bench.count("2", at)
        bench.commit(second(at))
    bench.clock(60)

    (closed,) = bench.posted

    assert (["10"], [1, 2, 3, 4, 5]) == (quantities(closed), [one.id for one in closed.triggers])


def test_a_closed_window_is_forgotten():
    bench = Bench(MINUTE)
    bench.count()
    bench.clock(60)
    bench.commit()

    assert ({}, {}, {}, {}) == (bench.state.documents, bench.state.windows, bench.state.gathered, bench.state.seqs)


def test_what_opens_and_closes_in_one_batch_leaves_no_open_document():
    bench = Bench(Cumulation(units=Decimal(1)))
    bench.count()

    assert {} == bench.work.batch().documents


def test_a_clock_that_is_not_trusted_closes_nothing():
    bench = Bench(MINUTE)
    bench.count()
    bench.trust = "none"
    bench.clock(60)

    assert ([], [1]) == (bench.posted, bench.open)


@pytest.mark.parametrize("cumulate", [None, MINUTE])
def test_a_document_opened_while_the_master_data_were_in_force_keeps_their_content(cumulate):
    bench = Bench(cumulate)
    bench.count()
    first = bench.work.batch().snapshots
    bench.commit()
    bench.count()

    assert (["sha256:5f3c"], []) == ([one.hash for one in first], bench.work.batch().snapshots)


def test_master_data_that_come_back_are_written_again():
    bench, written = Bench(), []
    bench.commit()
    for name in ("sha256:5f3c", "sha256:77aa", "sha256:5f3c"):  # retention may have deleted the first ones meanwhile
        bench.master = replace(bench.master, hash=name)
        bench.begin()
        bench.count()
        written += [one.hash for one in bench.work.batch().snapshots]
        bench.commit()

    assert ["sha256:5f3c", "sha256:77aa", "sha256:5f3c"] == written

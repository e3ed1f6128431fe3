"""Bookings join a document: lines of one lot, bin and BOM line are one, each trigger keeps its link."""

from decimal import Decimal

import pytest

from gateway.backflush.closed import after_window
from gateway.backflush.gather import Gathering, compact
from gateway.backflush.step import step
from gateway.domain.document import Document, Pick
from gateway.domain.posting import ActivityLine, Deviation, Output, PostingLine
from gateway.domain.quantity import ZERO
from gateway.domain.use import Use
from tests.factories import LINE, NOON, Shelf, day, make_lot, make_master, make_trigger

BOOKING = step(Shelf(make_lot()), make_master(), make_trigger("2")).bookings[0]
OLD, NEW = (
    PostingLine(Use.CONSUMED, "GLUE", Decimal(3), "g", lot, "BIN", "0020", "backflush", LINE) for lot in ("G-1", "G-2")
)


def make_gathering() -> Gathering:
    nothing = Output(ZERO, ZERO, ZERO, "bottle")
    return Gathering(Document(7, BOOKING.key, NOON, NOON, None, nothing, (), (), (), (), ()))


def gathered(*bookings, reach=None):
    gathering = make_gathering()
    links = [gathering.add(one, reach) for one in bookings]
    return gathering.document(), links


def test_lines_of_one_lot_bin_and_bom_line_are_one():
    document, _ = gathered(*(BOOKING._replace(lines=(one,)) for one in (OLD, NEW, OLD)))

    assert [("G-1", Decimal(6)), ("G-2", Decimal(3))] == [(one.lot, one.quantity) for one in document.lines]


@pytest.mark.parametrize(
    "change",
    [
        {"location": "BIN-2"},
        {"bom_line": "0030"},
        {"method": "residual"},
        {"use": Use.BY_PRODUCT},
        {"standard": Decimal(1)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_differs_otherwise_stays_a_line_of_its_own(change):
    document, _ = gathered(BOOKING._replace(lines=(OLD,)), BOOKING._replace(lines=(OLD._replace(**change),)))

    assert 2 == len(document.lines)


def test_a_document_of_one_trigger_has_one_line_for_a_lot_bin_and_bom_line_too():
    picks = tuple(Pick(number, Decimal(3), Decimal(3)) for number in range(3))
    draw = BOOKING.draws[0]._replace(picks=picks)
    found = compact(BOOKING._replace(lines=(OLD, NEW, OLD), draws=(draw,)))

    assert [("G-1", Decimal(6)), ("G-2", Decimal(3))] == [(one.lot, one.quantity) for one in found.lines]
    assert [0, 1, 0] == [one.line for one in found.draws[0].picks]


def test_lines_of_one_lot_that_differ_otherwise_stay_lines_of_their_own():
    booking = BOOKING._replace(lines=(OLD, OLD._replace(method="residual")), draws=())

    assert booking == compact(booking)


def test_the_standard_beside_an_entered_quantity_is_summed_too():
    line = OLD._replace(standard=Decimal(2))
    document, _ = gathered(BOOKING._replace(lines=(line,)), BOOKING._replace(lines=(line,)))

    assert (Decimal(6), Decimal(4)) == (document.lines[0].quantity, document.lines[0].standard)


def test_outputs_activities_and_deviations_are_summed_and_told_once():
    late = Deviation("staged-after-use", "lot B-1 came later")
    one = BOOKING._replace(activities=(ActivityLine("machine", Decimal(4), "s"),), deviations=(late,))
    document, _ = gathered(one, one)

    assert (Decimal(4), (ActivityLine("machine", Decimal(8), "s"),), (late,)) == (
        document.output.good,
        document.activities,
        document.deviations,
    )


def test_a_link_and_its_picks_name_the_documents_lines():
    _, links = gathered(BOOKING._replace(lines=(OLD,)), BOOKING)

    assert ((1, Decimal(2)),) == links[1].lines
    assert [1] == [pick.line for draw in links[1].draws for pick in draw.picks]


def test_a_line_reaches_from_the_first_unit_it_went_into_to_the_last():
    gathering = make_gathering()
    for reach in ((0, 2), None, (4, 6)):
        gathering.add(BOOKING, reach)

    assert ((0, 6),) == gathering.document().reach


def test_a_document_goes_on_where_it_stood():
    document, _ = gathered(BOOKING)
    again = Gathering(document)
    again.add(BOOKING, None)

    assert ([Decimal(4)], (1, 1)) == ([one.quantity for one in again.document().lines], again.document().triggers)
    assert (BOOKING.key, Decimal(4)) == (again.key, again.counted)


def test_another_lot_is_one_that_the_bom_line_did_not_issue_yet():
    gathering = make_gathering()
    gathering.add(BOOKING._replace(lines=(OLD,)), None)
    other_line = NEW._replace(bom_line="0030")

    assert [False, True, False, False] == [
        gathering.takes_another_lot(BOOKING._replace(lines=lines))
        for lines in ((OLD,), (OLD, NEW), (other_line,), (NEW._replace(use=Use.PRODUCED),))
    ]


def test_a_closed_document_posts_everything_it_gathered():
    document, _ = gathered(BOOKING, BOOKING)
    posting = after_window(document, (BOOKING.trigger,), day(1), "time", 4)

    assert ((NOON, day(1), "time"), 4, document.lines, document.output, "component") == (
        posting.window,
        posting.follows,
        posting.lines,
        posting.output,
        posting.type,
    )

from decimal import Decimal

import orjson
import pytest

from gateway.backflush import closed
from gateway.backflush.step import step
from gateway.domain.clock import ClockTrust
from gateway.domain.event import EventKind
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.posting import ActivityLine, Deviation, Posting, PostingType, Reason, Shortfall, Variance
from gateway.domain.quantity import ZERO
from gateway.domain.signature import Signature
from gateway.formats import canonical
from tests.factories import LINE, NOON, Shelf, day, make_lot, make_master, make_trigger

PLACE = canonical.Place("PLANT1-L1", "01JXK3", NOON, ClockTrust("kernel", 12))


def rendered(trigger) -> dict:
    shelf = Shelf(make_lot(), make_lot("C-1", item="CARTON-12", location="L1-PACK"))
    booked = step(shelf, make_master(), trigger)
    return written(closed.at_once(booked.bookings[0]))


def written(posting) -> dict:
    return orjson.loads(canonical.posting(posting, 7, 9, PLACE))


def test_a_posting_says_who_it_is_where_it_stands_and_how_its_clock_was():
    body = rendered(make_trigger())

    assert {
        "format": "backflush.posting/1",
        "kind": "posting",
        "gateway": "PLANT1-L1",
        "store": "01JXK3",
        "seq": 7,
        "position": 9,
        "posted_at": "2026-11-21T12:00:00.000Z",
        "clock": {"trust": "kernel", "error_ms": 12},
    } == dict(list(body.items())[:8])


def test_a_posting_says_what_was_made_by_which_bill():
    body = rendered(make_trigger("3"))

    assert ("100045", "0010", "component") == (body["order"], body["operation"], body["posting_type"])
    assert {"good": "3", "scrap": "0", "rework": "0", "uom": "bottle"} == body["output"]
    assert {"id": "COLA-CASE-12", "version": "3"} == body["bom"]
    assert "sha256:5f3c" == body["master_data"]


def test_an_issued_line_names_its_bom_line_and_method():
    body = rendered(make_trigger("3"))

    assert [
        {
            "use": "consumed",
            "item": "BOTTLE-500",
            "quantity": "3",
            "uom": "EA",
            "lot": "B-1",
            "location": "L1-FILL",
            "bom_line": "0010",
            "method": "backflush",
            "owner": {"kind": "line", "name": "L1"},
        }
    ] == body["lines"]


def test_a_received_line_has_neither():
    body = rendered(make_trigger("3", "0030"))

    assert {
        "use": "produced",
        "item": "COLA-CASE-12",
        "quantity": "3",
        "uom": "EA",
        "lot": "C261121-1",
        "location": "L1-OUT",
    } == body["lines"][0]


def test_a_trigger_is_linked_with_its_event_and_both_times():
    body = rendered(make_trigger("3", flag="ROLLOVER_INFERRED", since=day(-1), received_time=day(1)))

    assert [
        {
            "id": 1,
            "rule": "fill-good",
            "rule_version": 1,
            "device": "FILLER-1",
            "signal": "good",
            "event": "good_units",
            "key": "7:100-101@100",
            "quantity": "3",
            "uom": "",
            "since": "2026-11-20T12:00:00.000Z",
            "source_time": "2026-11-21T12:00:00.000Z",
            "received_time": "2026-11-22T12:00:00.000Z",
            "flag": "ROLLOVER_INFERRED",
        }
    ] == body["triggers"]


@pytest.mark.parametrize(("units", "written"), [(Decimal(12), "12"), (None, None)])
def test_a_sealed_case_is_the_postings_handling_unit(units, written):
    sscc = "106141412345678908"
    body = rendered(make_trigger("1", "0030", kind=EventKind.CASE_SEALED, sscc=sscc, units=units))

    assert {"sscc": sscc, "units": written} == body["handling_unit"]


def test_a_count_without_a_case_has_no_handling_unit():
    assert None is rendered(make_trigger())["handling_unit"]


def test_a_journal_entry_has_its_kind_place_and_content():
    body = canonical.journal("staging", {"staging": "S-1", "quantity": Decimal("1E+3")}, 9, PLACE)

    assert {
        "format": "backflush.journal/1",
        "kind": "staging",
        "gateway": "PLANT1-L1",
        "store": "01JXK3",
        "position": 9,
        "at": "2026-11-21T12:00:00.000Z",
        "staging": "S-1",
        "quantity": "1000",
    } == orjson.loads(body)


def test_a_journal_entry_carries_nothing_that_has_no_rule():
    with pytest.raises(TypeError, match="set"):
        canonical.journal("staging", {"lots": {"B-1"}}, 9, PLACE)


def make_posting(**changes) -> Posting:
    booked = step(Shelf(make_lot()), make_master(), make_trigger("3"))
    return closed.at_once(booked.bookings[0])._replace(**changes)


def test_a_posting_of_one_trigger_has_no_window_and_follows_nothing():
    body = rendered(make_trigger())

    assert [None] * 5 == [body[name] for name in ("window", "reverses", "follows", "reason", "signature")]


def test_a_window_says_when_it_opened_and_closed_and_why():
    body = written(make_posting(window=(NOON, day(1), "units")))

    assert {
        "opened": "2026-11-21T12:00:00.000Z",
        "closed": "2026-11-22T12:00:00.000Z",
        "why": "units",
    } == body["window"]


def test_a_reversal_says_what_it_mirrors_who_signed_it_and_why():
    signature = Signature("anna", "Anna Ehrlich", "supervisor", "reversal approved", NOON, "sha256:00ff")
    reason = Reason("WRONG", "counted wrong")
    body = written(make_posting(triggers=(), reverses=4, follows=3, reason=reason, person="anna", signature=signature))

    assert ({"seq": 4}, 3, {"code": "WRONG", "text": "counted wrong"}, "anna", None) == (
        body["reverses"],
        body["follows"],
        body["reason"],
        body["person"],
        body["handling_unit"],
    )
    assert {
        "user": "anna",
        "name": "Anna Ehrlich",
        "role": "supervisor",
        "meaning": "reversal approved",
        "signed_at": "2026-11-21T12:00:00.000Z",
        "record": "sha256:00ff",
    } == body["signature"]


def test_a_line_says_the_standard_beside_an_entered_quantity_and_who_supplied_the_lot():
    posting = make_posting()
    line = posting.lines[0]._replace(standard=Decimal("2.5"), supplier="GLASS & CO")
    body = written(posting._replace(lines=(line,)))

    assert ("2.5", "GLASS & CO") == (body["lines"][0]["standard"], body["lines"][0]["supplier"])


def test_activities_and_deviations_have_members_of_their_own():
    body = written(
        make_posting(
            activities=(ActivityLine("machine", Decimal("0.50"), "h"),),
            deviations=(Deviation("staged-after-use", "lot B-1 came later"),),
        )
    )

    assert [{"activity": "machine", "quantity": "0.5", "uom": "h"}] == body["activities"]
    assert [{"code": "staged-after-use", "text": "lot B-1 came later"}] == body["deviations"]


def test_an_orders_close_has_its_variances():
    variance = Variance("0010", "SYRUP", "L", *map(Decimal, ("10", "11", "1", "0", "0", "0")), "usage")
    body = written(make_posting(type=PostingType.CLOSE, variances=(variance,)))

    assert [("0010", "10", "11", "usage")] == [
        (one["bom_line"], one["standard"], one["actual"], one["cause"]) for one in body["variances"]
    ]


def test_a_replenishment_says_what_is_short():
    shortfall = Shortfall(LINE, "BOTTLE-500", "EA", Decimal(90), Decimal(100), None)
    body = written(make_posting(type=PostingType.REPLENISHMENT, triggers=(), shortfall=shortfall))

    assert "replenishment" == body["kind"]
    assert {
        "owner": {"kind": "line", "name": "L1"},
        "item": "BOTTLE-500",
        "uom": "EA",
        "left": "90",
        "reorder_point": "100",
        "quantity": None,
    } == body["shortfall"]


def test_a_work_list_entry_is_chained_with_everything_that_may_change():
    entry = canonical.exception(
        ExceptionRecord(
            4, ExceptionKind.ALERT, "control-limit", "too much", ("1", "2"), ZERO, "", 1, NOON, NOON, NOON, owner="qa"
        )
    )

    assert (4, "alert", ["1", "2"], None, "qa") == (
        entry["exception"],
        entry["about"],
        entry["scope"],
        entry["closed_at"],
        entry["owner"],
    )

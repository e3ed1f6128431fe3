"""Order close: tolerance, and each component's variance with its cause."""

from decimal import Decimal
from fractions import Fraction

import pytest

from gateway.backflush.close import Made, outside_tolerance, received, variances
from gateway.domain.bom import Alternate, BillOfMaterial, Component, Method
from gateway.domain.posting import Output, PostingLine
from gateway.domain.quantity import Rounding, RoundingMode
from gateway.domain.use import Use
from tests.factories import make_bom, make_component, make_master, make_order

ORDER = make_order(quantity=Decimal(10), over_tolerance=Fraction(1, 10), under_tolerance=Fraction(1, 10))


def made(operation: str, good: str = "0", scrap: str = "0", rework: str = "0", *, version: str = "3") -> Made:
    return Made(operation, version, Output(Decimal(good), Decimal(scrap), Decimal(rework), "EA"))


def line(quantity: str, item: str = "BOTTLE-500", bom_line: str | None = "0010", **more) -> PostingLine:
    use = more.pop("use", Use.CONSUMED)
    lot = more.pop("lot", "B-1")
    return PostingLine(use, item, Decimal(quantity), "EA", lot, "L1", bom_line, more.pop("method", "backflush"), **more)


def factor(_item: str, _uom: str) -> Fraction:
    return Fraction(1)


def booked(bom, made_, lines, *, factor_of=factor, **master):
    """Return the variances by item, each checked: its parts are the difference between actual and standard."""
    data = make_master(bom=bom, **master)
    found = variances(data, make_order(), bom, made_, lines, factor_of=factor_of)
    for one in found:
        assert one.actual - one.standard == one.usage + one.mix + one.yields + one.scrap
    return {one.item: one for one in found}


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        (9, ""),
        (10, ""),
        (11, ""),
        (8, "8 EA were received, at least 9 have to be"),
        (12, "12 EA were received, at most 11 may be"),
    ],
)
def test_an_order_closes_within_its_tolerance(quantity, expected):
    assert expected == outside_tolerance(ORDER, Fraction(quantity), None)


def test_a_signed_overrun_replaces_the_upper_tolerance():
    assert ["", "16 EA were received, at most 15 may be"] == [
        outside_tolerance(ORDER, Fraction(quantity), Decimal(15)) for quantity in (15, 16)
    ]


def test_without_tolerances_nothing_is_checked():
    assert "" == outside_tolerance(make_order(), Fraction(5000), Decimal(1))


def test_what_is_received_is_counted_at_the_receipt_operation_in_the_orders_unit():
    assert 3 == received(make_bom(), (made("0010", "48"), made("0030", "2"), made("0030", "1", version="2")))


def test_an_order_as_planned_has_no_variance():
    found = booked(make_bom(), (made("0010", "24"), made("0030", "2")), (line("24"), line("2", "CARTON-12", "0020")))

    assert {"BOTTLE-500": 0, "CARTON-12": 0} == {
        item: one.usage + one.scrap + one.yields for item, one in found.items()
    }
    assert "as the standard says" == found["BOTTLE-500"].cause


def test_counted_rejects_are_scrap_variance():
    found = booked(make_bom(), (made("0010", "24", "1", "2"), made("0030", "2")), (line("27"),))["BOTTLE-500"]

    assert ("24", "27", "0", "3") == tuple(map(str, (found.standard, found.actual, found.usage, found.scrap)))
    assert "scrap +3 EA: rejects and rework were counted" == found.cause


def test_units_counted_and_never_received_are_yield_variance():
    found = booked(make_bom(), (made("0010", "30"), made("0030", "2")), (line("30"),))["BOTTLE-500"]

    assert ("24", "6", "0") == tuple(map(str, (found.standard, found.yields, found.usage)))
    assert "yield +6 EA" in found.cause


def test_units_received_and_never_counted_are_yield_variance():
    found = booked(make_bom(), (made("0030", "2"),), ())["BOTTLE-500"]

    assert ("24", "0", "-24", "0") == tuple(map(str, (found.standard, found.actual, found.yields, found.usage)))


def test_a_measured_component_names_its_lots_and_suppliers():
    bom = make_bom(make_component("DRINK", "6", line="0030", operation="0030", uom="EA", method=Method.MEASURED))
    lines = (
        line("6.3", "DRINK", "0030", method="measured", lot="D-2", supplier="ACME"),
        line("6.1", "DRINK", "0030", method="measured", lot="D-1"),
    )
    found = booked(bom, (made("0030", "2"),), lines)["DRINK"]

    assert "usage +0.4 EA: measured or scanned 12.4 (lots D-1, D-2 of ACME)" == found.cause


def test_a_scanned_component_has_the_standard_of_the_received_units():
    bom = make_bom(make_component("DRINK", "6", line="0030", operation="0030", method=Method.SCAN))

    assert 12 == booked(bom, (made("0030", "2", "1"),), ())["DRINK"].standard


def test_a_picked_component_has_no_variance():
    bom = make_bom(make_component("DRINK", "6", line="0030", operation="0030", method=Method.PICK))

    assert {} == booked(bom, (made("0030", "2"),), ())


@pytest.mark.parametrize(
    ("method", "standard", "cause"),
    [
        ("residual", None, "residuals 3"),
        ("count", None, "cycle counts 3"),
        ("backflush", Decimal(2), "entered by operators 3"),
        ("measured", None, "measured or scanned 3"),
        ("measured", Decimal(2), "entered by operators 3"),
    ],
)
def test_usage_says_what_made_it(method, standard, cause):
    lines = (line("3", method=method, standard=standard), line("24", method="backflush"))
    found = booked(make_bom(), (made("0010", "24"), made("0030", "2")), lines)["BOTTLE-500"]

    assert f"usage +3 EA: {cause} (lots B-1)" == found.cause


ROUNDING = Rounding(0, RoundingMode.UP)
PACKS = Rounding(multiple=Decimal(10), mode=RoundingMode.UP)


@pytest.mark.parametrize(
    ("rounding", "used", "cause"),
    [
        (ROUNDING, "25", "rounding"),
        (ROUNDING, "26", "not as calculated"),
        (PACKS, "30", "rounding"),
        (PACKS, "35", "not as calculated"),
        (Rounding(), "24.000000000001", "rounding"),
        (Rounding(), "23", "not as calculated"),
    ],
)
def test_usage_is_rounding_only_where_rounding_can_make_that_much(rounding, used, cause):
    bom = make_bom(make_component(rounding=rounding))
    found = booked(bom, (made("0010", "24"), made("0030", "2")), (line(used),))["BOTTLE-500"]

    assert f"EA: {cause}" in found.cause


def test_what_was_entered_and_reversed_made_no_usage():
    bom = make_bom(make_component(rounding=ROUNDING))
    entered = (line("3", standard=Decimal(2)), line("-3", standard=Decimal(-2)))
    found = booked(bom, (made("0010", "24"), made("0030", "2")), (*entered, line("25")))["BOTTLE-500"]

    assert "usage +1 EA: rounding (lots B-1)" == found.cause


def test_an_entry_for_one_item_of_a_line_is_why_the_others_have_usage():
    bom = make_bom(make_component("CAP", "12", alternates=(Alternate("LID", share=Fraction(1, 4)),)))
    lines = (line("22", "CAP", standard=Decimal(18)), line("6", "LID", "0010:LID"))
    found = booked(bom, (made("0010", "24"), made("0030", "2")), lines)

    assert "usage +3 EA: entered by operators 22 (lots B-1)" in found["CAP"].cause
    assert "usage +1 EA: entered by operators 22 of CAP (lots B-1)" in found["LID"].cause


def make_weighed(*more: Component) -> BillOfMaterial:
    weighed = make_component("DRINK", "6", line="0030", uom="EA", method=Method.MEASURED)
    return make_bom(weighed, *more)


def test_weights_above_the_standard_are_usage_and_no_yield():
    found = booked(make_weighed(), (made("0010", "122"), made("0030", "10")), (line("61", "DRINK", "0030"),))["DRINK"]

    assert (60, 1, 0) == (found.standard, found.usage, found.yields)


def test_what_was_calculated_beside_a_weight_has_a_yield():
    bom = make_weighed(make_component("CAP", "12", line="0020"))
    found = booked(bom, (made("0010", "122"), made("0030", "10")), (line("122", "CAP", "0020"),))["CAP"]

    assert (120, 0, 2) == (found.standard, found.usage, found.yields)


def test_usage_of_what_was_never_issued_says_so():
    found = booked(make_bom(), (made("0010", "24"), made("0030", "2")), ())["BOTTLE-500"]

    assert "usage -24 EA: nothing was consumed" == found.cause


def test_rests_and_counts_without_a_bom_line_belong_to_the_component_of_their_item():
    found = booked(make_bom(), (made("0010", "24"), made("0030", "2")), (line("25", bom_line=None),))

    assert 25 == found["BOTTLE-500"].actual


def test_an_item_that_no_component_has_is_usage():
    found = booked(make_bom(), (), (line("2", "GLUE", None),), more=(make_bom(make_component("GLUE"), bom="GLUED"),))[
        "GLUE"
    ]

    assert ("", 2, 2) == (found.bom_line, found.actual, found.usage)


def test_what_was_returned_or_produced_is_no_consumption():
    lines = (line("24"), line("5", use=Use.RETURNED), line("2", use=Use.BY_PRODUCT))

    assert 24 == booked(make_bom(), (made("0010", "24"), made("0030", "2")), lines)["BOTTLE-500"].actual


def test_fixed_quantity_and_setup_scrap_belong_to_the_standard_once():
    bom = make_bom(
        make_component("LABEL", "5", fixed=True), make_component("CAP", "12", line="0020", setup_scrap=Decimal(20))
    )
    found = booked(bom, (made("0010", "12"), made("0010", "12", version="2"), made("0030", "2")), ())

    assert {"LABEL": 5, "CAP": 44} == {item: one.standard for item, one in found.items()}


def test_nothing_was_drawn_once_where_nothing_was_counted():
    bom = make_bom(make_component("LABEL", "5", fixed=True))

    assert 0 == booked(bom, (), ())["LABEL"].standard


def test_alternates_out_of_their_shares_are_mix_variance():
    bom = make_bom(make_component("CAP", "12", alternates=(Alternate("LID", share=Fraction(1, 4)),)))
    lines = (line("12", "CAP"), line("12", "LID", "0010:LID"))
    found = booked(bom, (made("0010", "24"), made("0030", "2")), lines)

    assert {"CAP": (18, -6, 0), "LID": (6, 6, 0)} == {i: (one.standard, one.mix, one.usage) for i, one in found.items()}
    assert "mix -6 EA: the items of the line were not used in their shares" == found["CAP"].cause


def test_an_alternate_without_a_share_is_mix_variance():
    bom = make_bom(make_component("CAP", "12", alternates=(Alternate("LID"),)))
    found = booked(bom, (made("0010", "24"), made("0030", "2")), (line("20", "CAP"), line("5", "LID")))

    assert {"CAP": (24, -5, 1), "LID": (0, 5, 0)} == {i: (one.standard, one.mix, one.usage) for i, one in found.items()}


def test_a_change_of_version_in_mid_order_is_no_variance():
    second = make_bom(make_component(quantity="13"), version="4")
    counted = (made("0010", "12"), made("0010", "12", version="4"), made("0030", "2", version="4"))
    found = booked(make_bom(), counted, (line("25"),), more=(second,))

    assert (25, 0, 0) == (found["BOTTLE-500"].standard, found["BOTTLE-500"].usage, found["BOTTLE-500"].yields)


def test_units_of_a_version_that_is_gone_require_nothing():
    found = booked(make_bom(), (made("0010", "24", version="1"), made("0050", "3")), (line("24"),))["BOTTLE-500"]

    assert (0, 24) == (found.standard, found.usage)


def test_standards_are_in_the_stock_unit_and_rounded_only_where_they_never_end():
    bom = make_bom(make_component("GLUE", "1", uom="g"), base_quantity=Decimal(3))
    found = booked(
        bom, (made("0010", "12"), made("0030", "1")), (line("0.0003", "GLUE"),), factor_of=lambda *_: Fraction(1, 1000)
    )["GLUE"]

    assert Decimal("0.000333333333") == found.standard

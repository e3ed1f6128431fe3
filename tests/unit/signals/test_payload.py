import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gateway.errors import DataError
from gateway.signals import payload
from gateway.signals.payload import EventPaths, Path
from gateway.signals.sample import Message, Sample

PATHS = EventPaths.compile(
    {
        "id": "$.id",
        "sequence": "$.seq",
        "total": "$.total",
        "time": "$.ts",
        "quantity": "$.net",
        "uom": "$.uom",
        "order": "$.order",
        "sscc": "$.sscc",
        "units": "$.units",
        "stable": "$.stable",
        "temperature": "$.t",
    }
)
WEIGHT = {
    "id": "SCALE-1-1-17",
    "seq": 17,
    "total": 107.345,
    "ts": "2026-11-21T11:00:00.870+01:00",
    "net": 6.312,
    "uom": "kg",
    "order": 100045,
    "sscc": "340123450000000017",
    "units": 12,
    "stable": True,
}


def read(changed: dict | None = None, *, paths: EventPaths = PATHS, without: str = "") -> Sample | None:
    document = {**WEIGHT, **(changed or {})}
    document.pop(without, None)
    return payload.event("net_weight", payload.parse(json.dumps(document).encode()), paths)


def test_a_message_carries_what_its_paths_find():
    expected = Sample(
        "net_weight",
        Message(
            id="SCALE-1-1-17",
            sequence=17,
            total=Decimal("107.345"),
            quantity=Decimal("6.312"),
            uom="kg",
            order="100045",
            sscc="340123450000000017",
            units=Decimal(12),
        ),
        source_time=datetime(2026, 11, 21, 10, 0, 0, 870000, tzinfo=UTC),
    )

    assert expected == read()


def test_a_scanners_message_names_the_lot():
    paths = EventPaths.compile(
        {
            "id": "$.scan",
            "item": "$.gtin",
            "lot": "$.batch",
            "location": "$.bin",
            "bom_line": "$.position",
            "expires_at": "$.best_before",
            "supplier": "$.from",
            "line": "$.line",
            "temperature": "$.t",
        }
    )
    scanned = {"scan": 7, "gtin": "SYRUP", "batch": 4711, "bin": "L1-TANK", "position": "0010", "from": "ACME"}
    more = {"best_before": "2027-01-31T00:00:00Z", "line": "L1", "t": -4.5}
    expected = Message(
        id="7",
        item="SYRUP",
        lot="4711",
        location="L1-TANK",
        bom_line="0010",
        expires_at=datetime(2027, 1, 31, tzinfo=UTC),
        supplier="ACME",
        line="L1",
        temperature=Decimal("-4.5"),
    )

    assert expected == read({**scanned, **more}, paths=paths).value


@pytest.mark.parametrize("nothing", [None, ""])
def test_what_a_scanner_leaves_empty_is_not_said(nothing):
    paths = EventPaths.compile({"id": "$.id", "lot": "$.lot", "supplier": "$.from", "temperature": "$.t"})
    message = read({"lot": nothing, "from": nothing, "t": None}, paths=paths).value

    assert (None, "", None) == (message.lot, message.supplier, message.temperature)


def test_what_has_no_path_keeps_its_default():
    expected = Sample("net_weight", Message(id="SCALE-1-1-17"))

    assert expected == read(paths=EventPaths.compile({"id": "$.id", "sequence": None}))


def test_a_nested_path_is_followed():
    paths = EventPaths.compile({"id": "$.case.labels[0].sscc"})
    sample = payload.event("case", {"case": {"labels": [{"sscc": "1"}]}}, paths)

    assert "1" == sample.value.id


def test_an_unstable_weight_is_no_event_but_its_number_was_used():
    message = read({"stable": False, "net": "settling"}).value
    expected = Message(sequence=17, total=Decimal("107.345"), quantity=Decimal(0), uom="kg", stable=False)

    assert expected == message


@pytest.mark.parametrize("name", ["total", "net", "uom"])
def test_an_unstable_weight_may_leave_out_what_it_does_not_know(name):
    assert 17 == read({"stable": False}, without=name).value.sequence


def test_an_unstable_weight_without_a_number_is_nothing():
    assert read({"stable": False}, without="seq") is None


@pytest.mark.parametrize("name", ["order", "sscc", "ts"])
def test_a_device_may_not_know_its_order_label_or_time(name):
    assert read(without=name)
    assert read({name: None})


@pytest.mark.parametrize("name", ["id", "seq", "total", "net", "uom", "units", "stable"])
def test_what_is_configured_may_not_be_missing(name):
    with pytest.raises(DataError, match=rf"\$\.{name} is missing"):
        read(without=name)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"id": ""}, "$.id: '' is no text"),
        ({"id": True}, "$.id: true is no text"),
        ({"id": {"a": 1}}, "$.id: {'a': 1} is no text"),
        ({"id": "x" * 201}, "is longer than 200 characters"),
        ({"id": "\ud800"}, "is no Unicode text"),
        ({"seq": -1}, "$.seq: -1 is negative"),
        ({"seq": 1.5}, "is no whole number"),
        ({"seq": True}, "$.seq: true is no number"),
        ({"net": "six"}, "$.net: 'six' is not a number"),
        ({"net": -0.001}, "is negative"),
        ({"net": 1e30}, "$.net: 1E+30 is outside what a quantity can be"),
        ({"net": 10**900}, "0… is outside what a quantity can be"),
        ({"id": 1.5}, "$.id: 1.5 is no text"),
        ({"id": [None]}, "$.id: [null] is no text"),
        ({"net": "NaN"}, "$.net: 'NaN' is outside what a quantity can be"),
        ({"net": [1]}, "$.net: [1] is no number"),
        ({"uom": 7}, "$.uom: 7 is no text"),
        ({"sscc": 340123450000000017}, "is no text"),
        ({"t": "warm"}, "$.t: 'warm' is not a number"),
        ({"stable": "yes"}, "$.stable: 'yes' is neither true nor false"),
        ({"ts": "2026-11-21T10:00:00"}, "is no RFC 3339 time"),
        ({"ts": 1795308611}, "is no RFC 3339 time"),
        ({"ts": "2026-13-21T10:00:00Z"}, "is no point in time"),
        ({"ts": "0001-01-01T00:00:00+14:00"}, "is no point in time"),
    ],
)
def test_a_wrong_value_is_named_with_its_path(changed, reason):
    with pytest.raises(DataError) as caught:
        read(changed)

    assert reason in caught.value.message


@pytest.mark.parametrize("name", ["net", "total", "units", "t"])
def test_what_floats_add_up_to_is_refused_with_the_way_out(name):
    with pytest.raises(DataError) as caught:
        read({name: 190.67000000000002})

    assert f"$.{name}: 190.67000000000002 has more than 12 decimals" == caught.value.message
    assert "decimals: 3" in caught.value.hint


@pytest.mark.parametrize(
    ("sent", "exact"),
    [
        (190.67000000000002, "190.670"),
        ("190.67000000000002", "190.670"),
        (0.0005, "0"),
        (0.0015, "0.002"),
        (6.3, "6.3"),
        (7, "7"),
    ],
)
def test_with_decimals_a_quantity_is_rounded_half_to_even(sent, exact):
    message = read({"net": sent, "total": sent}, paths=replace(PATHS, decimals=3)).value

    assert [Decimal(exact)] * 2 == [message.quantity, message.total]


def test_the_total_of_an_unstable_weight_is_rounded_as_well():
    sample = read({"stable": False, "total": 190.67000000000002}, paths=replace(PATHS, decimals=3))

    assert Decimal("190.67") == sample.value.total


def test_what_is_rounded_keeps_the_digits_that_it_was_sent_with():
    assert "6.3" == str(read({"net": 6.3}, paths=replace(PATHS, decimals=3)).value.quantity)


@pytest.mark.parametrize("sent", [999999999999.9999, 1e30, "1e9999999", "NaN"])
def test_what_is_beyond_all_bounds_is_not_rounded_into_them(sent):
    with pytest.raises(DataError, match="outside what a quantity can be"):
        read({"net": sent}, paths=replace(PATHS, decimals=0))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is no JSON"),
        (b"{", "is no JSON"),
        (b"\xff\xfe\x00", "is no JSON: its byte 2 is no text in utf-16-le"),
        (b'{"id": "\xff"}', "is no JSON: its byte 8 is no text in utf-8"),
        (b'{"id": NaN}', "NaN is no JSON number"),
        (b'{"id": 1e99999999999999999999}', "beyond all bounds"),
        (b"[" * 100_000, "the payload is nested too deeply"),
        (b"[1]", "the payload is a list, not an object"),
        (b"17", "the payload is a number, not an object"),
        (b"1.5", "the payload is a number, not an object"),
        (b'"17"', "the payload is a text, not an object"),
        (b"null", "the payload is null, not an object"),
        (b"true", "the payload is true or false, not an object"),
        (b'{"n": ' + b"9" * 5000 + b"}", "the payload has a number of more than 1000 digits"),
    ],
)
def test_bytes_that_are_no_json_object_are_refused(content, reason):
    with pytest.raises(DataError) as caught:
        payload.parse(content)

    assert reason in caught.value.message


def test_numbers_keep_their_digits():
    expected = {"net": Decimal("0.10000000000000000001")}

    assert expected == payload.parse(b'{"net": 0.10000000000000000001}')


@pytest.mark.parametrize("text", ["id", "$[", "$..id", "$.a.*", "", "$.a | $.b"])
def test_what_is_no_path_to_one_value_is_refused(text):
    with pytest.raises(DataError, match="is no JSON path"):
        Path.compile(text)


@pytest.mark.parametrize(("found", "expected"), [(107, 107), (Decimal("107.0"), 107)])
def test_a_counter_is_read_from_a_message(found, expected):
    assert Sample("good", expected) == payload.value("good", {"n": found}, Path.compile("$.n"), counts=True)


@pytest.mark.parametrize(("found", "expected"), [(3, 3), ("100045", "100045")])
def test_a_context_is_read_from_a_message(found, expected):
    assert Sample("boot", expected) == payload.value("boot", {"n": found}, Path.compile("$.n"), counts=False)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (None, "$.n is missing"),
        ("107", "$.n: '107' is no whole number"),
        (Decimal("1.5"), "is no whole number"),
        ({"a": 1}, "is no single value"),
        ([1], "is no single value"),
        (True, "$.n: true is no whole number"),
    ],
)
def test_a_counter_that_is_no_number_is_refused(found, reason):
    with pytest.raises(DataError) as caught:
        payload.value("good", {"n": found}, Path.compile("$.n"), counts=True)

    assert reason in caught.value.message

import math
from datetime import UTC, datetime
from decimal import Context, Decimal

import pytest

from gateway.errors import DataError
from gateway.signals import decode
from gateway.signals.sample import Sample

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("byte_order", "registers"),
    [
        ("ABCD", [0x0102, 0x0304]),
        ("CDAB", [0x0304, 0x0102]),
        ("BADC", [0x0201, 0x0403]),
        ("DCBA", [0x0403, 0x0201]),
    ],
)
def test_32_bits_in_each_byte_order(byte_order, registers):
    expected = 0x01020304

    assert expected == decode.from_registers(registers, "uint32", byte_order)


@pytest.mark.parametrize(
    ("byte_order", "registers"),
    [
        ("ABCD", [0x0102, 0x0304, 0x0506, 0x0708]),
        ("CDAB", [0x0708, 0x0506, 0x0304, 0x0102]),
        ("BADC", [0x0201, 0x0403, 0x0605, 0x0807]),
        ("DCBA", [0x0807, 0x0605, 0x0403, 0x0201]),
    ],
)
def test_64_bits_in_each_byte_order(byte_order, registers):
    expected = 0x0102030405060708

    assert expected == decode.from_registers(registers, "uint64", byte_order)


@pytest.mark.parametrize(
    ("number", "registers", "expected"),
    [
        ("uint16", [0xFFFF], 65535),
        ("int16", [0xFFFF], -1),
        ("int32", [0xFFFF, 0xFFFE], -2),
        ("int64", [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFD], -3),
        ("float32", [0x4148, 0x0000], 12.5),
        ("float64", [0x4029, 0, 0, 0], 12.5),
    ],
)
def test_each_type(number, registers, expected):
    assert expected == decode.from_registers(registers, number, "ABCD")


def test_a_16_bit_number_only_swaps_its_bytes():
    assert [1, 1, 256, 256] == [
        decode.from_registers([1], "uint16", order) for order in ("ABCD", "CDAB", "BADC", "DCBA")
    ]


def test_a_float32_that_skips_whole_numbers_is_infinite():
    assert math.isinf(decode.from_registers([0x4B80, 0x0000], "float32", "ABCD"))  # 2 ** 24


def test_scaling_is_exact():
    expected = Decimal("1234.5")

    assert expected == decode.scaled(12345, Decimal("0.1"))


def test_scaling_keeps_every_digit_of_a_small_float():
    smallest = 5e-324

    assert Decimal(smallest).scaleb(-1, Context(prec=1000)) == decode.scaled(smallest, Decimal("0.1"))


def test_scale_one_leaves_a_number_as_it_is():
    assert 7 == decode.scaled(7, Decimal(1))


def test_nan_cannot_be_scaled_and_stays():
    assert math.isnan(decode.scaled(math.nan, Decimal("0.1")))


@pytest.mark.parametrize("value", [12, 12.0, Decimal(12), Decimal("12.00"), Decimal("1.2E1")])
def test_a_whole_number_counts_however_it_is_carried(value):
    assert Sample("good", 12) == decode.sample("good", value, counts=True)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (12.5, "12.5 is no whole number"),
        (math.nan, "nan is no count"),
        (math.inf, "inf is no count"),
        (2.0**53, "9007199254740992.0 is no count"),
        (True, "True is no count"),
        ("12", "'12' is no count"),
        (None, "None is no count"),
    ],
)
def test_what_is_no_count_has_its_reason_as_status(value, reason):
    sample = decode.sample("good", value, counts=True, source_time=NOON)

    assert sample.value is None
    assert sample.status.startswith(f"Bad: {reason}")
    assert NOON == sample.source_time


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, 7),
        (True, 1),
        (7.0, 7),
        ("100045", "100045"),
        (Decimal("7.5"), "7.5"),
        (NOON, "2026-11-21 12:00:00+00:00"),
        (math.inf, "inf"),
        (Decimal("1E+999999"), "1E+999999"),
    ],
)
def test_a_context_is_a_whole_number_or_a_text(value, expected):
    assert Sample("boot", expected) == decode.sample("boot", value, counts=False)


@pytest.mark.parametrize("value", [None, math.nan])
def test_a_context_that_is_nothing_is_bad(value):
    sample = decode.sample("boot", value, counts=False)

    assert (None, "Bad: there is no value") == (sample.value, sample.status)


def test_a_bad_status_leaves_no_value():
    expected = Sample("good", None, "BadSensorFailure")

    assert expected == decode.sample("good", 12, counts=True, status="BadSensorFailure")


def test_no_count_is_an_error_of_the_data():
    with pytest.raises(DataError):
        decode.as_count("x")

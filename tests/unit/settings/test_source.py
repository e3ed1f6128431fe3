from decimal import Decimal

import pytest

from gateway.settings.fault import Faults
from gateway.settings.source import parse


def data(text):
    faults = Faults()
    source = parse("f.yaml", text, faults)
    faults.report()
    return source.data


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("10", 10),
        ("-3", -3),
        ("0010", "0010"),
        ("1.5", Decimal("1.5")),
        ("0.10", Decimal("0.10")),
        ("1.5 %", "1.5 %"),
        ("true", True),
        ("yes", "yes"),
        ("off", "off"),
        ("null", None),
        ("~", None),
        ("", None),
        ("None", "None"),
        ("'10'", "10"),
        ("2026-01-01", "2026-01-01"),
        ("12:30", "12:30"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        (".nan", ".nan"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_scalars_are_read_by_the_core_schema_and_exactly(written, read):
    value = data(f"key: {written}")["key"]

    assert read == value
    assert type(read) is type(value)


def test_keys_are_words_whatever_they_look_like():
    assert list(data("on: a\n0010: b\n1: c\nnull: d\n")) == ["on", "0010", "1", "null"]


def test_every_key_and_entry_knows_its_line_and_column():
    source = parse("f.yaml", "a:\n  - b: 1\n    c: [x, y]\n", Faults())

    assert source.places["a",] == (1, 1)
    assert source.places["a", 0] == (2, 5)
    assert source.places["a", 0, "c"] == (3, 5)
    assert source.places["a", 0, "c", 1] == (3, 12)


def test_a_fault_at_something_missing_stands_at_what_surrounds_it():
    source = parse("f.yaml", "a:\n  b: 1\n", Faults())

    assert str(source.fault(("a", "b", "gone", "deeper"), "is wrong")) == "f.yaml:2: a.b: is wrong"


def test_an_empty_file_is_nothing():
    assert data("# only a comment\n") is None


@pytest.mark.parametrize("text", ["- " * 100_000 + "x", "[" * 100_000, "a: *b", "a: \x01", "? [a]\n: 1", "\ta: 1"])
def test_whatever_is_no_configuration_is_refused_by_line(text):
    faults = Faults()

    assert parse("f.yaml", text, faults) is None
    assert all(str(fault).startswith("f.yaml:1: ") for fault in faults.found)

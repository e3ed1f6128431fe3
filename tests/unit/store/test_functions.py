import sqlite3

import pytest

from gateway.store.functions import register


@pytest.fixture
def connection():
    raw = sqlite3.connect(":memory:")
    register(raw)
    yield raw
    raw.close()


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("(SELECT exact_sum(value) FROM json_each('[\"0.1\", \"0.2\", null, \"10\"]'))", "10.3"),
        ("(SELECT exact_sum(value) FROM json_each('[\"99999999999999999999.000000000001\", \"1\"]'))",
         "100000000000000000000.000000000001"),
        ("exact_difference('1.50', '1.5')", "0"),
        ("exact_difference('100', '0')", "100"),
        ("exact_difference('0.1', '0.3')", "-0.2"),
        ("exact_difference(NULL, '1')", None),
        ("exact_total('1', '0.5', '-2')", "-0.5"),
        ("ratio('1', '3', 100)", "33.3333"),
        ("ratio(63, '63/10', 1)", "10.0000"),
        ("ratio('1', '0', 1)", None),
        ("(SELECT merged(value ->> 0, value ->> 1) FROM json_each('[[5, 9], [0, 3], [3, 4], [6, 7], [null, null]]'))",
         "[[0,4],[5,9]]"),
    ],
)  # fmt: skip
def test_sql_reckons_exactly(connection, expression, expected):
    assert expected == connection.execute(f"SELECT {expression}").fetchone()[0]

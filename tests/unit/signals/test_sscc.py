import pytest

from gateway.errors import DataError
from gateway.signals.sscc import read_sscc

CODE = "376130321109103420"


@pytest.mark.parametrize("scanned", [CODE, f"00{CODE}", f"(00){CODE}", f"]C100{CODE}", f" {CODE} "])
def test_an_sscc_is_read_as_scanners_send_it(scanned):
    assert CODE == read_sscc(scanned)


@pytest.mark.parametrize(
    ("scanned", "why"),
    [
        ("376130321109103421", "Expected 0, got 1"),
        ("37613032110910342", "Expected 18 digits, got 17"),
        ("11376130321109103420", "Expected 18 digits, got 20"),
        ("37613032110910342X", "is no SSCC"),
        ("３76130321109103420", "other signs than digits"),
        ("carton", "is no SSCC"),
    ],
)
def test_a_wrong_number_is_refused_with_its_reason(scanned, why):
    with pytest.raises(DataError, match=why):
        read_sscc(scanned)

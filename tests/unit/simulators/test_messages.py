"""The JSON of packer and scale."""

from decimal import Decimal

from simulators.packer import encode, sscc


def gs1_sum(code):
    """GS1 General Specifications 7.9: from the right, weights 1 3 1 3 …"""
    return sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(reversed(code)))


def test_an_sscc_has_18_digits_and_a_valid_check_digit():
    codes = [sscc(boot, seq) for boot in (1, 2, 1001) for seq in range(1, 200)]

    assert {18} == {len(code) for code in codes}
    assert {0} == {gs1_sum(code) % 10 for code in codes}


def test_an_sscc_is_never_given_twice():
    codes = {sscc(boot, seq) for boot in range(1, 5) for seq in range(1, 500)}

    assert 4 * 499 == len(codes)


def test_a_decimal_is_a_json_number_with_its_own_digits():
    assert b'{"net":6.300,"uom":"kg","stable":true}' == encode({"net": Decimal("6.300"), "uom": "kg", "stable": True})

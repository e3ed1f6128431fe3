"""What a signed record keeps for ever can be read."""

import pytest

from gateway.domain.signature import readable

# Fillers that Unicode calls letters or symbols, and an accent without a letter.
PRINTED_AS_NOTHING = ["\u3164", "\u2800\u2800", "\u115f\u1160", "\uffa0", "\u0301", " \u0308"]


@pytest.mark.parametrize(
    "said",
    [
        "x",
        "?",
        "R01: größer",
        " as it was said ",
        "测试",
        "a\u00a0b",
        "e\u0301",
        "\u20ac",
        "\u2800x",
        "family \U0001f468\u200d\U0001f469",
    ],
)
def test_what_can_be_read_stays_as_it_was_said(said: str) -> None:
    assert said == readable(said)


@pytest.mark.parametrize(
    "said", ["", " ", "   ", "\u00a0", "\u3000", "\u200b", "\ufeff \u2060", "\u202e", *PRINTED_AS_NOTHING]
)
def test_nothing_but_blanks_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match="nothing but blanks"):
        readable(said)


@pytest.mark.parametrize(
    "said", ["a\nb", "a\n", "\tb", "a\x00", "a\x1b[1A", "a\x9b1A", "a\u2028b", "a\u2029b", "a\x7f"]
)
def test_one_line_without_controls_is_all_it_may_be(said: str) -> None:
    with pytest.raises(ValueError, match="on one line"):
        readable(said)

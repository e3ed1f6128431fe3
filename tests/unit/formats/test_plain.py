"""Nothing of a stranger's moves a cursor or begins a line."""

import pytest

from gateway.formats.plain import escaped


@pytest.mark.parametrize("text", ["", "Etikett Nº 7 · 3 µm", "日本", "\\x1b is written out already"])
def test_what_can_be_shown_stays_as_it_is(text):
    assert text == escaped(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("a\0b", r"a\x00b"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("\x7f\x9b2J", r"\x7f\x9b2J"),
        ("\u202e123", r"\u202e123"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_would_do_something_is_written_out(text, shown):
    assert shown == escaped(text)


def test_lines_may_be_kept():
    assert "a\n\\x1bb" == escaped("a\n\x1bb", "\n")

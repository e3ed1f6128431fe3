"""What a machine, or a stranger who can publish, might send: valid messages, broken on purpose, and plain garbage."""

import json
from typing import Any

from hypothesis import strategies as st

Payload = bytes

CASE = {"id": "case-1", "seq": 7, "units": 12, "uom": "EA", "order": "100045", "sscc": "340123450000000018"}
WEIGHT = {"id": "w-1", "seq": 7, "total": 12.5, "net": 6.25, "uom": "kg", "stable": True, "ts": "2026-11-21T10:00:00Z"}
STATE = {"good": 4711, "boot": "plc-1", "order": "100045"}
STAGED = {
    "id": "TO-1",
    "item": "BOTTLE-500",
    "lot": "B-1",
    "location": "BIN-1",
    "quantity": 20,
    "uom": "EA",
    "order": "100045",
    "expires": "2027-01-01T00:00:00Z",
}
VALID = {"case": CASE, "scale": WEIGHT, "state": STATE, "staged": STAGED}

# Written as they are sent: json.dumps would refuse most of them.
_NUMBERS = (
    *("0", "-0", "-1", "0.1", "1e-12", "1e-13", "0.0000000000001", "999999999999", "1000000000000", "1e11", "1E12"),
    *("1e400", "-1e400", "1e999999", "1e-999999", "1e9999999999999999999", "0e999999", "NaN", "Infinity", "-Infinity"),
    *("9" * 400, "1" + "0" * 400, "9" * 5000, "-" + "9" * 400, "0." + "3" * 60, "9007199254740993", "1.0", "12.50"),
    *("65535", "65536", "4294967296", "18446744073709551616", "01", "+1", "0x10", "1_000", ".5", "5."),
)
_WORDS = ("null", "true", "false", "undefined", "None", "", "[]", "{}", "[0,[1,2],0]", '{"id": 1}', "[[[]]]")
_TEXTS = (
    *("", " ", "\x00", "\n", "\ud800", "\udfff\ud800", "🍾", "e\u0301", "\u202e", "\ufeff", "１２", "12", "1e3", "NaN"),
    *("sNaN123", "1_0", "x" * 201, "x" * 100_000, "'; DROP TABLE event; --", "kg", "g", "EA", "tray", "kiloton"),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-02-30T00:00:00Z", "2026-11-21 10:00:00z"),
    *("2026-11-21T10:00:00.1234567890Z", "2026-11-21T10:00:00+24:00", "2026-11-21T24:00:00Z", "2026-11-21T10:00:60Z"),
    *("100045", "999999", "BOTTLE-500", "CARTON-12", "case-1", "340123450000000018", "(00)340123450000000018"),
)


def _nested(depth: int) -> str:
    return "[" * depth + "]" * depth


written = st.one_of(
    st.sampled_from(_NUMBERS),
    st.sampled_from(_WORDS),
    st.sampled_from(_TEXTS).map(json.dumps),
    st.text(max_size=20).map(json.dumps),
    st.integers().map(str),
    st.floats().map(json.dumps),
    st.integers(1, 1200).map(_nested),  # the deepest that can be read, too, and what can't
)


@st.composite
def changed(draw: st.DrawFn, valid: dict[str, Any]) -> Payload:
    """Return the message with some of its members left out, doubled, or with another value."""
    members = [(key, json.dumps(value)) for key, value in valid.items()]
    for _ in range(draw(st.integers(1, 3))):
        which = draw(st.integers(0, len(members) - 1)) if members else 0
        what = draw(st.sampled_from(("drop", "replace", "replace", "replace", "double", "rename")))
        members = _with(members, which, what, draw(written))
    text = "{" + ", ".join(f"{json.dumps(key)}: {value}" for key, value in members) + "}"
    encoding = draw(st.sampled_from(("utf-8", "utf-8", "utf-8", "utf-16", "utf-32-be", "utf-8-sig")))
    return text.encode(encoding, "surrogatepass")


Members = list[tuple[str, str]]


def _with(members: Members, which: int, what: str, value: str) -> Members:
    before, this, after = members[:which], members[which : which + 1], members[which + 1 :]
    if what == "drop":
        return before + after
    key = this[0][0] if this else "id"
    changes = {"replace": [(key, value)], "double": [*this, (key, value)], "rename": [(key.upper(), value)]}
    return before + changes[what] + after


@st.composite
def damaged(draw: st.DrawFn, valid: dict[str, Any]) -> Payload:
    """Return the message's bytes with some of them overwritten, cut off, or repeated."""
    content = bytearray(json.dumps(valid).encode())
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        length = draw(st.integers(0, 8))
        content[at : at + length] = draw(st.binary(max_size=8))
    return bytes(content[: draw(st.integers(0, len(content)))]) if draw(st.booleans()) else bytes(content)


_LARGE = (
    b" " * 1_000_000 + b"{}",
    b'{"id": "' + b"x" * 1_100_000 + b'"}',
    b'{"seq": ' + b"1" * 900_000 + b"}",
    b'{"id": "i", "more": [' + b"0," * 200_000 + b"0]}",
    b"[" * 200_000,
    b'{"a":' * 100_000,
)
_ODD = (b"", b"\x00", b"null", b"[]", b'"x"', b"12", b"{}", b"{", b"\xff\xfe", b"\xef\xbb\xbf{}", b'{"id": "\\ud800"}')


def garbage(valid: dict[str, Any]) -> st.SearchStrategy[Payload]:
    """Return anything but what the machine would send."""
    return st.one_of(
        changed(valid), changed(valid), damaged(valid), st.binary(max_size=64), st.sampled_from(_ODD + _LARGE)
    )

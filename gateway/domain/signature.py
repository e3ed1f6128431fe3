"""Two-component electronic signatures (user and password): who signed what, when, and with what meaning."""

from datetime import datetime
from typing import NamedTuple
from unicodedata import category

_BREAKS = frozenset({"Cc", "Zl", "Zp"})  # controls, with line feeds among them, and what else begins a line

_SEEN = frozenset("LNPS")  # first letters of the categories: letters, numbers, punctuation, symbols
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and symbols that are printed as nothing


class Signature(NamedTuple):
    """`record` is the SHA-256 (`sha256:…`) of exactly what was signed, so that it can't be moved to another record."""

    user: str
    name: str  # the person's, printed
    role: str
    meaning: str  # e.g. "reversal approved"
    signed_at: datetime
    record: str


class Author(NamedTuple):
    """Who gave a command: a token's or user's name, and the signature where the command needs one."""

    person: str
    signature: Signature | None = None


def readable(said: str) -> str:
    """Return a reason, meaning or name as it was said: the chain keeps it for ever.

    ValueError where it is more than one line, or nothing that a person could read (21 CFR 11.50 wants it printed).
    """
    if any(category(one) in _BREAKS for one in said):
        raise ValueError("write it on one line, without control characters")
    if not any(category(one)[0] in _SEEN and one not in _FILLERS for one in said):
        raise ValueError("write something that can be read: there is nothing but blanks")
    return said

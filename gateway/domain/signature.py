"""Two-component electronic signatures (user and password): who signed what, when, and with what meaning."""

from datetime import datetime
from typing import NamedTuple


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

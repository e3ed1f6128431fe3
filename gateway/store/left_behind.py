"""What only the file of a replaced store has: postings nobody took, what was held, and what was in open windows."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from gateway.domain.quantity import EXACT, ZERO, text
from gateway.store.malformed import MALFORMED

_BEHIND = "SELECT kind, name, through FROM consumer WHERE through < ? ORDER BY kind, name"
_OPEN = "SELECT uom, quantity FROM exception WHERE closed_at IS NULL ORDER BY id"
_WINDOWS = "SELECT id FROM open_document ORDER BY id"


def left_behind(connection: sqlite3.Connection, seq: int, file: str) -> str:
    """Return in a sentence what a store that ends at `seq` leaves behind, `file` being its name from now on."""
    try:
        left = [*_not_taken(connection, seq), *_held(connection), *_gathered(connection)]
    except (sqlite3.Error, *MALFORMED):
        return f"What its consumers had not taken, what was held and in open windows could not be read from {file}."
    return f"Only {file} has: {'; '.join(left)}." if left else ""


def _not_taken(connection: sqlite3.Connection, seq: int) -> Iterator[str]:
    for kind, name, through in connection.execute(_BEHIND, (seq,)):
        postings = f"posting {seq}" if through + 1 == seq else f"postings {through + 1} to {seq}"
        yield f"{postings} for {kind} {name}, which had {through} of {seq}"


def _held(connection: sqlite3.Connection) -> Iterator[str]:
    rows = connection.execute(_OPEN).fetchall()
    held: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for uom, quantity in rows:
        held[uom or "units"] = EXACT.add(held[uom or "units"], Decimal(quantity))
    if rows:
        units = ", ".join(f"{text(quantity)} {uom}" for uom, quantity in held.items() if quantity)
        yield f"open exceptions: {len(rows)}{f', with {units}' if units else ''}"


def _gathered(connection: sqlite3.Connection) -> Iterator[str]:
    windows = [str(number) for (number,) in connection.execute(_WINDOWS)]
    if windows:
        yield f"{'window' if len(windows) == 1 else 'windows'} {', '.join(windows)}, not posted"

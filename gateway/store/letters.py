"""Dead letters and refused postings as they are read: in pages, whatever size a payload has."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

PREVIEW = 200  # bytes of a payload that a list shows

_COLUMNS = "id, device, source, at, reason, length(payload), retained, put_aside, closed_at, close_reason, closed_by"
# SQLite doesn't read a payload for its length; of a long one a list reads the beginning alone (blobopen).
_SHORT = f"iif(length(payload) <= {PREVIEW}, payload, NULL)"
# Constants put together; no value from outside gets in.
_PAGE = "SELECT {}, {} FROM dead_letter WHERE id > ? AND closed_at IS {} NULL ORDER BY id LIMIT ?"
_OPEN = _PAGE.format(_COLUMNS, _SHORT, "")
_CLOSED = _PAGE.format(_COLUMNS, _SHORT, "NOT")
_ONE = f"SELECT {_COLUMNS}, payload FROM dead_letter WHERE id = ?"  # noqa: S608  # our own columns
_REFUSED = """
SELECT r.sink, r.seq, p.order_no, r.reason, r.at, r.tries, r.redrive, coalesce(NOT c.configured, 0),
    r.closed_at, r.close_reason, r.closed_by
FROM sink_rejection AS r LEFT JOIN posting AS p ON p.seq = r.seq
LEFT JOIN consumer AS c ON c.kind = 'sink' AND c.name = r.sink
"""
_REFUSED_OPEN = f"{_REFUSED} WHERE r.closed_at IS NULL AND (r.sink, r.seq) > (?, ?) ORDER BY r.sink, r.seq LIMIT ?"
_REFUSED_CLOSED = (
    f"{_REFUSED} WHERE r.closed_at IS NOT NULL AND (r.sink, r.seq) > (?, ?) ORDER BY r.sink, r.seq LIMIT ?"
)
_REFUSED_ONE = f"{_REFUSED} WHERE r.sink = ? AND r.seq = ?"
_ASKED = """
SELECT p.seq, p.body FROM sink_rejection AS r JOIN posting AS p ON p.seq = r.seq
WHERE r.sink = ? AND r.redrive AND r.closed_at IS NULL AND r.seq > ? ORDER BY r.seq LIMIT 1
"""


class Closed(NamedTuple):
    """When, why and by whom something was closed."""

    at: datetime
    reason: str
    person: str


class Letter(NamedTuple):
    """A dead letter; in a list `payload` has at most PREVIEW of its `size` bytes.

    `put_aside`: the pipeline wrote the payload, of a message of the signal `source`.
    """

    id: int
    device: str
    source: str
    at: datetime
    reason: str
    size: int
    retained: bool
    put_aside: bool
    closed: Closed | None
    payload: bytes


class Refused(NamedTuple):
    """A posting that a sink refused `tries` times, last at `at`; `asked`: it is to be offered once more.

    `order` is None where retention has deleted the posting. `removed`: the sink is not configured any more, so that
    nothing comes of another try.
    """

    sink: str
    seq: int
    order: str | None
    reason: str
    at: datetime
    tries: int
    asked: bool
    removed: bool
    closed: Closed | None


def letters(connection: sqlite3.Connection, after: int, limit: int, *, closed: bool = False) -> list[Letter]:
    """Return up to `limit` letters behind id `after`, open or closed ones, with the beginning of each payload."""
    rows = connection.execute(_CLOSED if closed else _OPEN, (after, limit)).fetchall()
    return [_letter((*row[:-1], _beginning(connection, row[0]) if row[-1] is None else row[-1])) for row in rows]


def letter(connection: sqlite3.Connection, number: int) -> Letter | None:
    """Return a letter with all its bytes, None where there is none of that number."""
    row = connection.execute(_ONE, (number,)).fetchone()
    return _letter(row) if row else None


def refused(
    connection: sqlite3.Connection, after: tuple[str, int], limit: int, *, closed: bool = False
) -> list[Refused]:
    """Return up to `limit` refused postings behind (sink, seq), open or closed ones."""
    rows = connection.execute(_REFUSED_CLOSED if closed else _REFUSED_OPEN, (*after, limit))
    return [_refused(row) for row in rows]


def refused_one(connection: sqlite3.Connection, sink: str, seq: int) -> Refused | None:
    """Return what the sink refused, None where it never refused that posting."""
    row = connection.execute(_REFUSED_ONE, (sink, seq)).fetchone()
    return _refused(row) if row else None


def asked_again(connection: sqlite3.Connection, sink: str, after: int) -> tuple[int, bytes] | None:
    """Return the next refused posting behind seq `after` that is to be offered once more: its seq and bytes."""
    found: tuple[int, bytes] | None = connection.execute(_ASKED, (sink, after)).fetchone()
    return found


def _beginning(connection: sqlite3.Connection, number: int) -> bytes:
    with connection.blobopen("dead_letter", "payload", number, readonly=True) as payload:
        return payload.read(PREVIEW)


def _letter(row: Sequence[Any]) -> Letter:
    number, device, source, at, reason, size, retained, put_aside, *closed, payload = row
    received, flags = datetime.fromisoformat(at), (bool(retained), bool(put_aside))
    return Letter(number, device, source, received, reason, size, *flags, _closed(closed), payload)


def _refused(row: Sequence[Any]) -> Refused:
    sink, seq, order, reason, at, tries, asked, removed, *closed = row
    flags = bool(asked), bool(removed)
    return Refused(sink, seq, order, reason, datetime.fromisoformat(at), tries, *flags, _closed(closed))


def _closed(row: Sequence[Any]) -> Closed | None:
    at, reason, person = row
    return None if at is None else Closed(datetime.fromisoformat(at), reason, person)

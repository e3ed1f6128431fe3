"""The chained entries as they pass, in the chain's order, each once."""

import heapq
import sqlite3
from collections.abc import Iterator
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

import orjson

from gateway.store.findings import Check

_POSTINGS = """
SELECT p.position, p.body, p.seq, p.document_id, p.order_no, p.operation, p.posting_type, p.posted_at, p.item,
    p.finished_lot, p.reverses, p.follows,
    (SELECT m.seq FROM main.posting AS m WHERE m.document_id = p.follows AND m.seq < p.seq)
FROM main.posting AS p WHERE p.seq > ? ORDER BY p.seq LIMIT ?
"""
_JOURNAL = "SELECT position, body, kind FROM main.journal WHERE position > ? AND position <= ? ORDER BY position"
_NO_BOUND = 2**63 - 1


class PostingColumns(NamedTuple):
    """A posting's columns. `follows` is a document's id, `follows_seq` the seq of that, None if it isn't there."""

    seq: int
    document: int
    order: str
    operation: str
    posting_type: str
    posted_at: str
    item: str
    finished_lot: str
    reverses: int | None
    follows: int | None
    follows_seq: int | None


class Entry(NamedTuple):
    """A posting, or a journal entry of a `kind`; `content` is its JSON, {} if unreadable."""

    position: int
    body: bytes
    posting: PostingColumns | None
    kind: str
    content: dict[str, Any]


class Inspector(Protocol):
    """Sees every entry, then answers the question `name`."""

    name: str

    def take(self, entry: Entry) -> None:
        """Look at the next entry; a malformed one may raise KeyError, TypeError or ValueError."""
        ...

    def finish(self) -> Check:
        """Return the answer."""
        ...


class Walk:
    """Goes along the chain in pieces, so that none has to be one read transaction with the next."""

    def __init__(self, seq: int, position: int) -> None:
        self._seq = self._begin = seq
        self._position = position

    @property
    def seen(self) -> int:
        """How many postings there were so far."""
        return self._seq - self._begin

    def piece(self, connection: sqlite3.Connection, most: int) -> tuple[Iterator[Entry], bool]:
        """Return the next entries by position, with about `most` postings, and whether that is all there is."""
        rows = connection.execute(_POSTINGS, (self._seq, most)).fetchall()
        is_last = len(rows) < most
        bound = _NO_BOUND if is_last else rows[-1][0]
        beside = connection.execute(_JOURNAL, (self._position, bound))
        self._seq, self._position = (self._seq if is_last else rows[-1][2]), bound
        postings = (
            Entry(position, body, PostingColumns(*row), "posting", _content(body)) for position, body, *row in rows
        )
        journal = (Entry(position, body, None, kind, _content(body)) for position, body, kind in beside)
        return heapq.merge(postings, journal, key=attrgetter("position")), is_last


def _content(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}

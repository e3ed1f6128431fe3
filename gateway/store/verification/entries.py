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
    (SELECT main.seq FROM posting AS main WHERE main.document_id = p.follows AND main.seq < p.seq)
FROM posting AS p ORDER BY p.seq
"""
_JOURNAL = "SELECT position, body, kind FROM journal ORDER BY position"


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


def entries(connection: sqlite3.Connection) -> Iterator[Entry]:
    """Yield postings and journal entries by position."""
    postings = (
        Entry(position, body, PostingColumns(*row), "posting", _content(body))
        for position, body, *row in connection.execute(_POSTINGS)
    )
    journal = (
        Entry(position, body, None, kind, _content(body)) for position, body, kind in connection.execute(_JOURNAL)
    )
    return heapq.merge(postings, journal, key=attrgetter("position"))


def _content(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}

"""Documents that were posted, and what links them to triggers, units and each other."""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from gateway.domain.document import Link, Span
from gateway.store import codec
from gateway.store.lookups import as_json

COLUMNS = "posting.seq, posting.document_id, posting.body, posting.follows, posting.reverses"
# Constants put together; no value from outside gets in.
AT = f"SELECT {COLUMNS} FROM posting WHERE seq = ?"  # noqa: S608
OF_DOCUMENTS = f"""
SELECT {COLUMNS} FROM json_each(?) AS wanted CROSS JOIN posting ON posting.document_id = wanted.value ORDER BY seq
"""  # noqa: S608
FOLLOWING = f"SELECT {COLUMNS} FROM posting WHERE follows = ? ORDER BY seq"  # noqa: S608
REVERSED_BY = f"SELECT {COLUMNS} FROM posting WHERE reverses = ? ORDER BY seq"  # noqa: S608
LINKS_OF_DOCUMENT = """
SELECT trigger_id, document_id, units, body FROM main.link WHERE document_id = ? ORDER BY trigger_id
"""
LINKS_OF_TRIGGERS = """
SELECT trigger_id, document_id, units, body FROM json_each(?) AS wanted CROSS JOIN link
ON link.trigger_id = wanted.value ORDER BY trigger_id, document_id
"""
SPANS = """
SELECT order_no, operation, span_start, span_end, trigger_id FROM json_each(?) AS wanted CROSS JOIN span
ON span.trigger_id = wanted.value WHERE NOT reversed ORDER BY span_start
"""


class StoredPosting(NamedTuple):
    """A posting as it is stored. `document` is its id, `follows` a document's id, `reverses` a seq."""

    seq: int
    document: int
    body: bytes
    follows: int | None
    reverses: int | None


def posting_at(connection: sqlite3.Connection, seq: int) -> StoredPosting | None:
    """Return the posting, None where there is none (any more)."""
    row = connection.execute(AT, (seq,)).fetchone()
    return row and StoredPosting(*row)


def postings_of(connection: sqlite3.Connection, documents: Sequence[int]) -> list[StoredPosting]:
    """Return those of the documents that were posted, oldest first."""
    return [StoredPosting(*row) for row in connection.execute(OF_DOCUMENTS, (as_json(documents),))]


def documents_following(connection: sqlite3.Connection, document: int) -> list[StoredPosting]:
    """Return the postings with the document's deferred and backlogged issues, oldest first."""
    return [StoredPosting(*row) for row in connection.execute(FOLLOWING, (document,))]


def reversed_by(connection: sqlite3.Connection, seq: int) -> list[StoredPosting]:
    """Return the postings that mirror this one or parts of it, oldest first."""
    return [StoredPosting(*row) for row in connection.execute(REVERSED_BY, (seq,))]


def links_of_document(connection: sqlite3.Connection, document: int) -> list[Link]:
    """Return the document's links by trigger, oldest first."""
    return [codec.link(*row) for row in connection.execute(LINKS_OF_DOCUMENT, (document,))]


def links_of_triggers(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Link]:
    """Return every link of these triggers, reversals included."""
    return [codec.link(*row) for row in connection.execute(LINKS_OF_TRIGGERS, (as_json(ids),))]


def spans_of(connection: sqlite3.Connection, triggers: Sequence[int]) -> list[Span]:
    """Return the units that these triggers counted and that weren't reversed, first to last."""
    return [Span(*row) for row in connection.execute(SPANS, (as_json(triggers),))]

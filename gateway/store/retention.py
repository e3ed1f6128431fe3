"""Deletes what every required consumer has and nobody needs to look up any more."""

import sqlite3
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from gateway.domain.document import Document, DocumentKey
from gateway.errors import StoreError
from gateway.formats import chain
from gateway.store.forget import forget
from gateway.store.statements import GREATEST, META
from gateway.store.store import Store
from gateway.store.totals import Totals, of_posting, retain

_CHUNK = 200  # postings a transaction: batches go on between two of them

# A posting that a required sink refused is not booked there: what follows it waits until it is, or a person settled it.
_THROUGH = """
SELECT min(through) FROM (
    SELECT through FROM consumer WHERE required
    UNION ALL
    SELECT r.seq - 1 FROM sink_rejection AS r JOIN consumer AS c ON c.kind = 'sink' AND c.name = r.sink AND c.required
    WHERE r.closed_at IS NULL
)
"""
_OLDEST = "SELECT seq, document_id, posted_at, body FROM posting WHERE seq <= ? ORDER BY seq LIMIT ?"
_DELETE_BY_SEQ = ("DELETE FROM posting WHERE seq <= ?", "DELETE FROM posting_line WHERE seq <= ?")
# What a person closed goes with the chain's entry that says so, not by the clock: so an archive that has the posting
# has it closed, too. The newest letter stays, because the greatest id says which number is next.
_DELETE_CLOSED = (
    """
    DELETE FROM dead_letter WHERE closed_at IS NOT NULL AND id < (SELECT max(id) FROM dead_letter) AND id IN (
        SELECT CAST(body AS TEXT) ->> '$.letter' FROM journal
        WHERE position <= ? AND kind IN ('letter-again', 'letter-discarded')
    )
    """,
    """
    DELETE FROM sink_rejection WHERE closed_at IS NOT NULL AND (sink, seq) IN (
        SELECT CAST(body AS TEXT) ->> '$.sink', CAST(body AS TEXT) ->> '$.seq' FROM journal
        WHERE position <= ? AND kind IN ('posting-settled', 'posting-booked')
    )
    """,
)
_DELETE_JOURNAL = "DELETE FROM journal WHERE position <= ?"
# A snapshot stays while it is in use, or anything that is left names it.
_MASTER_DATA = f"$[{Document._fields.index('key')}][{DocumentKey._fields.index('master_data')}]"
_DELETE_SNAPSHOTS = """
DELETE FROM snapshot WHERE hash NOT IN (
    SELECT value FROM meta WHERE key = 'snapshot'
    UNION ALL SELECT u.hash FROM snapshot_use AS u JOIN meta AS m ON m.key = 'retained_seq'
        WHERE u.seq > CAST(m.value AS INTEGER)
    UNION ALL SELECT body ->> '$.master_data' FROM input WHERE kind = 'activation'
    UNION ALL SELECT body ->> ? FROM open_document
)
"""
_DELETE_USES = "DELETE FROM snapshot_use WHERE hash NOT IN (SELECT hash FROM snapshot)"


class _Old(NamedTuple):
    seq: int
    document: int
    posted_at: str
    body: bytes

    @property
    def content(self) -> dict[str, Any]:
        """Its JSON; StoreError where it can't be read."""
        try:
            content: dict[str, Any] = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            what = f"posting {self.seq} can't be read, so it is not deleted"
            raise StoreError(what, "run `gateway verify`") from error
        return content


def acknowledged(connection: sqlite3.Connection) -> int | None:
    """Return the seq through which every required consumer has all, None where none is required."""
    through: int | None = connection.execute(_THROUGH).fetchone()[0]
    return through


async def prune(store: Store, keep: timedelta, now: datetime, through: int | None = None) -> int:
    """Delete postings older than `keep` that every required consumer has acknowledged; return how many.

    None behind `through` goes: what is there isn't archived.

    Their lines go too, the journal beside them with the letters and refusals it closes, and their triggers, events,
    links and units, but for those that a later or open document still speaks of, and the snapshots of master data
    that nothing names any more.
    Nothing goes while no consumer is required.
    """
    deleted = 0
    while count := await store.transact(lambda raw: _prune(raw, now - keep, through)):
        deleted += count
    if deleted:
        await store.transact(_drop_snapshots)
    return deleted


def _drop_snapshots(connection: sqlite3.Connection) -> None:
    connection.execute(_DELETE_SNAPSHOTS, (_MASTER_DATA,))
    connection.execute(_DELETE_USES)


def _prune(connection: sqlite3.Connection, limit: datetime, bound: int | None) -> int:
    old = _old(connection, limit, bound)
    if old:
        last = old[-1]
        totals = Totals()
        for one in old:
            totals.add(of_posting(one.content))
        forget(connection, last.seq, [one.document for one in old], totals)
        retain(connection, totals)
        _keep_head(connection, last)
        GREATEST.run(connection, [("retained_posting", max(one.document for one in old))])
        for statement in _DELETE_BY_SEQ:
            connection.execute(statement, (last.seq,))
        for statement in (*_DELETE_CLOSED, _DELETE_JOURNAL):  # the journal says what was closed by then
            connection.execute(statement, (last.content["position"],))
    return len(old)


def _old(connection: sqlite3.Connection, limit: datetime, bound: int | None) -> list[_Old]:
    """Return the next postings to delete: a prefix, however the clock may have jumped in it."""
    through = acknowledged(connection)
    if through is None:
        return []
    if bound is not None:
        through = min(through, bound)
    found: list[_Old] = []
    for one in map(_Old._make, connection.execute(_OLDEST, (through, _CHUNK))):
        if datetime.fromisoformat(one.posted_at) >= limit:
            break
        found.append(one)
    return found


def _keep_head(connection: sqlite3.Connection, last: _Old) -> None:
    _, _, sealed = chain.unseal(last.body)
    rows = [
        ("retained_seq", last.seq),
        ("retained_position", last.content["position"]),
        ("retained_hash", sealed.hex()),
    ]
    META.run(connection, rows)

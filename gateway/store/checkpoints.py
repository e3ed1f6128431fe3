"""Signed checkpoints: what was verified, by whose key, and where the chain stood.

A checkpoint's body is JSON, signed as it is: {"format", "gateway", "store", "position", "seq", "hash", "at", "key",
"state"}. `hash` is that of the chain's entry at `position`, `seq` the last posting's by then; `state` is the digest of
what an incremental verification needs (verified.py). The public keys are chained: journal entries of the kind `key`.
"""

import logging
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from gateway.domain.clock import rfc3339
from gateway.domain.quantity import text
from gateway.formats.canonical import Place
from gateway.store.batch import Head
from gateway.store.chaining import chained
from gateway.store.load import head, next_id, read_meta
from gateway.store.reading import read
from gateway.store.signing import SigningKey
from gateway.store.statements import INPUT, JOURNAL, META, VERIFIED_TOTAL
from gateway.store.totals import TotalKey
from gateway.store.verified import Verified, read_totals

logger = logging.getLogger(__name__)
_FULLY = "verified_fully_at"  # key in meta
CHECKPOINT_FORMAT = "backflush.checkpoint/1"
KEYS = "SELECT id, public, position FROM signing_key ORDER BY position"
NEWEST = "SELECT position, seq, at, body, signature, state FROM signed_checkpoint ORDER BY position DESC LIMIT 1"

_PAGE = "SELECT position, seq, at, body, signature FROM signed_checkpoint WHERE position > ? ORDER BY position LIMIT ?"
_KNOWN = "SELECT 1 FROM signing_key WHERE id = ?"
_INTRODUCE = "INSERT INTO signing_key (id, public, position) VALUES (?, ?, ?)"
_WRITE = """
INSERT INTO signed_checkpoint (position, seq, at, body, signature, state) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (position) DO UPDATE SET seq = excluded.seq, at = excluded.at, body = excluded.body,
    signature = excluded.signature, state = excluded.state
"""
_SUPERSEDE = "UPDATE signed_checkpoint SET state = NULL WHERE position <> ? AND state IS NOT NULL"
_DROP_TOTAL = "DELETE FROM verified_total WHERE (kind, key_1, key_2, key_3, key_4) = (?, ?, ?, ?, ?)"


class SignedCheckpoint(NamedTuple):
    """A checkpoint's row; `signature` (hex) covers `body`."""

    position: int
    seq: int
    at: str
    body: str
    signature: str

    @property
    def key(self) -> str:
        """The id of the key that signed it."""
        return str(orjson.loads(self.body)["key"])


class Page(NamedTuple):
    """Checkpoints by position, every public key (id, public) of the store, and whether there are more behind."""

    keys: tuple[tuple[str, str], ...]
    items: tuple[SignedCheckpoint, ...]
    has_more: bool


class Prepared(NamedTuple):
    """What one transaction writes: the checkpoint, the totals that changed, those that are none any more."""

    row: SignedCheckpoint
    state: str
    changed: Sequence[tuple[str, ...]]
    gone: Sequence[TotalKey]


def introduce(
    connection: sqlite3.Connection, key: SigningKey, place: Place, told: Sequence[tuple[str, bytes]] = ()
) -> None:
    """Chain the public key, once; in a transaction, and before anybody has loaded the chain's head.

    `told` are the inputs (kind, JSON) by which a replay does the same.
    """
    if connection.execute(_KNOWN, (key.id,)).fetchone():
        return
    if before := connection.execute(KEYS).fetchall():
        logger.warning("the store signs with another key from now on: %s, before %s", key.id, before[-1][0])
    meta = read_meta(connection)
    row, end = chained("key", {"key": key.id, "public": key.public}, place, head(meta))
    JOURNAL.run(connection, [row])
    META.run(connection, [("position", end.position), ("hash", end.hash.hex())])
    connection.execute(_INTRODUCE, (key.id, key.public, row.position))
    first, after = next_id(connection, "input", meta), next_id(connection, "event", meta) - 1
    INPUT.run(connection, [(first + number, after, kind, said.decode()) for number, (kind, said) in enumerate(told)])


def prepare(path: Path, verified: Verified, key: SigningKey, place: Place) -> Prepared:
    """Sign what was verified; read beside the writer which totals that changes."""
    stored = read(path, read_totals)
    changed = [_row(name, one) for name, one in verified.totals.items() if stored.get(name) != one]
    gone = [name for name in stored if name not in verified.totals]
    return Prepared(_signed(verified.head, verified.digest, key, place), verified.state, changed, gone)


def write(connection: sqlite3.Connection, prepared: Prepared, fully: datetime | None = None) -> None:
    """Write the checkpoint, in the transaction that the caller opened; `fully`: when everything was verified for it."""
    connection.execute(_WRITE, (*prepared.row, prepared.state))
    connection.execute(_SUPERSEDE, (prepared.row.position,))
    connection.executemany(_DROP_TOTAL, prepared.gone)
    VERIFIED_TOTAL.run(connection, prepared.changed)
    if fully is not None:
        META.run(connection, [(_FULLY, rfc3339(fully))])


def verified_fully(connection: sqlite3.Connection) -> datetime | None:
    """Return when the daemon verified everything and found it sound for the last time, None where it never has."""
    found = read_meta(connection).get(_FULLY)
    return None if found is None else datetime.fromisoformat(found)


def page(connection: sqlite3.Connection, after: int, limit: int) -> Page:
    """Return up to `limit` checkpoints behind position `after`."""
    rows = [SignedCheckpoint(*row) for row in connection.execute(_PAGE, (after, limit + 1))]
    keys = tuple((name, public) for name, public, _ in connection.execute(KEYS))
    return Page(keys, tuple(rows[:limit]), len(rows) > limit)


def newest(connection: sqlite3.Connection) -> SignedCheckpoint | None:
    """Return the newest checkpoint, None where there is none yet."""
    row: tuple[Any, ...] | None = connection.execute(NEWEST).fetchone()
    return SignedCheckpoint(*row[:-1]) if row else None


def _signed(at: Head, state: str, key: SigningKey, place: Place) -> SignedCheckpoint:
    moment = rfc3339(place.posted_at)
    said = {
        "format": CHECKPOINT_FORMAT,
        "gateway": place.gateway,
        "store": place.store,
        "position": at.position,
        "seq": at.seq,
        "hash": f"sha256:{at.hash.hex()}",
        "at": moment,
        "key": key.id,
        "state": state,
    }
    body = orjson.dumps(said)
    return SignedCheckpoint(at.position, at.seq, moment, body.decode(), key.sign(body).signature)


def _row(name: TotalKey, quantity: Decimal) -> tuple[str, ...]:
    return (*name, text(quantity))

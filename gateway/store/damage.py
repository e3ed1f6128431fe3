"""Is the store's file what was committed last? Asked when it is opened, before anything is written to it.

SQLite finds a page that is no page; it doesn't notice a changed byte of a posting, nor commits that are gone with the
log: the chain and the witness beside the file do.
"""

import sqlite3
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from gateway.domain.document import Document
from gateway.errors import DataError, StoreDamaged
from gateway.formats import chain
from gateway.store.batch import Head
from gateway.store.columns import mistyped
from gateway.store.load import head, read_meta
from gateway.store.malformed import MALFORMED, in_words
from gateway.store.migrate import APPLICATION_ID, migrations
from gateway.store.verification.counters import gone_back
from gateway.store.witness import Seen, compare

HINT = "restore a backup with `gateway restore`, or begin anew with `gateway new-store`; either keeps this file"
_QUICK = 256 << 20  # bytes that are checked in a good second whatever happened before
_TYPED = 64 << 20  # … every value of which is looked at in as long
_SHOWN = 3  # values
_TAIL = 1000  # entries of the chain
_POSTINGS = "SELECT position, body FROM posting ORDER BY seq DESC LIMIT ?"
_JOURNAL = "SELECT position, body FROM journal ORDER BY position DESC LIMIT ?"
_VERIFIED = "SELECT coalesce(max(position), 0) FROM signed_checkpoint"
_TRIGGERS = f"$[{Document._fields.index('triggers')}]"
# What waits, in the work list or an open window, is posted from its event.
_WITHOUT_EVENT = f"""
SELECT t.id FROM (
    SELECT id FROM trigger_log WHERE exception_id IS NOT NULL AND closed = 0
    UNION ALL SELECT one.value FROM open_document AS o CROSS JOIN json_each(o.body, '{_TRIGGERS}') AS one
) AS waits CROSS JOIN trigger_log AS t ON t.id = waits.id
WHERE NOT EXISTS (SELECT 1 FROM event AS e WHERE e.id = t.event_id) LIMIT 1
"""  # noqa: S608  # a constant path
_CHECKPOINTS_SINCE = 4  # schema version


def was_cut_off(store: Path) -> bool:
    """Tell whether the last run was killed, by the log that SQLite deletes when it ends well."""
    return store.with_name(f"{store.name}-wal").exists()


def examine(connection: sqlite3.Connection, store: Path, seen: Seen | None, *, cut_off: bool) -> None:
    """Look for damage; StoreDamaged says what it is. A file of a good run that is large is looked at only in part."""
    try:
        _examine(connection, store, seen, cut_off)
    except StoreDamaged as damage:
        raise damaged(store, damage.message) from damage
    except MALFORMED as error:
        raise damaged(store, f"of what it says of itself {in_words(error)}") from error


def damaged(store: Path, what: str) -> StoreDamaged:
    """Return the error that says what is wrong with the file."""
    return StoreDamaged(f"store {store} is damaged: {what}", HINT)


def _examine(connection: sqlite3.Connection, store: Path, seen: Seen | None, cut_off: bool) -> None:
    if cut_off or store.stat().st_size < _QUICK:
        wrong = [answer for (answer,) in connection.execute("PRAGMA quick_check(3)") if answer != "ok"]
        if wrong:
            raise StoreDamaged("; ".join(wrong))
    empty = not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    if not (empty or _is_ours(connection)):
        return  # that is told apart
    if wrong := list(islice(mistyped(connection, logs=store.stat().st_size < _TYPED), _SHOWN)):
        raise StoreDamaged("; ".join(wrong))
    meta = {} if empty else read_meta(connection)
    if not meta:  # its founding broke off, unless there was something before
        if seen is not None:
            raise StoreDamaged(f"it is empty or gone, but entry {seen.position} of store {seen.store} was committed")
        return
    version, end = connection.execute("PRAGMA user_version").fetchone()[0], head(meta)
    compare(seen, meta["store"], end)
    _follow_back(connection, end.position, end.hash)
    if version >= _CHECKPOINTS_SINCE:
        _compare_rows(connection, end)


def _compare_rows(connection: sqlite3.Connection, end: Head) -> None:
    """Look for what the state says otherwise than what it came of."""
    if (verified := connection.execute(_VERIFIED).fetchone()[0]) > end.position:
        raise StoreDamaged(
            f"it ends at entry {end.position} of its chain, but entry {verified} was verified and signed"
        )
    if lost := connection.execute(_WITHOUT_EVENT).fetchone():
        raise StoreDamaged(f"trigger {lost[0]} waits to be posted, but the event that it came of is missing")
    if counter := gone_back(connection):
        raise StoreDamaged(f"{counter}: units would be counted twice or never")


def _is_ours(connection: sqlite3.Connection) -> bool:
    found = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    application, version = found
    return bool(application == APPLICATION_ID and version <= migrations()[-1][0])


def _follow_back(connection: sqlite3.Connection, position: int, expected: bytes) -> None:
    """Follow the chain's last entries back from its head."""
    for at, body in _newest_first(connection):
        if at != position:
            raise StoreDamaged(f"entry {position} of its chain is missing")
        try:
            core, previous, sealed = chain.unseal(body)
        except DataError as error:
            raise StoreDamaged(f"entry {position} of its chain: {error.message}") from error
        if sealed != expected or chain.link(core, previous) != sealed:
            raise StoreDamaged(f"entry {position} of its chain was changed: its hash is another")
        position, expected = position - 1, previous


def _newest_first(connection: sqlite3.Connection) -> Iterator[tuple[int, bytes]]:
    """Return the last entries without a gap: of postings and journal together as many as each has at least."""
    found = [*connection.execute(_POSTINGS, (_TAIL,)), *connection.execute(_JOURNAL, (_TAIL,))]
    return iter(sorted(found, reverse=True)[:_TAIL])

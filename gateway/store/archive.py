"""What retention deletes is kept elsewhere: copies of the whole store, made when its oldest postings may go.

An archive is a store that all reading commands take. It says of the postings up to `through`, which may be deleted
once it is there, all that will ever be said: what reversed or followed them is in it, too.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from gateway.errors import StoreError
from gateway.store import manifest
from gateway.store.checkpoints import KEYS
from gateway.store.codec import stamp
from gateway.store.connection import connect_reader, connect_writer
from gateway.store.copying import copy_store
from gateway.store.lineage import Lineage, read_lineage
from gateway.store.load import read_meta
from gateway.store.manifest import SignedManifest
from gateway.store.migrate import migrate, migrations, require_known
from gateway.store.reading import read
from gateway.store.retention import acknowledged
from gateway.store.signing import SigningKey, signing_key
from gateway.store.verify import Progress

KIND = "archive"
# Each archive is the whole store, so they are not made for every hour's few postings.
_EVERY = timedelta(days=30)
_MANY = 500_000  # postings
_FIRST = "SELECT posted_at FROM posting ORDER BY seq LIMIT 1"
_TOO_YOUNG = "SELECT seq FROM posting WHERE seq <= ? AND posted_at >= ? ORDER BY seq LIMIT 1"


class Due(NamedTuple):
    """The postings that are old enough to be deleted and acknowledged; `oldest` is when the first was posted."""

    first: int
    last: int
    oldest: datetime


def due(connection: sqlite3.Connection, limit: datetime) -> Due | None:
    """Return what may be deleted of what was posted before `limit`, None where that is nothing."""
    first = int(read_meta(connection).get("retained_seq", 0)) + 1
    last = acknowledged(connection)
    if last is None or last < first:
        return None
    young = connection.execute(_TOO_YOUNG, (last, stamp(limit))).fetchone()
    last = young[0] - 1 if young else last
    return Due(first, last, datetime.fromisoformat(connection.execute(_FIRST).fetchone()[0])) if last >= first else None


def is_worth_it(found: Due, limit: datetime) -> bool:
    """Tell whether so much may be deleted that another archive is made for it."""
    return found.oldest < limit - _EVERY or found.last - found.first >= _MANY


def make(  # whose, where to, what, and who vouches for it
    store: Path, folder: Path, limit: datetime, at: datetime, progress: Progress, *, key: SigningKey | None = None
) -> Path | None:
    """Write an archive of what was posted before `limit` and may go; return it, None where nothing may.

    `key` signs; None: the one beside the store.
    """
    found = read(store, lambda raw: due(raw, limit))
    if found is None:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"can't create {folder}: {error.strerror}", "correct retention.archive or its owner"
        ) from error
    lineage = _lineage(store)
    copy = folder / f"{lineage.gateway}-{lineage.store}-{found.first}-{found.last}.db"
    copy_store(store, copy, KIND, at, progress, through=found.last, key=key)
    return copy


def covered(store: Path, folder: Path, first: int, key: SigningKey | None = None) -> int:
    """Return the seq through which an archive has what begins with `first`, its file as signed; 0: there is none.

    It has to be signed by one of the store's chained keys or by `key`; None: the one beside the store.
    """
    chained = read(store, lambda raw: {public for _, public, _ in raw.execute(KEYS)})
    own = chained | {(key or signing_key(store)).public}
    for path, (content, signed_by, _) in of_store(store, folder):
        if content.first_seq <= first <= content.through and signed_by in own:
            manifest.require_whole(content, path, path)
            return content.through
    return 0


def of_store(store: Path, folder: Path) -> Iterator[tuple[Path, SignedManifest]]:
    """Yield the store's archives under all the ids it has borne, the newest first."""
    lineage = _lineage(store)
    for path, described in manifest.copies(folder, KIND, lineage.gateway):
        if described.content.store in lineage.ids:
            yield path, described


@contextmanager
def readable(archive: Path) -> Iterator[Path]:
    """Give an archive to read: one of an older program as a copy that is brought up to date, it stays as signed."""
    with closing(connect_reader(archive)) as connection:
        is_current = require_known(connection) == migrations()[-1][0]
    if is_current:
        yield archive
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / archive.name
        shutil.copyfile(archive, copy)
        with closing(connect_writer(copy)) as connection:
            migrate(connection)
        yield copy


def _lineage(store: Path) -> Lineage:
    return read(store, lambda raw: read_lineage(raw, read_meta(raw)))

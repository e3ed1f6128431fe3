"""What retention deletes is kept elsewhere: copies of the whole store, made when its oldest postings may go.

An archive is a store that all reading commands take. It says of the postings up to `through`, which may be deleted
once it is there, all that will ever be said: what reversed or followed them is in it, too.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from itertools import chain, count
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
from gateway.store.manifest import Manifest, SignedManifest
from gateway.store.migrate import migrate, migrations, require_known
from gateway.store.reading import read
from gateway.store.retention import acknowledged
from gateway.store.signing import SigningKey, key_path, signing_key
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


class Archive(NamedTuple):
    """A store's archive as its manifest describes it; `is_own`: one of the store's keys signed that.

    The postings `first` to `last` are the store's; what else is in it, a restore gave up. Retention may delete those up
    to `through`.
    """

    path: Path
    content: Manifest
    key: str
    is_own: bool
    first: int
    last: int
    through: int

    def require_sound(self) -> None:
        """Make sure that it is what the store signed, all of its file read; StoreError with the way out."""
        hint = "bring it back from a copy, or move it away: `gateway archive` writes one of what the store still has"
        if not self.is_own:
            raise StoreError(f"archive {self.path} was signed by key {self.key}, which is none of the store's", hint)
        try:
            manifest.require_whole(self.content, self.path, self.path)
        except StoreError as error:
            raise StoreError(f"the archive is damaged: {error.message}", hint) from error


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

    One that has all that and is sound is returned as it is. `key` signs; None: the one beside the store.
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
    has, _ = _sound(one for one in _own(store, folder, found.first, key) if one.through >= found.last)
    if has is not None:
        return has.path
    lineage = _lineage(store)
    copy = _free(folder, f"{lineage.gateway}-{lineage.store}-{found.first}-{found.last}")
    copy_store(store, copy, KIND, at, progress, through=found.last, key=key)
    return copy


def covered(store: Path, folder: Path, first: int, key: SigningKey | None = None) -> int:
    """Return the seq through which an archive has what begins with `first`, its file as signed; 0: there is none.

    It has to be signed by one of the store's chained keys or by `key`; None: the one beside the store. StoreError where
    all that have it are damaged.
    """
    found, damaged = _sound(_own(store, folder, first, key))
    if found is None and damaged is not None:
        raise damaged
    return found.through if found else 0


def of_store(store: Path, folder: Path, key: SigningKey | None = None) -> Iterator[Archive]:
    """Yield the store's archives under all the ids it has borne, the newest first; `key` is one of its own, too."""
    lineage = _lineage(store)
    own = read(store, lambda raw: {public for _, public, _ in raw.execute(KEYS)}) | ({key.public} if key else set())
    for path, described in manifest.copies(folder, KIND, lineage.gateway):
        if described.content.store in lineage.ids:
            yield _described(path, described, lineage, own)


def missing(archives: Iterable[Archive], first: int, last: int) -> tuple[int, int] | None:
    """Return the first gap among the postings `first` to `last` that none of the archives has, None: there is none."""
    for one in sorted(archives, key=lambda found: found.first):
        if one.first > first:
            last = min(last, one.first - 1)
            break
        first = max(first, one.last + 1)
    return (first, last) if first <= last else None


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


def _described(path: Path, described: SignedManifest, lineage: Lineage, own: set[str]) -> Archive:
    content = described.content
    shared = lineage.inherited(content.store)
    last = content.seq if shared is None else min(shared, content.seq)
    is_own = described.public_key in own
    return Archive(path, content, described.key, is_own, content.first_seq, last, min(last, content.through))


def _own(store: Path, folder: Path, first: int, key: SigningKey | None) -> Iterator[Archive]:
    """Yield the archives that retention may go by from `first` on; whether their files are whole isn't looked at."""
    if key is None and key_path(store).exists():
        key = signing_key(store)
    return (one for one in of_store(store, folder, key) if one.is_own and one.first <= first <= one.through)


def _sound(archives: Iterable[Archive]) -> tuple[Archive | None, StoreError | None]:
    """Return the first one that is sound, and why one before it isn't."""
    damaged = None
    for one in archives:
        try:
            one.require_sound()
        except StoreError as error:
            damaged = damaged or error
        else:
            return one, damaged
    return None, damaged


def _free(folder: Path, name: str) -> Path:
    """Return a file that isn't there, nor its manifest: an archive that was damaged may have the name."""
    names = chain([f"{name}.db"], (f"{name}-{number}.db" for number in count(2)))
    return next(path for path in map(folder.joinpath, names) if not (path.exists() or manifest.path_of(path).exists()))


def _lineage(store: Path) -> Lineage:
    return read(store, lambda raw: read_lineage(raw, read_meta(raw)))

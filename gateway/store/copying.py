"""A copy of a store, made beside the running daemon: one moment of it, verified, signed, whole or not there at all."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from gateway.errors import StoreError
from gateway.store import manifest
from gateway.store.checkpoints import KEYS
from gateway.store.codec import stamp
from gateway.store.connection import connect_reader
from gateway.store.errors import store_error
from gateway.store.load import head, read_meta
from gateway.store.manifest import Manifest, SignedManifest
from gateway.store.migrate import require_known
from gateway.store.replace import sync_folder
from gateway.store.signing import SigningKey, signing_key
from gateway.store.verify import Progress, verify

_OPCODES = 200_000  # of SQLite's virtual machine between two calls of the progress: a few a second
_TARGETS = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY})


def copy_store(  # what is copied, and all that its manifest says
    store: Path,
    copy: Path,
    kind: str,
    at: datetime,
    progress: Progress,
    *,
    through: int = 0,
    key: SigningKey | None = None,
) -> SignedManifest:
    """Write `copy` and its manifest; StoreError where that can't be, and then there is neither.

    The copy is of one moment. The daemon goes on meanwhile; only its WAL isn't reset until the copy is read.
    `progress` gets what is being done and how far it is, in MB or entries; `through` is an archive's.
    `key` signs; None: the one beside the store.
    """
    _require_free(store, copy)
    partial = copy.with_name(f"{copy.name}.partial")
    with _whole_or_not_at_all(partial, copy):
        _create(partial)
        _copy(store, partial, progress)
        _sync(partial)
        progress("verifying", 0)
        _require_sound(partial, progress)
        signing = key or signing_key(store)
        _require_chained(partial, signing)
        described = manifest.sign(_described(partial, kind, at, through), signing)
        manifest.write(described, copy)
        partial.rename(copy)  # last: a copy that is there is whole
        sync_folder(copy.parent)
    return described


def _require_free(store: Path, copy: Path) -> None:
    if not store.is_file():
        raise StoreError(f"there is no store at {store}", "the first `run` creates it; correct store.path")
    if copy.exists():
        raise StoreError(f"{copy} exists already", "nothing is overwritten: give another name")


@contextmanager
def _whole_or_not_at_all(partial: Path, copy: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _clear(partial, copy)
        raise StoreError(
            f"can't write {copy}: {error.strerror}", "correct the folder, its owner or its space"
        ) from error
    except BaseException:
        _clear(partial, copy)
        raise


def _clear(partial: Path, copy: Path) -> None:
    partial.with_name(f"{partial.name}-journal").unlink(missing_ok=True)
    if partial.exists():
        partial.unlink()
        manifest.path_of(copy).unlink(missing_ok=True)


def _create(partial: Path) -> None:
    partial.unlink(missing_ok=True)  # of a copy that was killed
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _copy(store: Path, partial: Path, progress: Progress) -> None:
    try:
        with closing(connect_reader(store)) as connection:
            require_known(connection)
            connection.execute("PRAGMA query_only = 0")  # it would forbid the new file, too; this one is open read-only
            connection.set_progress_handler(_reporter(partial, progress), _OPCODES)
            connection.execute("VACUUM INTO ?", (str(partial),))
    except sqlite3.Error as error:
        if error.sqlite_errorcode & 0xFF in _TARGETS:
            raise StoreError(
                f"can't write {partial}: {error}", "free some space there, or name another place"
            ) from error
        raise store_error(store, error) from error


def _reporter(partial: Path, progress: Progress) -> Callable[[], int]:
    def report() -> int:
        progress("copying", partial.stat().st_size // 1_000_000)
        return 0  # go on

    return report


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _require_sound(partial: Path, progress: Progress) -> None:
    wrong = [one for one in verify(partial, progress).checks if not one.ok]
    if wrong:
        said = "; ".join(f"{one.name}: {one.detail}" for one in wrong)
        raise StoreError(f"the store can't be copied, it doesn't verify: {said}", "run `gateway verify`")


def _require_chained(partial: Path, key: SigningKey) -> None:
    """Refuse what a restore would refuse; a store that was never run since it has a key names none."""
    with closing(connect_reader(partial)) as connection:
        has_keys = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'signing_key'").fetchone()
        chained = {public for _, public, _ in connection.execute(KEYS)} if has_keys else set()
    if chained and key.public not in chained:
        raise StoreError(
            f"signing key {key.id} is none of the store's", "put the right one back, or run the gateway: it chains it"
        )


def _described(partial: Path, kind: str, at: datetime, through: int) -> Manifest:
    with closing(connect_reader(partial)) as connection:
        meta, schema = read_meta(connection), require_known(connection)
    end = head(meta)
    return Manifest(
        kind=kind,
        gateway=meta["gateway"],
        store=meta["store"],
        first_seq=int(meta.get("retained_seq", 0)) + 1,
        seq=end.seq,
        position=end.position,
        hash=end.hash.hex(),
        created_at=stamp(at),
        schema=schema,
        size=partial.stat().st_size,
        sha256=manifest.digest(partial),
        through=through,
    )

"""A copy of a store, made beside the running daemon: one moment of it, verified, signed, whole or not there at all."""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from gateway.errors import StoreError
from gateway.store import manifest
from gateway.store.checkpoints import KEYS
from gateway.store.codec import stamp
from gateway.store.connection import connect_reader
from gateway.store.errors import code_of, store_error
from gateway.store.load import head, read_meta
from gateway.store.manifest import Manifest, SignedManifest
from gateway.store.migrate import require_known
from gateway.store.replace import sync_folder
from gateway.store.signing import SigningKey, signing_key
from gateway.store.verify import Progress, verify

# Names that nobody else gives: what a killed copy left under them is written over.
_LOCK, _PARTIAL = ".backflush-lock", ".backflush-partial"
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
    if not store.is_file():
        raise StoreError(f"there is no store at {store}", "the first `run` creates it; correct store.path")
    with _translated(copy), _alone(copy, kind), _partial(copy) as partial:
        _require_free(copy, manifest.path_of(copy))
        _copy(store, partial, progress)
        _sync(partial)
        progress("verifying", 0)
        _require_sound(partial, progress)
        signing = key or signing_key(store)
        _require_chained(partial, signing)
        described = manifest.sign(_described(partial, kind, at, through), signing)
        _publish(partial, copy, described)
    return described


def _require_free(*paths: Path) -> None:
    for path in paths:
        if os.path.lexists(path):
            raise StoreError(f"{path} exists already", "nothing is overwritten: give another name")


@contextmanager
def _translated(copy: Path) -> Iterator[None]:
    hint = "correct the folder, its owner or its space"
    try:
        yield
    except OSError as error:
        raise StoreError(f"can't write {copy}: {error.strerror}", hint) from error
    except sqlite3.Error as error:
        raise StoreError(f"can't write {copy}: {error}", hint) from error


@contextmanager
def _alone(copy: Path, kind: str) -> Iterator[None]:
    """Let only one at a time write the copy; the kernel gives the lock back however that one ends."""
    # Not on the partial file: where flock is a lock on the file's bytes (NFS, SMB) SQLite couldn't write it.
    path = copy.with_name(f"{copy.name}{_LOCK}")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        if not _is_locked(descriptor, path):
            raise StoreError(f"another {kind} to {copy} is under way", "wait for it, or give another name")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int, path: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except (BlockingIOError, FileNotFoundError):  # or the one that had it has just ended, and removed what we opened
        return False


@contextmanager
def _partial(copy: Path) -> Iterator[Path]:
    """Give an empty file to write; it is gone at the end, unless it has become the copy."""
    partial = copy.with_name(f"{copy.name}{_PARTIAL}")
    _clear_killed(partial, copy)
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        yield partial
    finally:
        _clear(partial)


def _clear_killed(partial: Path, copy: Path) -> None:
    """Remove what one that was killed left: its partial file, and the manifest that it had written for just that."""
    if partial.is_file() and not os.path.lexists(copy):
        with suppress(StoreError):  # no manifest, or it describes a copy that somebody has moved away
            manifest.require_whole(manifest.read(copy).content, partial, copy)
            manifest.path_of(copy).unlink()
    _clear(partial)


def _clear(partial: Path) -> None:
    for path in (partial, partial.with_name(f"{partial.name}-journal")):
        path.unlink(missing_ok=True)


def _publish(partial: Path, copy: Path, described: SignedManifest) -> None:
    """Let it be the copy, whole at once: its manifest is there before it."""
    _require_free(copy, manifest.path_of(copy))
    manifest.write(described, copy)
    try:
        partial.rename(copy)
    except BaseException:
        manifest.path_of(copy).unlink()
        raise
    sync_folder(copy.parent)


def _copy(store: Path, partial: Path, progress: Progress) -> None:
    try:
        with closing(connect_reader(store)) as connection:
            require_known(connection)
            connection.execute("PRAGMA query_only = 0")  # it would forbid the new file, too; this one is open read-only
            connection.set_progress_handler(_reporter(partial, progress), _OPCODES)
            connection.execute("VACUUM INTO ?", (str(partial),))
    except sqlite3.Error as error:
        if code_of(error) in _TARGETS:
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

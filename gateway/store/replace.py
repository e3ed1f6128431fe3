"""A file that was made ready takes the store's place, whatever breaks off meanwhile; the old one is kept beside it."""

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from gateway.errors import StoreError

BESIDE = ("", "-wal", "-shm", "-journal", ".head")  # what belongs to a store's file; its key stays


def ready_name(store: Path, at: datetime) -> Path:
    """Return the name under which a file waits to take the store's place; `at` in UTC, it names the old one, too."""
    return store.with_name(f"{store.name}.ready-{at:%Y%m%dT%H%M%S.%fZ}")


def replaced_name(ready: Path) -> Path:
    """Return the name that the old file has when what waits under `ready` has taken its place."""
    return ready.with_name(ready.name.replace(".ready-", ".replaced-"))


def take_over(store: Path) -> Path | None:
    """Put what was made ready in the store's place; return where the old file is now, None where there was nothing.

    Only whoever has the store's lock may call it. Every step may be the last one: the next call goes on behind it.
    """
    kept = None
    for ready in sorted(store.parent.glob(f"{store.name}.ready-*")):
        kept = replaced_name(ready)
        for suffix in BESIDE:
            with suppress(FileNotFoundError):
                store.with_name(store.name + suffix).rename(kept.with_name(kept.name + suffix))
        sync_folder(store.parent)  # or a WAL that is gone could come back beside the other file
        ready.rename(store)
        sync_folder(store.parent)
    return kept


def make_folder(folder: Path) -> None:
    """Make the store's folder where there is none; StoreError where that can't be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"can't create {folder}: {error.strerror}", "correct store.path or its owner") from error


def sync_folder(folder: Path) -> None:
    """Have the folder's entries on the disk; OSError where that fails."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""How far the store had come, told beside it: a file that ends earlier has lost what was committed.

One line, `<store> <position> <hash>`, in a file of its own (`<store>.head`), overwritten after each commit. It isn't
synced: it may be behind the store after a power cut, but never ahead of it.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gateway.errors import StoreDamaged
from gateway.store.batch import Head

_WIDTH = 160  # bytes: always the same ones, so that a full disk has room for them


class Seen(NamedTuple):
    """The end of a store as it was last told."""

    store: str
    position: int
    hash: str


class Witness:
    """Notes the head after each commit. What it can't write is only not noted: it must never fail a commit."""

    def __init__(self, store: Path) -> None:
        self._path = store.with_name(f"{store.name}.head")
        self._descriptor: int | None = None

    def open(self) -> Seen | None:
        """Return what was noted last, None where there is nothing that can be read."""
        with suppress(OSError):
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
            return _parsed(os.pread(self._descriptor, _WIDTH, 0))
        return None

    def note(self, store: str, head: Head) -> None:
        """Say that the store was committed up to there."""
        if self._descriptor is not None:
            line = f"{store} {head.position} {head.hash.hex()}\n".rjust(_WIDTH).encode()
            with suppress(OSError):
                os.pwrite(self._descriptor, line, 0)

    def close(self) -> None:
        """Give the file back; it stays."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def compare(seen: Seen | None, store: str, head: Head) -> None:
    """Compare a store with what was told of it; StoreDamaged where it is another one, or has lost its end."""
    if seen is None:
        return
    if seen.store != store:
        raise StoreDamaged(f"this is the file of store {store}; the one that was here last is store {seen.store}")
    if seen.position > head.position:
        raise StoreDamaged(
            f"it ends at entry {head.position} of its chain, but entry {seen.position} was committed: "
            "its last commits are lost"
        )
    if seen.position == head.position and seen.hash != head.hash.hex():
        raise StoreDamaged(f"entry {head.position} of its chain is not the one that was committed")


def _parsed(line: bytes) -> Seen | None:
    try:
        store, position, sealed = line.decode("ascii").split()
        return Seen(store, int(position), sealed)
    except ValueError:
        return None

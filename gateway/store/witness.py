"""How far the store had come, told beside it: a file that ends earlier has lost what was committed.

One line, `<store> <position> <hash>`, in a file of its own (`<store>.head`), overwritten after each commit. It isn't
synced: it may be behind the store after a power cut, but never ahead of it.
"""

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gateway.errors import StoreDamaged
from gateway.store.batch import Head
from gateway.store.findings import Check
from gateway.store.load import head, read_meta
from gateway.store.malformed import MALFORMED, in_words
from gateway.store.reading import read

logger = logging.getLogger(__name__)
NAME = "witness"
UNKNOWN = "whether the store has lost its end can't be told"
_WAY_OUT = "correct its owner, or take it away before the next start"
_WIDTH = 160  # bytes: always the same ones, so that a full disk has room for them


class Seen(NamedTuple):
    """The end of a store as it was last told."""

    store: str
    position: int
    hash: str


class Witness:
    """Notes the head after each commit. What it can't write is only not noted: it must never fail a commit."""

    def __init__(self, store: Path) -> None:
        self._path = _path_of(store)
        self._descriptor: int | None = None

    def open(self) -> Seen | None:
        """Return what was noted last, None where there is nothing; a warning says where something can't be read."""
        try:
            is_new = not self._path.exists()
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
            seen = _parsed(os.pread(self._descriptor, _WIDTH, 0))
        except OSError as error:
            logger.warning("%s can't be opened (%s): %s; %s", self._path, error.strerror, UNKNOWN, _WAY_OUT)
            return None
        if seen is None and not is_new:
            logger.warning("%s says nothing that can be read: %s; it is written anew", self._path, UNKNOWN)
        return seen

    def note(self, store: str, end: Head) -> None:
        """Say that the store was committed up to there."""
        if self._descriptor is not None:
            line = f"{store} {end.position} {end.hash.hex()}\n".rjust(_WIDTH).encode()
            with suppress(OSError):
                os.pwrite(self._descriptor, line, 0)

    def close(self) -> None:
        """Give the file back; it stays."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def compare(seen: Seen | None, store: str, end: Head) -> None:
    """Compare a store with what was told of it; StoreDamaged where it is another one, or has lost its end."""
    if seen is None:
        return
    if seen.store != store:
        raise StoreDamaged(f"this is the file of store {store}; the one that was here last is store {seen.store}")
    if seen.position > end.position:
        raise StoreDamaged(
            f"it ends at entry {end.position} of its chain, but entry {seen.position} was committed: "
            "its last commits are lost"
        )
    if seen.position == end.position and seen.hash != end.hash.hex():
        raise StoreDamaged(f"entry {end.position} of its chain is not the one that was committed")


def inspect(store: Path) -> Check | None:
    """Return whether the store goes as far as was told beside it, None where nothing was; StoreError as of `read`."""
    path = _path_of(store)
    try:
        seen = _parsed(path.read_bytes()[:_WIDTH])
    except FileNotFoundError:
        return None
    except OSError as error:
        return Check(NAME, ok=False, detail=f"{path} can't be read ({error.strerror}): {UNKNOWN}; {_WAY_OUT}")
    if seen is None:
        what = f"{path} says nothing that can be read: {UNKNOWN}; the next start writes it anew"
        return Check(NAME, ok=False, detail=what)
    meta = read(store, read_meta)  # after the witness: a running gateway may have gone on meanwhile
    try:
        compare(seen, meta["store"], head(meta))
    except StoreDamaged as damage:
        return Check(NAME, ok=False, detail=damage.message)
    except MALFORMED as error:
        return Check(NAME, ok=False, detail=f"the store doesn't say how far it goes: {in_words(error)}")
    return Check(NAME, ok=True, detail=f"entry {seen.position} of store {seen.store} is there")


def _path_of(store: Path) -> Path:
    return store.with_name(f"{store.name}.head")


def _parsed(line: bytes) -> Seen | None:
    try:
        store, position, sealed = line.decode("ascii").split()
        return Seen(store, int(position), sealed)
    except ValueError:
        return None

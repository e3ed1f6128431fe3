"""Room kept for the worst moment: a file beside the store that is given up when the disk is full.

On a full disk not even a checkpoint of the write-ahead log succeeds. With what the ballast took, the store can be
opened again and tell what happened; counting goes on once there is room for a new ballast and as much again, so that
the next full disk finds one.
"""

import logging
import os
from errno import EDQUOT, ENOSPC
from pathlib import Path

from gateway.errors import StoreError, StoreFull
from gateway.store.space import Room, in_words, room, size_of

logger = logging.getLogger(__name__)
_FULL = (ENOSPC, EDQUOT)
_SHARE = 8  # of a tiny disk it takes at most this part
_NONE = 256 * 1024  # bytes; with less free the disk is full, whatever the error calls itself
_WITHOUT = 1024 * 1024  # bytes that have to be free before counting goes on where no ballast is wanted


class Ballast:
    """`<store>.ballast`, `wanted` bytes; 0: none. Functions block for a moment, and raise StoreError."""

    def __init__(self, store: Path, wanted: int) -> None:
        self.path = store.with_name(f"{store.name}.ballast")
        self._wanted = wanted

    @property
    def size(self) -> int:
        """How many bytes it shall have: no more than an eighth of the disk."""
        return min(self._wanted, self._room().total // _SHARE)

    @property
    def needed(self) -> int:
        """How many bytes have to be free before it is made and counting goes on."""
        return 2 * self.size or _WITHOUT

    def is_full(self, error: StoreError) -> bool:
        """Tell whether that came of a full disk: some of SQLite's errors only say that a file did not grow."""
        return isinstance(error, StoreFull) or self._room().free < _NONE

    def free(self) -> None:
        """Give its room to the store."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            self._do_without("deleted", error)

    def make(self) -> bool:
        """Have it as large as it shall be; False while there isn't room for it and as much again."""
        size = self.size
        if not size:
            self.free()
            return self._room().free >= self.needed
        there = size_of(self.path)
        if there == size:
            return True
        if self._room().free + there < self.needed:
            return False
        if size < self._wanted:
            logger.warning("the disk is small: %s has %s, not %s", self.path, in_words(size), in_words(self._wanted))
        return self._allocate(size)

    def _allocate(self, size: int) -> bool:
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, size)  # first: a file with holes would keep no room
                os.ftruncate(descriptor, size)
            finally:
                os.close(descriptor)
        except OSError as error:
            if error.errno not in _FULL:
                self._do_without("made", error)
                return self.make()
            logger.warning("%s can't be made: %s", self.path, error.strerror)
            self.free()
            return False
        return True

    def _do_without(self, what: str, error: OSError) -> None:
        """Go on as if none were wanted: that a disk could fill up is no reason not to count on one that hasn't."""
        if self._wanted:
            why = "until the next start there is no ballast, so a full disk can't be told of in the work list"
            logger.warning("%s can't be %s (%s); %s", self.path, what, error.strerror, why)
        self._wanted = 0

    def _room(self) -> Room:
        try:
            return room(self.path.parent)
        except OSError as error:
            raise StoreError(f"can't see the disk of {self.path.parent}: {error.strerror}", "is it mounted?") from error

"""One process at a time writes a store."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from gateway.errors import StoreError


class FileLock:
    """An exclusive flock on `<store>.lock`; the kernel releases it however the process ends."""

    def __init__(self, store: Path) -> None:
        self._path = store.with_name(f"{store.name}.lock")
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock and write our pid into it; StoreError naming the owner when it is taken."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            hint = "correct store.path or its owner; what is no file there, take away"
            raise StoreError(f"can't open {self._path}: {error.strerror}", hint) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise StoreError(
                f"store {self._path.with_suffix('')} is in use by process {owner}",
                "one gateway writes a store; stop the other one, or give this one its own store.path",
            ) from error
        self._fd = descriptor
        with suppress(OSError):  # a full disk: the pid only helps whoever is refused
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back. The file stays: removing it would let two processes lock two files."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

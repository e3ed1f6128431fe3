"""A small disk of its own for a store, full and empty again at a word."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.harness.required import missing, required

_PIECE = 4096


class SmallDisk:
    """What somebody else's files do to the disk that the store is on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "somebody-elses.log"

    def fill(self) -> None:
        """Leave no byte."""
        with self._filler.open("ab", buffering=0) as file, suppress(OSError):
            while file.write(bytes(_PIECE)):
                pass

    def free(self) -> None:
        """Delete what filled it."""
        self._filler.unlink()


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[SmallDisk]:
    """Mount a disk of that size (as `mount` takes it, e.g. 32m) there; without the right to, skip the test."""
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        [required("mount"), "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        missing(f"nothing can be mounted: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run([required("umount"), "--lazy", folder], check=True)

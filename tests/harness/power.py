"""A disk whose power can be cut: an ext4 image on a loop device, with the gateway's store on it.

The cut is ext4's own shutdown without a flush of its journal: from that moment nothing reaches the image any more,
and what was not synchronised is gone when it is mounted again.
"""

import fcntl
import os
import struct
import subprocess
from pathlib import Path
from typing import Self

from tests.harness.required import missing, required
from tests.harness.until import until

_EXT4_IOC_SHUTDOWN = 0x8004587D
_NO_LOG_FLUSH = struct.pack("I", 2)
_MEGABYTES = 256


class Disk:
    """Mounted at a folder while the `with` block lasts; root alone can do that."""

    def __init__(self, image: Path, at: Path, *, megabytes: int = _MEGABYTES) -> None:
        if os.geteuid():
            missing("only root can mount a disk and cut its power")
        self._image = image
        self._at = at
        self._at.mkdir(parents=True, exist_ok=True)
        with image.open("wb") as file:
            file.truncate(megabytes << 20)
        _carry_out("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image)

    def __enter__(self) -> Self:
        self._mount()
        return self

    def __exit__(self, *_: object) -> None:
        self._unmount()

    def cut(self) -> None:
        """Cut the power: whoever writes from now on gets errors. The caller kills them and calls `back`."""
        folder = os.open(self._at, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(folder, _EXT4_IOC_SHUTDOWN, _NO_LOG_FLUSH)
        finally:
            os.close(folder)

    def back(self) -> None:
        """Bring the disk back as the cut left it; nobody may have a file open on it."""
        self._unmount()
        self._mount()

    def _mount(self) -> None:
        _carry_out("mount", "-o", "loop", self._image, self._at)

    def _unmount(self) -> None:
        # A killed process is gone a moment before its files are closed.
        until(lambda: not subprocess.call(["umount", self._at], stderr=subprocess.DEVNULL), what=f"umount {self._at}")


def _carry_out(program: str, *arguments: object) -> None:
    command = [required(program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        missing(f"{' '.join(command)}: {done.stderr.strip()}")

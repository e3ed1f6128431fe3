"""Whether files are still the ones that were read: what is renewed on disk must reach the next handshake."""

from collections.abc import Iterator
from os import stat_result
from pathlib import Path
from typing import NamedTuple


class _Stamp(NamedTuple):
    modified: int  # ns
    size: int  # bytes
    inode: int


Fingerprint = tuple[_Stamp | None, ...]


def fingerprint(*files: Path | None) -> Fingerprint:
    """Return what tells each file from another of its name, and None for one that isn't there or isn't configured.

    Take it before the files are read: one that changes in between is then read again. A folder stands for its files.
    """
    return tuple(_stamp(path) for file in files for path in _within(file))


def _within(file: Path | None) -> Iterator[Path | None]:
    yield file
    try:
        yield from sorted(file.iterdir()) if file and file.is_dir() else ()
    except OSError:
        return


def _stamp(file: Path | None) -> _Stamp | None:
    try:
        found: stat_result | None = file.stat() if file else None
    except OSError:
        return None
    return found and _Stamp(found.st_mtime_ns, found.st_size, found.st_ino)

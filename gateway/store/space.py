"""How much room the store has and takes."""

import os
import sqlite3
from pathlib import Path
from typing import NamedTuple

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024
_TEN = 10  # below it a size says one digit behind the point


class Room(NamedTuple):
    """A file system in bytes: its size, and what our user may still write."""

    total: int
    free: int


def room(folder: Path) -> Room:
    """Return the room of the file system that the folder is on; OSError where it can't be told."""
    found = os.statvfs(folder)
    return Room(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)


def unused(connection: sqlite3.Connection) -> int:
    """Return the bytes inside the store's file that hold nothing (any more): new rows go there first."""
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size"))
    return int(pages * size)


def size_of(path: Path) -> int:
    """Return the bytes of a file, 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def in_words(size: float) -> str:
    """Return a number of bytes as people read it: 8 MiB, 1.5 GiB."""
    unit = 0
    while size >= _STEP and unit < len(_UNITS) - 1:
        size, unit = size / _STEP, unit + 1
    shown = f"{size:.1f}" if size < _TEN and unit else f"{size:.0f}"
    return f"{shown.removesuffix('.0')} {_UNITS[unit]}"

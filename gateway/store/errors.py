"""SQLite's errors in the gateway's words."""

import sqlite3
from pathlib import Path

from gateway.errors import StoreDamaged, StoreError, StoreFull

_HINTS = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space; nothing is lost, the counters catch up",
    sqlite3.SQLITE_IOERR: "the disk fails: see the kernel's log; nothing was acknowledged",
    sqlite3.SQLITE_CORRUPT: "restore a backup with `gateway restore`, which keeps this file for a look at it",
    sqlite3.SQLITE_NOTADB: "this is no SQLite file: correct store.path, or restore the last backup",
    sqlite3.SQLITE_BUSY: "another program has it locked: close it, then it goes on",
    sqlite3.SQLITE_LOCKED: "another program has it locked: close it, then it goes on",
    sqlite3.SQLITE_READONLY: "the gateway's user may not write there: correct the owner of the folder and its files",
    sqlite3.SQLITE_CANTOPEN: "it doesn't exist, or the gateway's user may not open it: correct store.path or the owner",
    sqlite3.SQLITE_CONSTRAINT: "memory and disk disagree: reopen the store and load the state again",
}
_NO_TEXT = "Could not decode to UTF-8"
_KINDS: dict[int, type[StoreError]] = {
    sqlite3.SQLITE_FULL: StoreFull,
    sqlite3.SQLITE_CORRUPT: StoreDamaged,
    sqlite3.SQLITE_NOTADB: StoreDamaged,
}


def code_of(error: Exception) -> int:
    """Return SQLite's primary code of an error."""
    if str(error).startswith(_NO_TEXT):  # sqlite3's own, without a code: a changed byte in a text
        return sqlite3.SQLITE_CORRUPT
    # The primary code is the low byte; what stands above it only refines it (SQLITE_IOERR_FSYNC …).
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


def store_error(path: Path, error: Exception) -> StoreError:
    """Return what happened to the store at `path`, with what to do about it."""
    code = code_of(error)
    kind = _KINDS.get(code, StoreError)
    return kind(f"store {path}: {error}", _HINTS.get(code, ""))

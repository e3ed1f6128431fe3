"""Whether files are still the ones that were read: what is renewed on disk must reach the next handshake."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

_SUFFIXES = (".pem", ".der", ".crt", ".cer", ".crl")

Fingerprint = tuple[bytes | None, ...]


def fingerprint(*files: Path | None) -> Fingerprint:
    """Return what tells each file's contents from others, and None for what can't be read or isn't configured.

    Take it before the files are read: one that changes in between is then read again. A folder stands for the
    certificates and lists in it.
    """
    # By their contents: a list fetched anew is mostly the same one, and times and inodes tell neither that nor,
    # on every file system, the opposite.
    return tuple(_digest(path) for file in files for path in _within(file))


def in_folder(folder: Path) -> list[Path]:
    """Return the certificates and lists in it, by name, without what editors leave beside them; OSError."""
    return sorted(one for one in folder.iterdir() if one.suffix.lower() in _SUFFIXES)


def _within(file: Path | None) -> Iterator[Path | None]:
    yield file
    try:
        yield from in_folder(file) if file and file.is_dir() else ()
    except OSError:
        return


def _digest(file: Path | None) -> bytes | None:
    try:
        return sha256(file.read_bytes()).digest() if file else None
    except OSError:  # a folder's, too
        return None

"""What retention has taken out of the store: commands that read look into its archives, and say so."""

from collections.abc import Callable, Iterator
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

from gateway.cli.store_path import config_of, store_of
from gateway.store import archive
from gateway.store.reading import read

T = TypeVar("T")


def read_archives(folder: Path, work: Callable[[Connection], T]) -> Iterator[tuple[Path, T]]:
    """Yield what `work` reads in each archive of the store, the newest first; a store's file alone names none."""
    if folder.is_file() or (archives := config_of(folder).archive) is None:
        return
    for path, _ in archive.of_store(store_of(folder), archives):
        with archive.readable(path) as store:
            yield path, read(store, work)

"""What retention has taken out of the store: commands that read look into its archives, and say so."""

from collections.abc import Callable, Iterator
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

import typer

from gateway.cli.store_path import config_of, store_of
from gateway.errors import StoreError
from gateway.store import archive
from gateway.store.archive import Archive
from gateway.store.load import read_meta
from gateway.store.reading import read

T = TypeVar("T")


def read_archives(folder: Path, work: Callable[[Connection], T], seq: int | None = None) -> Iterator[tuple[Path, T]]:
    """Yield what `work` reads in each sound archive of the store, the newest first; a store's file alone names none.

    `seq`: only in those that have this posting. StoreError at the end where something that retention deleted is in none
    of them, but may be in one that isn't sound.
    """
    if folder.is_file() or (archives := config_of(folder).archive) is None:
        return
    store = store_of(folder)
    deleted = int(read(store, read_meta).get("retained_seq", 0))
    sound: list[Archive] = []
    refused: list[StoreError] = []
    for one in archive.of_store(store, archives):
        if seq is not None and not one.first <= seq <= one.last:
            continue
        try:
            one.require_sound()
        except StoreError as error:
            refused.append(error)
            continue
        sound.append(one)
        with archive.readable(one.path) as current:
            yield one.path, read(current, work)
    gap = archive.missing(sound, seq or 1, min(seq or deleted, deleted))
    _tell(archives, gap, refused)


def _tell(archives: Path, gap: tuple[int, int] | None, refused: list[StoreError]) -> None:
    """Refuse where an archive that isn't sound may have what no other has; else say what isn't read or there."""
    if gap and refused:
        raise refused[0]
    for error in refused:
        typer.echo(f"not read, the other archives have all of it: {error}", err=True)
    if gap:
        which = f"posting {gap[0]}" if gap[0] == gap[1] else f"postings {gap[0]} to {gap[1]}"
        typer.echo(f"no archive in {archives} has {which}, which retention deleted", err=True)

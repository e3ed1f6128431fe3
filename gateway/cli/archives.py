"""What retention has taken out of the store: commands that read look into its archives, and say so."""

from collections.abc import Callable, Iterator
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

import typer

from gateway.cli.store_path import config_of, store_of
from gateway.errors import StoreError
from gateway.store import archive, manifest
from gateway.store.archive import Archive
from gateway.store.load import read_meta
from gateway.store.reading import read

T = TypeVar("T")


def read_archives(folder: Path, work: Callable[[Connection], T], seq: int | None = None) -> Iterator[tuple[Path, T]]:
    """Yield what `work` reads in each sound archive of the store, the newest first; a store's file alone names none.

    `seq`: only in those that have this posting. StoreError at the end where something that retention deleted is in none
    of them: what was yielded isn't all. Where no folder for archives is configured, that is only told.
    """
    if folder.is_file():
        return
    store, archives = store_of(folder), config_of(folder).archive
    meta = read(store, read_meta)
    deleted = int(meta.get("retained_seq", 0))
    wanted = seq or 1, min(seq or deleted, deleted)
    if archives is None:
        if wanted[0] <= wanted[1]:
            typer.echo(f"retention has deleted {_postings(*wanted)}, and no archive is configured", err=True)
        return
    sound: list[Archive] = []
    refused = manifest.unusable(archives, meta["gateway"])
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
    if gap := archive.missing(sound, *wanted):
        what = f"no archive in {archives} has {_postings(*gap)}, which retention deleted"
        every = (what, *(f"not read: {one.message}" for one in refused))
        raise StoreError("\n".join(every), "bring it back from a copy: what is shown without it isn't all")
    for unread in refused:
        typer.echo(f"not read, the other archives have all of it: {unread}", err=True)


def _postings(first: int, last: int) -> str:
    return f"posting {first}" if first == last else f"postings {first} to {last}"

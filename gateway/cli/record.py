"""`gateway record CONFIG_DIR`: everything that came in, as a file that `gateway replay` runs again."""

import sqlite3
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from gateway.cli.store_path import store_of
from gateway.errors import GatewayError
from gateway.store.reading import read
from gateway.store.recorded import Missing, recording


def record(
    folder: Annotated[Path, typer.Argument(help="configuration folder, or a demo's folder, or a store file")],
    out: Annotated[Path, typer.Option(help="the file to write")] = Path("events.jsonl"),
) -> None:
    """Write events, clock ticks, commands, activations, gaps and notices in the order they happened."""
    store = store_of(folder)
    try:
        lines, missing = read(store, lambda raw: _write(raw, out))
    except OSError as error:
        raise GatewayError(f"{out} can't be written: {error.strerror}") from error
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"{out}: {lines} events and inputs of {store}")
    if missing:
        console.print(_told(missing))


def _write(connection: sqlite3.Connection, out: Path) -> tuple[int, Missing]:
    """Write the file; return how many events and inputs it has, and what the store doesn't have any more."""
    with out.open("wb") as file:
        for line in recording(connection):
            file.write(orjson.dumps(line) + b"\n")
            if "missing" in line:
                missing = Missing(**line["missing"])
    return line["events_and_inputs"], missing


def _told(missing: Missing) -> str:
    what = f"events through {missing.events}"
    if missing.postings:
        what = f"{what} and what led to the postings through seq {missing.postings}"
    return f"the beginning is missing: {what}. A replay begins without the stock and the totals of that time."

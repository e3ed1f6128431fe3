"""`gateway backup CONFIG_DIR DEST` and `gateway archive CONFIG_DIR`: copies of the store to go back or refer to."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import Folder
from gateway.cli.steps import steps
from gateway.cli.store_path import config_of, store_of
from gateway.errors import ConfigError
from gateway.runtime.bootstrap import load_config, store_key
from gateway.store.archive import make
from gateway.store.copying import copy_store

_POLITE = 10  # nice: the counting beside it comes first
Copy = Annotated[Path, typer.Argument(help="a file that isn't there yet; its manifest is written to DEST.json")]


def backup(config_dir: Folder, dest: Copy) -> None:
    """Copy the store beside the running gateway, verified and signed; a copy that is there is whole."""
    store = store_of(config_dir)
    key = None if config_dir.is_file() else store_key(config_of(config_dir))
    with steps() as step:
        made = copy_store(store, dest, "backup", datetime.now(UTC), step, key=key).content
    typer.echo(f"{dest}: store {made.store} up to seq {made.seq}, {made.size / 1e6:.1f} MB, verified; with {dest}.json")


def archive(config_dir: Folder) -> None:
    """Archive what retention may delete: verified, signed, readable by verify, explain and genealogy.

    A gateway with `retention.archive`, or in regulated mode, does it by itself before it deletes.
    """
    os.nice(_POLITE)
    config, now = load_config(config_dir), datetime.now(UTC)
    if config.archive is None:
        raise ConfigError("no folder for archives is configured", "set `retention: {archive: FOLDER}` in gateway.yaml")
    limit = now - timedelta(seconds=config.gateway.retention.keep)
    with steps() as step:
        made = make(config.store_path, config.archive, limit, now, step, key=store_key(config))
    typer.echo(f"{made}, verified; with {made}.json" if made else "nothing may be deleted yet: no archive was written")

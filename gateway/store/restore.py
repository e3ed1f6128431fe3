"""Back to a backup, or to an empty store, under a new id; the file that was there is kept.

What happened since the backup nobody knows here, but the ERP may: so whatever was made, or waited, before this moment
is held for a person. The chain goes on, with an entry that says what was restored, by whom and why.

The new file is made ready beside the old one and then takes its place; where that breaks off, the next opening of the
store finishes it (`take_over`).
"""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from gateway.errors import StoreError
from gateway.store import manifest
from gateway.store.checkpoints import KEYS
from gateway.store.connection import connect_reader, connect_writer, transaction
from gateway.store.doubt import Begun, Occasion, Present, begin_anew, go_on
from gateway.store.errors import store_error
from gateway.store.founding import found, new_id
from gateway.store.left_behind import left_behind
from gateway.store.load import read_meta
from gateway.store.lock import FileLock
from gateway.store.malformed import MALFORMED
from gateway.store.manifest import SignedManifest
from gateway.store.migrate import migrate, require_ours
from gateway.store.reading import read, require_file
from gateway.store.replace import BESIDE, make_folder, ready_name, replaced_name, sync_folder, take_over
from gateway.store.signing import key_path
from gateway.store.verify import Progress, verify

_COUNTED = "SELECT device, signal, counted FROM checkpoint"


class Outcome(NamedTuple):
    """What stands there now, and where the file is that stood there before; None: there was none."""

    begun: Begun
    present: Present | None
    kept: Path | None
    key: str = ""  # the short name of the key that signed the backup


def restore(store: Path, backup: Path, gateway: str, occasion: Occasion, progress: Progress) -> Outcome:
    """Put a backup in the store's place; StoreError where it isn't sound or the store is in use: nothing changed."""
    described = manifest.read(backup)
    if described.content.gateway != gateway:
        what = f"{backup} is of gateway {described.content.gateway}, this is {gateway}"
        raise StoreError(what, "restore one of this gateway's own backups")

    def make(ready: Path, present: Present | None) -> Begun:
        progress("copying", 0)
        _take_copy(backup, ready, described)
        connection = connect_writer(ready)
        with closing(connection):
            migrate(connection)
        progress("verifying", 0)
        _require_sound(ready, backup, progress)
        _require_own_key(ready, backup, described)
        return _in_one(ready, lambda raw: go_on(raw, _origin(backup, described), present, occasion))

    return _replace(store, occasion, make)._replace(key=described.key)


def start_anew(store: Path, gateway: str, occasion: Occasion) -> Outcome:
    """Put an empty store in the place of the one that was there; StoreError where it is in use: nothing changed."""

    def make(ready: Path, present: Present | None) -> Begun:
        with closing(connect_writer(ready)) as connection:
            migrate(connection)
            found(connection, gateway, new_id())
        return _in_one(ready, lambda raw: begin_anew(raw, present, occasion))

    return _replace(store, occasion, make)


def look_at(store: Path, kept: Path) -> Present | None:
    """Return what can be read of a store that may be damaged, None where nothing can; it will be kept as `kept`."""
    try:
        with closing(connect_reader(store)) as connection:
            meta = read_meta(connection)
            counted = {(device, signal): int(units) for device, signal, units in connection.execute(_COUNTED)}
            seq = int(meta["seq"])
            return Present(meta["store"], seq, counted, left_behind(connection, seq, str(kept)))
    except (sqlite3.Error, *MALFORMED):
        return None


def _replace(store: Path, occasion: Occasion, make: Callable[[Path, Present | None], Begun]) -> Outcome:
    make_folder(store.parent)
    lock = FileLock(store)
    lock.acquire()
    making, ready = store.with_name(f"{store.name}.making"), ready_name(store, occasion.at)
    try:
        _clear(making)  # of one that was killed
        take_over(store)  # what another one left
        _require_ours(store)
        present = look_at(store, replaced_name(ready))
        begun = make(making, present)
        _give_to_owner(making)
        making.rename(ready)
        sync_folder(store.parent)
        kept = take_over(store)
        return Outcome(begun, present, kept if kept and kept.exists() else None)
    except sqlite3.Error as error:
        raise store_error(making, error) from error
    except OSError as error:
        raise StoreError(f"can't replace {store}: {error.strerror}", "free some space, or correct the owner") from error
    finally:
        _clear(making)
        lock.release()


def _require_ours(store: Path) -> None:
    """Refuse to put another program's file aside; a damaged one may be anything."""
    require_file(store)
    with suppress(sqlite3.Error), closing(connect_reader(store)) as connection:
        require_ours(connection)


def _clear(making: Path) -> None:
    for suffix in BESIDE:
        making.with_name(making.name + suffix).unlink(missing_ok=True)
    key_path(making).unlink(missing_ok=True)


def _give_to_owner(ready: Path) -> None:
    """Let the gateway's user have the file when root restores: that user owns the folder."""
    if os.geteuid() == 0:
        folder = ready.parent.stat()
        os.chown(ready, folder.st_uid, folder.st_gid)


def _take_copy(backup: Path, ready: Path, described: SignedManifest) -> None:
    shutil.copyfile(backup, ready)
    ready.chmod(0o600)
    manifest.require_whole(described.content, ready, backup)


def _require_sound(ready: Path, backup: Path, progress: Progress) -> None:
    wrong = [one for one in verify(ready, progress).checks if not one.ok]
    if wrong:
        said = "; ".join(f"{one.name}: {one.detail}" for one in wrong)
        raise StoreError(f"{backup} doesn't verify: {said}", "use another backup")


def _require_own_key(ready: Path, backup: Path, described: SignedManifest) -> None:
    """Anybody can sign a manifest; a store that was never run since it has a key names none."""
    chained = read(ready, lambda raw: {public for _, public, _ in raw.execute(KEYS)})
    if chained and described.public_key not in chained:
        what = f"{backup} was signed by key {described.key}, which is none of its store's"
        raise StoreError(what, "use a backup that the gateway's own key signed")


def _in_one(ready: Path, work: Callable[[sqlite3.Connection], Begun]) -> Begun:
    with closing(connect_writer(ready)) as connection:
        return transaction(connection, work)


def _origin(backup: Path, described: SignedManifest) -> dict[str, object]:
    """Return what the chain says of the backup."""
    return {"file": str(backup), **asdict(described.content), "key": described.key}

"""The store is damaged: the two ways out, which only a person can choose between."""

from pathlib import Path

from gateway.settings.load import Config
from gateway.store import manifest

_SHOWN = 5  # the newest ones


def choice(config: Config, folder: Path) -> str:
    """Return what to type: to go back to a backup, those that can be seen named, or to begin anew."""
    return (
        f"nothing was changed. Either go back to a backup, and settle what was made since:\n"
        f"    gateway restore {folder} BACKUP --reason …\n{_backups(config)}"
        f"or begin with an empty store, where there is none:\n"
        f"    gateway new-store {folder} --reason …\n"
        f"Either way this file is kept, and the ERP sees a new store id."
    )


def _backups(config: Config) -> str:
    where = config.gateway.store.backups
    if where is None:
        return "  (`store: {backups: FOLDER}` in gateway.yaml would list them here)\n"
    found = list(manifest.copies(where, "backup", config.gateway.gateway))[:_SHOWN]
    rows = [f"  {path}: of {one.created_at}, store {one.store} up to seq {one.seq}\n" for path, (one, *_) in found]
    return "".join(rows) or f"  (there is none in {where})\n"

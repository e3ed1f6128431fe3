"""Which store a command means."""

from pathlib import Path

from gateway.errors import ConfigError
from gateway.runtime.bootstrap import load_config


def store_of(folder: Path) -> Path:
    """Return the store of a configuration folder, a demo's folder, or the store file itself; it has to exist."""
    if folder.is_file():
        return folder
    config = folder / "config" if (folder / "config" / "gateway.yaml").exists() else folder
    path = load_config(config).store_path
    if not path.exists():
        raise ConfigError(f"there is no store at {path}", "the gateway makes it at its first start")
    return path

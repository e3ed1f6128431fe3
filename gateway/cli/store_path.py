"""Which store a command means."""

from pathlib import Path

from gateway.errors import ConfigError
from gateway.runtime.bootstrap import load_config
from gateway.settings.load import Config


def store_of(folder: Path) -> Path:
    """Return the store of a configuration folder, a demo's folder, or the store file itself; it has to exist."""
    if folder.is_file():
        return folder
    path = config_of(folder).store_path
    if not path.exists():
        raise ConfigError(f"there is no store at {path}", "the gateway makes it at its first start")
    return path


def config_of(folder: Path) -> Config:
    """Return the configuration of a configuration folder or a demo's folder."""
    return load_config(folder / "config" if (folder / "config" / "gateway.yaml").exists() else folder)

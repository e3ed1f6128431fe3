"""The token of whoever may read the store's folder anyway: the commands ask the daemon with it.

It takes commands as a supervisor's workplace does; what needs a signature needs one from there, too.
Made anew at each start, so a copied one is worth nothing after it.
"""

import secrets
from hashlib import sha256
from pathlib import Path

from gateway.errors import StoreError
from gateway.settings.api import TokenSettings


def local_token_path(store: Path) -> Path:
    """Return where the running daemon of that store leaves its token."""
    return store.with_name(f"{store.name}.token")


def make_local_token(store: Path) -> TokenSettings:
    """Write a new token beside the store, readable by its owner only; return what the API knows of it.

    StoreError where it can't be written.
    """
    secret = secrets.token_urlsafe(32)
    path = local_token_path(store)
    new = path.with_name(f".{path.name}.new")
    try:
        new.unlink(missing_ok=True)
        new.touch(mode=0o600, exist_ok=False)
        new.write_text(secret, "utf-8")
        new.replace(path)  # whole at every moment
    except OSError as error:
        raise StoreError(f"can't write {path}: {error.strerror}", "free some space, or correct its owner") from error
    return TokenSettings(name="local", role="supervisor", sha256=sha256(secret.encode()).hexdigest())

"""The beginning of a store: its id and the genesis of its chain."""

import secrets
import sqlite3

from gateway.formats import chain
from gateway.store.statements import META

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: nothing that reads like something else
_ID_LENGTH = 8  # 40 bits tell the few stores that one gateway ever has


def new_id() -> str:
    """Return an id that no store of this gateway has."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))


def found(connection: sqlite3.Connection, gateway: str, store: str) -> str:
    """Make an empty file the store of that id; return the id."""
    genesis = chain.genesis(gateway, store).hex()
    rows = [("gateway", gateway), ("store", store), ("seq", "0"), ("position", "0"), ("hash", genesis)]
    META.run(connection, rows)
    return store

"""The hash chain: each entry of a store seals the one before it.

A sealed body is the entry's JSON with two last members, `previous_hash` and `hash`, where
hash = SHA-256(previous hash, 32 bytes ‖ the JSON without those two members). So whoever holds two
neighbours can check them with any SHA-256 tool: cut the suffix, put the brace back.
"""

import re
from hashlib import sha256

from gateway.errors import DataError

_SUFFIX = re.compile(rb',"previous_hash":"sha256:([0-9a-f]{64})","hash":"sha256:([0-9a-f]{64})"\}\Z')
_SUFFIX_LENGTH = len(b',"previous_hash":"sha256:","hash":"sha256:"}') + 128


def genesis(gateway: str, store: str) -> bytes:
    """Return the previous hash of a store's first entry."""
    return sha256(f"backflush {gateway}/{store}".encode()).digest()


def link(core: bytes, previous: bytes) -> bytes:
    """Return the hash that seals `core` (a JSON object) behind `previous`."""
    return sha256(previous + core).digest()


def seal(core: bytes, previous: bytes) -> tuple[bytes, bytes]:
    """Return the body as stored and its hash."""
    sealed = link(core, previous)
    body = b'%s,"previous_hash":"sha256:%s","hash":"sha256:%s"}' % (
        core[:-1],
        previous.hex().encode(),
        sealed.hex().encode(),
    )
    return body, sealed


def unseal(body: bytes) -> tuple[bytes, bytes, bytes]:
    """Return (core, previous hash, hash) of a stored body; DataError where the seal is missing or malformed."""
    if not isinstance(body, bytes):  # whoever changed a row with SQL may have made it text
        raise DataError("the entry is not stored as bytes")
    match = _SUFFIX.search(body, max(0, len(body) - _SUFFIX_LENGTH))
    if match is None:
        raise DataError("the entry has no previous_hash and hash at its end")
    return body[: match.start()] + b"}", bytes.fromhex(match[1].decode()), bytes.fromhex(match[2].decode())

"""The store's own Ed25519 key: what it signs was verified or written here, by whoever had this key then.

The private key stands beside the store (`<store>.key`, PKCS #8 in PEM, mode 0600), or where gateway.yaml says. A public
key is 32 bytes in hex; its id the first 16 digits of their SHA-256. Any Ed25519 tool can check a signature.
"""

import os
import secrets
from contextlib import suppress
from errno import ENOSPC
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.errors import StoreError, StoreFull

_ID_LENGTH = 16  # hex digits: 64 bits tell the few keys that a store ever has
_NOT_OURS = "correct the owner of the folder and of the key; what is no file there, take away"
_HINT = "put the right one back, or take the file away: the next start makes a new one and chains it"


class Signed(NamedTuple):
    """Which key signed, and the signature (64 bytes in hex)."""

    key: str
    signature: str


class SigningKey:
    """A private key that signs; `public` and `id` may be shown to anybody."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw().hex()
        self.id = key_id(self.public)

    def sign(self, content: bytes) -> Signed:
        """Sign these bytes as they are."""
        return Signed(self.id, self._private.sign(content).hex())


def key_id(public: str) -> str:
    """Return the short name of a public key (hex); ValueError where it is no hex."""
    return sha256(bytes.fromhex(public)).hexdigest()[:_ID_LENGTH]


def check(public: str, content: bytes, signature: str) -> bool:
    """Tell whether the owner of the public key (hex) signed exactly these bytes; anything malformed was not signed."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_path(store: Path) -> Path:
    """Return where a store keeps its key."""
    return store.with_name(f"{store.name}.key")


def signing_key(store: Path) -> SigningKey:
    """Return the key beside the store, made now where there is none; StoreError where it can't be had."""
    path = key_path(store)
    try:
        if not path.exists():
            _make(path)
        return parsed(path.read_bytes(), str(path))
    except OSError as error:
        kind, hint = (StoreFull, "free some space") if error.errno == ENOSPC else (StoreError, _NOT_OURS)
        raise kind(f"signing key {path}: {error.strerror}", hint) from error


def parsed(pem: bytes, where: str) -> SigningKey:
    """Return the key of a PEM; StoreError naming `where` when it is no unencrypted Ed25519 key."""
    try:
        private = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise StoreError(f"signing key {where} can't be read", _HINT) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise StoreError(f"signing key {where} is no Ed25519 key", _HINT)
    return SigningKey(private)


def _make(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    made = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        _write(made, pem)
        if os.geteuid() == 0:  # a copy made by root mustn't leave a key that the gateway's user can't read
            folder = path.parent.stat()
            os.chown(made, folder.st_uid, folder.st_gid)
        # Linked, not renamed: two that make the first key at once end with the same one.
        with suppress(FileExistsError):
            os.link(made, path)
    finally:
        made.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

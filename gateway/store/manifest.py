"""What stands beside a copy of a store (`COPY.json`): whose it is, how far it goes, the hash of its file, signed.

{"content": {"format", "kind", "gateway", "store", "first_seq", "seq", "position", "hash", "created_at", "schema",
             "size", "sha256", "through"}, "public_key", "signature"}

The signature (Ed25519, hex) covers `content` as JSON with sorted keys and without spaces.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple

from gateway.errors import StoreError
from gateway.store.findings import Check
from gateway.store.signing import SigningKey, check, key_id

_FORMAT = "backflush.copy/1"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A copy of a store. `kind` is backup or archive; `hash` (hex) is the head of its chain; `size` in bytes."""

    kind: str
    gateway: str
    store: str
    first_seq: int  # of the postings that are still in it
    seq: int
    position: int
    hash: str
    created_at: str
    schema: int
    size: int
    sha256: str
    through: int = 0  # of an archive: what it allows retention to delete
    format: str = _FORMAT


class SignedManifest(NamedTuple):
    """A manifest, and who vouches for it."""

    content: Manifest
    public_key: str
    signature: str

    @property
    def key(self) -> str:
        """The short name of the key that signed."""
        return key_id(self.public_key)


def path_of(copy: Path) -> Path:
    """Return where the manifest of a copy stands."""
    return copy.with_name(f"{copy.name}.json")


def sign(manifest: Manifest, key: SigningKey) -> SignedManifest:
    """Return the manifest as its store vouches for it."""
    return SignedManifest(manifest, key.public, key.sign(_covered(manifest)).signature)


def write(manifest: SignedManifest, copy: Path) -> None:
    """Write the manifest beside the copy, on the disk when this returns; OSError where that can't be, and then none.

    It is nobody's yet: FileExistsError where such a file is there.
    """
    path = path_of(copy)
    with path.open("x", encoding="utf-8") as file:
        try:
            json.dump({**manifest._asdict(), "content": asdict(manifest.content)}, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            path.unlink()
            raise


def read(copy: Path) -> SignedManifest:
    """Return the manifest of a copy, its signature checked; StoreError where it is missing, malformed or changed."""
    path = path_of(copy)
    try:
        manifest = _parsed(path.read_bytes())
    except OSError as error:
        what = f"the manifest {path} can't be read: {error.strerror}"
        raise StoreError(what, "a backup is two files, BACKUP and BACKUP.json: bring both") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreError(f"{path} is no manifest of a backup", "bring the one that was written with it") from error
    if manifest.content.format != _FORMAT or not check(
        manifest.public_key, _covered(manifest.content), manifest.signature
    ):
        raise StoreError(f"{path} was changed: its signature doesn't hold", "use another backup")
    return manifest


def copies(folder: Path, kind: str, gateway: str) -> Iterator[tuple[Path, SignedManifest]]:
    """Yield that gateway's copies in a folder, the newest first; what has no good manifest is passed over."""
    found = [
        (copy, described)
        for copy, described in _described(folder, gateway)
        if isinstance(described, SignedManifest)
        and (described.content.kind, described.content.gateway) == (kind, gateway)
    ]
    yield from sorted(found, key=lambda one: one[1].content.created_at, reverse=True)


def unusable(folder: Path, gateway: str) -> list[StoreError]:
    """Return what `copies` passes over, and why: whose it is, nobody can say."""
    return [found for _, found in _described(folder, gateway) if isinstance(found, StoreError)]


def inspect(copy: Path) -> Check:
    """Return whether a copy is as it was signed, or that no manifest stands beside it."""
    if not path_of(copy).exists():
        what = f"none: nobody vouches for this file but itself. A backup or an archive has {path_of(copy).name}, signed"
        return Check("manifest", ok=True, detail=f"{what}; a gateway's own store needs none")
    try:
        described = read(copy)
        require_whole(described.content, copy, copy)
    except StoreError as error:
        return Check("manifest", ok=False, detail=str(error))
    content = described.content
    return Check("manifest", ok=True, detail=f"{content.kind} of {content.created_at}, signed by key {described.key}")


def require_whole(manifest: Manifest, file: Path, name: Path) -> None:
    """Make sure that `file` is what the manifest of `name` says, byte for byte; StoreError where it isn't."""
    try:
        is_whole = file.stat().st_size == manifest.size and digest(file) == manifest.sha256
    except OSError as error:
        raise StoreError(f"{name} can't be read: {error.strerror}", "correct its owner, or use another one") from error
    if not is_whole:
        raise StoreError(f"{name} is not the file that its manifest was written for", "it is damaged: use another one")


def digest(file: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()


def _described(folder: Path, gateway: str) -> Iterator[tuple[Path, SignedManifest | StoreError]]:
    """Yield each file that has a manifest, or the name of that gateway's archives, with what its manifest says."""
    named = {path.with_suffix("") for path in folder.glob("*.json")} | set(folder.glob(f"{gateway}-*.db"))
    for copy in sorted(named):
        if copy.is_file():
            try:
                yield copy, read(copy)
            except StoreError as error:
                yield copy, error


def _parsed(raw: bytes) -> SignedManifest:
    """Return what the JSON says, signed or not; ValueError, KeyError, TypeError or RecursionError where it is none."""
    found = json.loads(raw)
    content = Manifest(**found["content"])
    for one in fields(content):
        if type(getattr(content, one.name)) is not one.type:
            raise TypeError(one.name)
    public_key, signature = found["public_key"], found["signature"]
    key_id(public_key)
    bytes.fromhex(signature)
    return SignedManifest(content, public_key, signature)


def _covered(manifest: Manifest) -> bytes:
    return json.dumps(asdict(manifest), sort_keys=True, separators=(",", ":")).encode()

"""Signs checkpoints as the daemon does, without one."""

from typing import Any

from gateway.domain.clock import ClockTrust
from gateway.formats.canonical import Place
from gateway.store import checkpoints
from gateway.store.checkpoints import SignedCheckpoint
from gateway.store.signing import SigningKey, signing_key
from gateway.store.store import Store
from gateway.store.verify import verify
from tests.unit.store.samples import START


def place_of(store: Store) -> Place:
    return Place(store.gateway, store.store, START, ClockTrust("assume", 0))


async def introduced(store: Store) -> SigningKey:
    """Chain the store's key; before a line is made on it."""
    key = signing_key(store.path)
    await store.transact(lambda raw: checkpoints.introduce(raw, key, place_of(store)))
    return key


async def vouched(store: Store, key: SigningKey, *, since: bool = False) -> SignedCheckpoint:
    """Verify the store, sign that, return the checkpoint."""
    report = verify(store.path, since_checkpoint=since)
    assert report.reached is not None, [one for one in report.checks if not one.ok]
    prepared = checkpoints.prepare(store.path, report.reached, key, place_of(store))
    await store.transact(lambda raw: checkpoints.write(raw, prepared))
    return prepared.row


def faults(path, *, since: bool) -> dict[str, str]:
    """Return what a verification finds, by check."""
    return {one.name: one.detail for one in verify(path, since_checkpoint=since).checks if not one.ok}


def answer(key: SigningKey, *items: SignedCheckpoint) -> dict[str, Any]:
    """Return what the API answers, as the central system keeps it."""
    kept = [{"position": one.position, "body": one.body, "signature": one.signature} for one in items]
    return {"keys": [{"id": key.id, "public": key.public}], "items": kept}

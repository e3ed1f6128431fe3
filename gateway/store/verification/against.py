"""Has the store what the central system saw signed? A chain that was cut off, or written anew, shows here."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import orjson

from gateway.errors import ConfigError
from gateway.store.checkpoints import KEYS, SignedCheckpoint
from gateway.store.connection import connect_reader
from gateway.store.errors import store_error
from gateway.store.findings import Check, Findings
from gateway.store.signing import key_id
from gateway.store.verification.signatures import judged_kept, open_chain

NAME = "central system"


class Kept(NamedTuple):
    """Checkpoints as the central system keeps them, with the public keys (hex) it got then, by id."""

    keys: dict[str, str]
    items: Sequence[SignedCheckpoint]


def read_kept(path: Path) -> Kept:
    """Read answers of `GET /api/v1/checkpoints` as they were kept, one or a list; ConfigError where it is none."""
    try:
        content = orjson.loads(path.read_bytes())
        answers = content if isinstance(content, list) else [content]
        keys = {key_id(one["public"]): one["public"] for answer in answers for one in answer["keys"]}
        items = [_checkpoint(one["body"], one["signature"]) for answer in answers for one in answer["items"]]
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "keep the answers of GET /api/v1/checkpoints as they came"
        raise ConfigError(f"{path} has no checkpoints: {type(error).__name__} {error}", hint) from error
    return Kept(keys, items)


def against(store: Path, kept: Kept) -> Check:
    """Compare each checkpoint that was kept with the store's chain; StoreError where that can't be read."""
    try:
        with closing(connect_reader(store)) as connection:
            connection.execute("BEGIN")
            return _compared(connection, kept)
    except sqlite3.Error as error:
        raise store_error(store, error) from error


def _compared(connection: sqlite3.Connection, kept: Kept) -> Check:
    findings = Findings(NAME)
    chain = open_chain(connection)
    judged = [(one, *judged_kept(one, chain, kept.keys)) for one in kept.items]
    chained = {name for name, _, _ in connection.execute(KEYS)}
    fine = [(one.key, gone) for one, fault, gone in judged if not fault]
    only_gone = {key for key, gone in fine if gone} - {key for key, gone in fine if not gone}
    for name in sorted(kept.keys.keys() - chained - only_gone):
        findings.add(f"the store does not know key {name}, which signed for it before")
    for one, fault, _ in judged:
        if fault:
            findings.add(f"checkpoint {one.position} of {one.at}: {fault}")
    last = max((one.position for one in kept.items), default=0)
    told = (gone.told(number) for gone, number in Counter(gone for *_, gone in judged if gone).items())
    return findings.check(
        "; ".join((f"{len(kept.items)} checkpoints that were kept, the last at position {last}", *told))
    )


def _checkpoint(body: str, signature: str) -> SignedCheckpoint:
    said = orjson.loads(body)
    return SignedCheckpoint(said["position"], said["seq"], said["at"], body, signature)

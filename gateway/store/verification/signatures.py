"""Do the signed checkpoints hold? Each by its key, and the store has the entry that it names, with that hash."""

import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from gateway.errors import DataError
from gateway.formats import chain
from gateway.store.batch import Head
from gateway.store.checkpoints import CHECKPOINT_FORMAT, KEYS, NEWEST, SignedCheckpoint
from gateway.store.findings import Check, Findings
from gateway.store.lineage import Lineage, read_lineage
from gateway.store.load import head, read_meta
from gateway.store.malformed import MALFORMED, in_words
from gateway.store.signing import check, key_id
from gateway.store.verification.given_up import GivenUp, given_up
from gateway.store.verified import Verified, parsed, read_totals

NAME = "checkpoints"
_ALL = "SELECT position, seq, at, body, signature FROM signed_checkpoint ORDER BY position"
_POSTING = "SELECT position, body FROM main.posting WHERE seq = ?"
_JOURNAL = "SELECT body FROM main.journal WHERE position = ?"
_MALFORMED = (*MALFORMED, DataError)


class Chain(NamedTuple):
    """A store's chain, to look entries up in."""

    connection: sqlite3.Connection
    meta: dict[str, str]
    lineage: Lineage

    @property
    def head(self) -> Head:
        """Where it ends."""
        return head(self.meta)

    @property
    def retained(self) -> int:
        """The last position that retention deleted."""
        return int(self.meta.get("retained_position", 0))

    def hash_at(self, seq: int, position: int) -> bytes | None:
        """Return the hash of the entry at `position`, whose last posting is `seq`; None where there is none."""
        if position == 0:
            return chain.genesis(self.lineage.gateway, self.lineage.first)
        if position == self.retained:
            return bytes.fromhex(self.meta["retained_hash"])
        at, body = self.connection.execute(_POSTING, (seq,)).fetchone() or (0, b"")
        if at != position:
            (body,) = self.connection.execute(_JOURNAL, (position,)).fetchone() or (None,)
        return chain.unseal(body)[2] if body else None


def open_chain(connection: sqlite3.Connection) -> Chain:
    """Return the chain of the store."""
    meta = read_meta(connection)
    return Chain(connection, meta, read_lineage(connection, meta))


def judged(one: SignedCheckpoint, store: Chain, keys: Mapping[str, str]) -> str:
    """Return what is wrong with a checkpoint, empty where nothing is; `keys` are the public ones by their ids."""
    try:
        said = orjson.loads(one.body)
        return _judged(one, said, store, keys)
    except _MALFORMED as error:
        return f"it can't be read: {in_words(error)}"


def judged_kept(one: SignedCheckpoint, store: Chain, keys: Mapping[str, str]) -> tuple[str, GivenUp | None]:
    """Return what is wrong with a checkpoint that somebody kept, and what gave up the entry that it names."""
    try:
        said = orjson.loads(one.body)
        gone = given_up(store.connection, store.lineage, said)
        return (_unsigned(one, said, keys) if gone else _judged(one, said, store, keys)), gone
    except _MALFORMED as error:
        return f"it can't be read: {in_words(error)}", None


def _judged(one: SignedCheckpoint, said: dict[str, Any], store: Chain, keys: Mapping[str, str]) -> str:
    if fault := _unsigned(one, said, keys):
        return fault
    if (said["gateway"], said["store"]) != (store.lineage.gateway, store.lineage.at_position(one.position)):
        return f"it is of another store: {said['gateway']} {said['store']}"
    return _compared(one, said["hash"], store)


def _unsigned(one: SignedCheckpoint, said: dict[str, Any], keys: Mapping[str, str]) -> str:
    if said["key"] not in keys:
        return f"it is signed by key {said['key']}, which is none of the store's"
    if not check(keys[said["key"]], one.body.encode(), one.signature):
        return f"its signature by key {said['key']} does not hold"
    if (CHECKPOINT_FORMAT, *one[:3]) != tuple(said[name] for name in ("format", "position", "seq", "at")):
        return "its row says something else than what was signed"
    return ""


def _compared(one: SignedCheckpoint, signed: str, store: Chain) -> str:
    if one.position < store.retained:
        return ""  # what it names was deleted in order, and nothing is left to compare
    if one.position > store.head.position:
        return f"the store ends at position {store.head.position}: it was cut off"
    found = store.hash_at(one.seq, one.position)
    return "" if found and signed == f"sha256:{found.hex()}" else "the store has another entry there"


def signatures(connection: sqlite3.Connection) -> Check:
    """Check every signed checkpoint, and that the keys are those that were chained."""
    findings, count = Findings(NAME), 0
    store, keys = open_chain(connection), _keys(connection, findings)
    by_key: dict[str, int] = {}
    for row in connection.execute(_ALL):
        one = SignedCheckpoint(*row)
        count += 1
        if fault := judged(one, store, keys):
            findings.add(f"checkpoint {one.position}: {fault}")
        else:
            by_key[one.key] = by_key.get(one.key, 0) + 1
    signed = ", ".join(f"{number} by key {key}" for key, number in by_key.items())
    return findings.check(f"{count} signed checkpoints{f': {signed}' if signed else ''}")


def newest(connection: sqlite3.Connection, trusted: str) -> tuple[Verified | None, list[Check]]:
    """Return what the newest checkpoint vouches for, None where one can't go on from it, and what is said of it."""
    row = connection.execute(NEWEST).fetchone()
    if row is None:
        return None, [Check(NAME, ok=True, detail="there is none to go on from: everything is verified")]
    one, state = SignedCheckpoint(*row[:-1]), row[-1]
    findings = Findings(NAME)
    store, keys = open_chain(connection), _keys(connection, findings)
    if fault := judged(one, store, keys):
        findings.add(f"checkpoint {one.position}: {fault}")
        return None, [findings.check("")]
    if trusted not in ("", one.key) or one.position < store.retained:
        why = "is by another key" if trusted not in ("", one.key) else "is older than what retention deleted"
        return None, [findings.check(f"the newest {why}: everything is verified")]
    seen = _seen(connection, one, state)
    if seen is None:
        findings.add(f"checkpoint {one.position}: the totals kept with it are not those that were signed")
    return seen, [findings.check(f"verified since position {one.position}, signed by key {one.key} at {one.at}")]


def _seen(connection: sqlite3.Connection, one: SignedCheckpoint, state: str | None) -> Verified | None:
    """Return what was signed; None where it isn't what is stored."""
    said = orjson.loads(one.body)
    at = Head(one.position, bytes.fromhex(said["hash"].removeprefix("sha256:")), one.seq)
    try:
        seen = parsed(at, state or "", read_totals(connection))
    except _MALFORMED:
        return None
    return seen if seen.digest == said["state"] else None


def _keys(connection: sqlite3.Connection, findings: Findings) -> dict[str, str]:
    """Return the store's public keys by id; a key that the chain doesn't name is a fault and none of the store's."""
    retained = int(read_meta(connection).get("retained_position", 0))
    keys = {}
    for name, public, position in connection.execute(KEYS):
        if key_id(public) == name and (position <= retained or _names(connection, position, public)):
            keys[name] = public
        else:
            findings.add(f"key {name} is not the one that was chained at position {position}")
    return keys


def _names(connection: sqlite3.Connection, position: int, public: str) -> bool:
    row = connection.execute(_JOURNAL, (position,)).fetchone()
    content = orjson.loads(row[0]) if row else {}
    return bool((content.get("kind"), content.get("public")) == ("key", public))

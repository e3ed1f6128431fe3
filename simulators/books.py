"""The central ERP's books: which postings it booked, and what it refused and why."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from simulators.ledger import utc_now

SCHEMA = """
CREATE TABLE IF NOT EXISTS booking (
    gateway TEXT, store TEXT, seq INTEGER, hash TEXT NOT NULL, body TEXT NOT NULL, via TEXT NOT NULL,
    booked_at TEXT NOT NULL, PRIMARY KEY (gateway, store, seq));
CREATE TABLE IF NOT EXISTS refused (
    gateway TEXT, store TEXT, seq INTEGER, reason TEXT NOT NULL, via TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS signer (id TEXT PRIMARY KEY, public TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS checkpoint (
    store TEXT, position INTEGER, body TEXT NOT NULL, signature TEXT NOT NULL, PRIMARY KEY (store, position));
CREATE TABLE IF NOT EXISTS cursor (consumer TEXT PRIMARY KEY, store TEXT NOT NULL, after INTEGER NOT NULL);
"""
LAST_CHECKPOINT = "SELECT position, body FROM checkpoint WHERE store = ? ORDER BY position DESC LIMIT 1"
HASH_OF = "SELECT hash FROM booking WHERE gateway = ? AND store = ? AND seq = ?"
SAVE_CURSOR = """
INSERT INTO cursor VALUES (?, ?, ?)
ON CONFLICT (consumer) DO UPDATE SET store = excluded.store, after = excluded.after
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one posting: booked, duplicate, rejected or later."""

    status: str
    reason: str | None = None


BOOKED = Verdict("booked")
LATER = Verdict("later", "simulated: not now")
Judge = Callable[[tuple[str, str, int]], Verdict]


def book_it(_key: tuple[str, str, int]) -> Verdict:
    """Judge every posting as good."""
    return BOOKED


def _said(body: str, member: str) -> str:
    return str(json.loads(body)[member])


class Books:
    """Books each (gateway, store, seq) once; durable when a method returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(SCHEMA)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def book(
        self, gateway: str, store: str, items: Iterable[dict[str, Any]], via: str, judge: Judge = book_it
    ) -> list[Verdict]:
        """Book `items` in one transaction; a new one is booked only if `judge` says so."""
        with self._transaction():
            # Its identity is what an item says of itself: a restored store hands on postings of the one before.
            return [
                self._book_one((item.get("gateway", gateway), item.get("store", store), item["seq"]), item, via, judge)
                for item in items
            ]

    def cursor(self, consumer: str) -> tuple[str, int]:
        """The store that the consumer reads and how far it has booked; ("", 0) at first."""
        row = self._database.execute("SELECT store, after FROM cursor WHERE consumer = ?", (consumer,)).fetchone()
        return (row[0], row[1]) if row else ("", 0)

    def last_checkpoint(self, store: str) -> tuple[int, str]:
        """The position of the store's last checkpoint that was kept, and the hash in it; (0, "") at first."""
        row = self._database.execute(LAST_CHECKPOINT, (store,)).fetchone()
        return (row[0], _said(row[1], "hash")) if row else (0, "")

    def keep_checkpoints(self, answer: dict[str, Any]) -> str:
        """Keep what a gateway signed; return what contradicts what it signed before: a store may not change or end."""
        found = {one["position"]: one for one in answer["items"]}
        last, sealed = self.last_checkpoint(answer["store"])
        if last and last not in found:
            return f"checkpoint {last} is gone: the store was cut off"
        if last and _said(found[last]["body"], "hash") != sealed:
            return f"checkpoint {last} is another one: the store was written anew"
        with self._transaction():
            keys = [(one["id"], one["public"]) for one in answer["keys"]]
            self._database.executemany("INSERT OR IGNORE INTO signer VALUES (?, ?)", keys)
            rows = [(_said(one["body"], "store"), at, one["body"], one["signature"]) for at, one in found.items()]
            self._database.executemany("INSERT OR IGNORE INTO checkpoint VALUES (?, ?, ?, ?)", rows)
        return ""

    def checkpoints(self) -> dict[str, Any]:
        """Return what was kept, as the gateway's answers are: a file of it is what `gateway verify --against` takes."""
        keys = self._database.execute("SELECT id, public FROM signer").fetchall()
        items = self._database.execute("SELECT position, body, signature FROM checkpoint ORDER BY position").fetchall()
        return {
            "keys": [{"id": name, "public": public} for name, public in keys],
            "items": [{"position": at, "body": body, "signature": signed} for at, body, signed in items],
        }

    def move_cursor(self, consumer: str, store: str, after: int) -> None:
        """Remember how far the consumer has booked."""
        self._database.execute(SAVE_CURSOR, (consumer, store, after))

    def refuse(self, gateway: str, store: str, seq: int, reason: str, via: str) -> None:
        """Write down what was not booked."""
        row = (gateway, store, seq, reason, via, utc_now())
        self._database.execute("INSERT INTO refused VALUES (?, ?, ?, ?, ?, ?)", row)

    def _book_one(self, key: tuple[str, str, int], item: dict[str, Any], via: str, judge: Judge) -> Verdict:
        booked = self._database.execute(HASH_OF, key).fetchone()
        verdict = _compare(booked[0], item["hash"]) if booked else judge(key)
        if verdict.status == "booked":
            row = (*key, item["hash"], json.dumps(item), via, utc_now())
            self._database.execute("INSERT INTO booking VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        elif verdict.status == "rejected" or via == "push":
            # a puller meets what was pushed before as a matter of course
            self.refuse(*key, verdict.reason or verdict.status, via)
        return verdict

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")


def _compare(booked: str, offered: str) -> Verdict:
    if booked == offered:
        return Verdict("duplicate")
    return Verdict("rejected", f"already booked with another hash ({booked})")


def books(path: Path) -> list[dict[str, Any]]:
    """The bodies of all booked postings in `path`, in the order of (gateway, store, seq)."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT body FROM booking ORDER BY gateway, store, seq")
        return [json.loads(body) for (body,) in rows]


def refused(path: Path) -> set[tuple[str, int]]:
    """The (store, seq) of what was refused in `path` for good, not only put off; it may have been booked since."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return set(database.execute("SELECT store, seq FROM refused WHERE reason <> ?", (LATER.reason,)))


def units(bodies: Iterable[dict[str, Any]]) -> dict[tuple[str, str], Decimal]:
    """The quantity that the postings' triggers add up to, by (device, signal).

    A reversal and a document that follows another (deferred issues, a backlog) name triggers that were booked before.
    """
    total: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    main = (body for body in bodies if not (body.get("reverses") or body.get("follows")))
    for trigger in (trigger for body in main for trigger in body["triggers"]):
        total[trigger["device"], trigger["signal"]] += Decimal(trigger["quantity"])
    return dict(total)
